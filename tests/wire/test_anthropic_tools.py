"""Tools and the choice among them, on the chat endpoint."""

from typing import Any

import pytest

from gateway.wire.anthropic.request import Translated, from_request
from gateway.wire.anthropic.tools import shortened

ASKED: dict[str, Any] = {"role": "user", "content": "Hi"}
TOOL: dict[str, Any] = {"name": "look", "input_schema": {"type": "object"}}
CALL: dict[str, Any] = {"type": "tool_use", "id": "call_1", "name": "look", "input": {"at": 1}}
LONG_NAME = "mcp__" + "x" * 80


def translated(**members: Any) -> Translated:
    return from_request({"model": "auto", "max_tokens": 10, "messages": [ASKED], **members}, {})


def chat(**members: Any) -> dict[str, Any]:
    return dict(translated(**members).document)


def test_tools_are_functions() -> None:
    strict = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}

    said = chat(
        tools=[
            {**TOOL, "type": "custom", "description": "Looks.", "cache_control": {}},
            {"name": "closed", "input_schema": strict, "strict": True},
            {**TOOL, "strict": True},
        ]
    )["tools"]

    assert [tool["function"] for tool in said] == [
        {"name": "look", "description": "Looks.", "parameters": {"type": "object"}},
        {"name": "closed", "parameters": strict, "strict": True},
        {"name": "look", "parameters": {"type": "object"}},
    ]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "any"}, {"tool_choice": "required"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        (
            {"type": "tool", "name": "look"},
            {"tool_choice": {"type": "function", "function": {"name": "look"}}},
        ),
        (
            {"type": "auto", "disable_parallel_tool_use": True},
            {"tool_choice": "auto", "parallel_tool_calls": False},
        ),
    ],
)
def test_a_choice_of_tools_is_the_same_choice(choice: Any, said: dict[str, Any]) -> None:
    assert chat(tools=[TOOL], tool_choice=choice) == {**chat(tools=[TOOL]), **said}


def test_a_choice_among_no_tools_is_none() -> None:
    assert chat(tool_choice={"type": "auto"}) == chat()


def test_a_long_tool_name_is_shortened_everywhere_and_spelled_out_again() -> None:
    made = translated(
        tools=[{**TOOL, "name": LONG_NAME}],
        tool_choice={"type": "tool", "name": LONG_NAME},
        messages=[ASKED, {"role": "assistant", "content": [{**CALL, "name": LONG_NAME}]}, ASKED],
    )
    short = made.document["tools"][0]["function"]["name"]

    assert len(short) == 64
    assert short != shortened(LONG_NAME + "y")
    assert made.document["tool_choice"]["function"]["name"] == short
    assert made.document["messages"][1]["tool_calls"][0]["function"]["name"] == short
    assert made.longer == {short: LONG_NAME}
