"""What cannot be translated is refused with its name."""

from typing import Any

import pytest

from gateway.errors import InvalidValue
from gateway.wire.anthropic.request import Terms, from_request
from gateway.wire.anthropic.schemas import MOST_SCHEMAS, is_strict

ASKED: dict[str, Any] = {"role": "user", "content": "Hi"}
TOOL: dict[str, Any] = {"name": "look", "input_schema": {"type": "object"}}


def refusal(**members: Any) -> InvalidValue:
    document = {"model": "auto", "max_tokens": 10, "messages": [ASKED], **members}
    with pytest.raises(InvalidValue) as refused:
        from_request({n: v for n, v in document.items() if v != "-"}, {}, Terms())
    return refused.value


@pytest.mark.parametrize(
    ("param", "members"),
    [
        ("model", {"model": "-"}),
        ("model", {"model": 1}),
        ("max_tokens", {"max_tokens": "-"}),
        ("max_tokens", {"max_tokens": 0}),
        ("max_tokens", {"max_tokens": True}),
        ("max_tokens", {"max_tokens": "9"}),
        ("messages", {"messages": "-"}),
        ("messages", {"messages": []}),
        ("messages.0", {"messages": ["Hi"]}),
        ("messages.0.role", {"messages": [{"role": "tool", "content": "x"}]}),
        ("messages.0.content", {"messages": [{"role": "user"}]}),
        ("messages.0.content", {"messages": [{"role": "user", "content": []}]}),
        ("messages", {"messages": [ASKED, {"role": "assistant", "content": "It is ("}]}),
        ("temperature", {"temperature": 1.5}),
        ("temperature", {"temperature": "1"}),
        ("top_p", {"top_p": True}),
        ("top_k", {"top_k": 40}),
        ("stop_sequences", {"stop_sequences": ["1", "2", "3", "4", "5"]}),
        ("stop_sequences", {"stop_sequences": "END"}),
        ("stop_sequences.0", {"stop_sequences": [1]}),
        ("stream", {"stream": "yes"}),
        ("service_tier", {"service_tier": "priority"}),
        ("metadata", {"metadata": "me"}),
        ("metadata.user_id", {"metadata": {"user_id": 1}}),
        ("thinking", {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        ("thinking.budget_tokens", {"thinking": {"type": "enabled", "budget_tokens": 1}}),
        ("thinking.type", {"thinking": {"type": "deep"}}),
        ("output_config.effort", {"output_config": {"effort": "huge"}}),
        ("output_config.task_budget", {"output_config": {"task_budget": {"total": 9}}}),
        ("output_config.format.type", {"output_config": {"format": {"type": "xml"}}}),
        ("context_management.edits", {"context_management": {"edits": [{"type": "compact"}]}}),
        ("container", {"container": "c1"}),
        ("mcp_servers", {"mcp_servers": [{"url": "https://x.example"}]}),
        ("inference_geo", {"inference_geo": "us"}),
        ("speed", {"speed": "fast"}),
        ("seed", {"seed": 1}),
        ("system", {"system": 1}),
        ("system.0.type", {"system": [{"type": "image"}]}),
        ("tools", {"tools": {}}),
        ("tools.0", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
        ("tools.0", {"tools": [{"type": "bash_20250124", "name": "bash"}]}),
        ("tools.0.type", {"tools": [{**TOOL, "type": 1}]}),
        ("tools.0.name", {"tools": [{"input_schema": {}}]}),
        ("tools.0.input_schema", {"tools": [{"name": "look"}]}),
        ("tools.0.description", {"tools": [{**TOOL, "description": 1}]}),
        ("tool_choice", {"tool_choice": {"type": "any"}}),
        ("tool_choice.type", {"tools": [TOOL], "tool_choice": {"type": "some"}}),
        ("tool_choice.name", {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "x"}}),
    ],
)
def test_a_member_that_cannot_be_said(param: str, members: dict[str, Any]) -> None:
    refused = refusal(**members)

    assert refused.param == param
    assert refused.message.startswith(f"{param}: ")
    assert refused.status == 400


@pytest.mark.parametrize(
    ("where", "block"),
    [
        (".type", {"type": "search_result"}),
        (".type", {"type": None}),
        (".type", {"type": "tool_use", "id": "1", "name": "x", "input": {}}),
        (".text", {"type": "text"}),
        (".source", {"type": "image"}),
        (".source.type", {"type": "image", "source": {"type": "file", "file_id": "f"}}),
        (".source.data", {"type": "image", "source": {"type": "base64", "media_type": "a/b"}}),
        (".source.type", {"type": "document", "source": {"type": "base64", "data": ""}}),
        (".tool_use_id", {"type": "tool_result"}),
        (".content", {"type": "tool_result", "tool_use_id": "1", "content": 1}),
        (
            ".content.0.type",
            {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "tool_reference"}]},
        ),
    ],
)
def test_a_users_block_that_cannot_be_said(where: str, block: dict[str, Any]) -> None:
    turn = {"role": "user", "content": [{"type": "text", "text": "Hi"}, block]}

    assert refusal(messages=[turn]).param == f"messages.0.content.1{where}"


@pytest.mark.parametrize(
    ("where", "block"),
    [
        (".type", {"type": "server_tool_use", "id": "1", "name": "web_search", "input": {}}),
        (".type", {"type": "image"}),
        (".id", {"type": "tool_use", "name": "x", "input": {}}),
        (".input", {"type": "tool_use", "id": "1", "name": "x", "input": "{}"}),
    ],
)
def test_an_assistants_block_that_cannot_be_said(where: str, block: dict[str, Any]) -> None:
    turn = {"role": "assistant", "content": [block]}

    assert refusal(messages=[turn, ASKED]).param == f"messages.0.content.0{where}"


CLOSED: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "string"}, True),
        (CLOSED, True),
        ({**CLOSED, "properties": {"a": {}}, "required": ["a"]}, True),
        ({**CLOSED, "properties": {"a": {}}}, False),
        ({**CLOSED, "properties": {"a": {"type": "object"}}, "required": ["a"]}, False),
        ({"type": "array", "items": {"type": "object"}}, False),
        ({"anyOf": [CLOSED, {"properties": {}}]}, False),
        ({"anyOf": [CLOSED, {"type": "null"}], "$defs": {"x": CLOSED}}, True),
        ({"$defs": {"x": {"type": "object"}}}, False),
        ({"anyOf": [True]}, False),
        ({"anyOf": [{}] * MOST_SCHEMAS}, False),
        ("string", False),
    ],
)
def test_only_schemas_that_can_be_guaranteed_are_strict(schema: object, strict: bool) -> None:
    assert is_strict(schema) is strict
