from typing import Any

import pytest

from gateway.catalog import Capability
from gateway.classify.functions import pieces, schema_pieces
from gateway.classify.prompt import measure
from gateway.classify.tokens import Tokenizer
from tests.classify.documents import (
    COOKBOOK_CHAT,
    COOKBOOK_TOOLS,
    WEATHER,
    ask,
)


def test_a_chat_costs_what_the_cookbook_says(tokenizer: Tokenizer) -> None:
    prompt = measure(COOKBOOK_CHAT)

    assert prompt.overhead + sum(map(tokenizer.count, prompt.texts)) == 124
    assert prompt.plain


def test_tools_cost_what_the_cookbook_says(tokenizer: Tokenizer) -> None:
    prompt = measure(COOKBOOK_TOOLS)
    texts, overhead = pieces(COOKBOOK_TOOLS["tools"])

    total = prompt.overhead + overhead + sum(map(tokenizer.count, (*prompt.texts, *texts)))

    assert total == 101
    assert not prompt.plain
    assert prompt.tools == 1


def test_tools_are_read_nested_flat_and_bare() -> None:
    function = WEATHER["function"]

    assert pieces([WEATHER]) == pieces([function]) == pieces([{"type": "function", **function}])
    assert pieces([]) == pieces(["x", None, {"function": 3}]) == ([], 0)


def test_nested_schemas_are_counted_like_flat_ones() -> None:
    leaf = {"a": {"type": ["string", "null"], "description": "An a.", "enum": [1, True, None, 1.5]}}
    texts, overhead = schema_pieces({"properties": leaf})
    wrapped = {"anyOf": [{"items": {"properties": leaf}}], "$defs": {"d": {"properties": {"b": 1}}}}

    assert texts == ["a:string,null:An a", "1", "true", "", "1.5"]
    assert overhead == 3 + 3 - 3 + 4 * 3
    assert sorted(schema_pieces(wrapped)[0]) == sorted([*texts, "b::"])
    assert schema_pieces({"properties": {"k": {"enum": [10**5_000]}}})[0] == ["k::", ""]


def test_texts_are_found_wherever_a_model_reads_them() -> None:
    prompt = measure(
        {
            "messages": [
                {"role": "developer", "content": "rules"},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "one"}, {"text": "two"}, "three"],
                },
                {"role": "assistant", "content": None, "refusal": "no"},
                {"role": "assistant", "content": [{"type": "refusal", "refusal": "never"}]},
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
                },
                {"role": "tool", "tool_call_id": "c", "content": "result"},
                {"role": "assistant", "function_call": {"name": "g", "arguments": "[]"}},
                {"role": "critic", "content": "hm", "name": "Bob"},
                {"role": "assistant", "tool_calls": ["odd"], "content": ""},
                {"type": "odd"},
                "odd",
                None,
            ]
        }
    )

    assert prompt.texts == (
        *("rules", "one", "two", "three", "no", "never", "f", "{}", "result", "g", "[]"),
        *("hm", "critic", "Bob", ""),
    )
    assert prompt.context == "rules"
    assert prompt.task == "one\ntwo\nthree"
    assert prompt.turns == 1
    assert prompt.needs == Capability.TOOLS
    assert prompt.uses_tools
    assert prompt.tools == 0


def test_a_responses_input_is_read_like_a_chat() -> None:
    prompt = measure(
        {
            "instructions": "Be brief.",
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "a"}],
                },
                {"type": "message", "content": "who?"},
                {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "1"},
                {"type": "function_call_output", "call_id": "1", "output": "42"},
                {"type": "custom_tool_call_output", "call_id": "2", "output": [{"text": "43"}]},
                {"type": "reasoning", "encrypted_content": "x" * 100},
                {"type": 7},
            ],
        }
    )

    assert prompt.texts == ("Be brief.", "hi", "a", "who?", "f", "{}", "42", "43")
    assert prompt.context == "Be brief."
    assert prompt.unread_bytes > 100
    assert prompt.uses_tools


@pytest.mark.parametrize(
    ("document", "texts", "overhead"),
    [
        ({"input": "hello"}, ("hello",), 7),
        ({"input": "hello", "instructions": "be brief"}, ("be brief", "hello"), 11),
        ({"instructions": "be brief"}, ("be brief",), 7),
        ({"prompt": "once"}, ("once",), 0),
        ({"prompt": ["once", "twice"]}, ("once", "twice"), 0),
        ({"prompt": [1, 2, 3]}, (), 3),
        ({"prompt": [[1, 2], [3]]}, (), 3),
        ({"prompt": [None, 1]}, (), 1),
        ({}, (), 0),
        ({"messages": []}, (), 3),
        ({"messages": "hello"}, ("hello",), 7),
    ],
)
def test_every_endpoint_has_its_overhead(
    document: dict[str, Any], texts: tuple[str, ...], overhead: int
) -> None:
    prompt = measure(document)

    assert prompt.texts == texts
    assert prompt.overhead == overhead
    assert prompt.plain
    assert prompt.task == (texts[-1] if texts else "")


def test_shapes_of_no_known_kind_are_weighed_and_passed_over() -> None:
    odd: dict[str, Any] = {
        "messages": [
            {"role": "user", "content": [{"type": ["text"]}, {"type": "video"}, {"text": 1}, 7]},
            {"role": "user", "content": 7},
        ]
    }

    assert measure(odd).unread_bytes > 30
    assert not measure(odd).plain
    assert measure({"prompt": {"id": "pmpt_1"}}).unread_bytes > 10
    assert measure({**ask("x"), "tools": [1], "functions": [2]}).tools == 2


def test_a_kept_conversation_cannot_be_counted() -> None:
    prompt = measure({"input": "and why?", "previous_response_id": "resp_1"})

    assert prompt.stored
    assert not prompt.plain
    assert not measure({"input": "and why?", "previous_response_id": None}).stored
