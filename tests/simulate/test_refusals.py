"""What is refused, with the parameter and the code that name the reason."""

import json
from typing import Any

import pytest

from tests.simulate.world import ask, send


def error(port: int, **changes: Any) -> tuple[int, Any]:
    body = {key: value for key, value in {**ask(), **changes}.items() if value is not ...}
    raw = send(port, "POST", "/v1/chat/completions", body)
    return raw.status, json.loads(raw.body)["error"]


USER = {"role": "user", "content": "hi"}
TOOL: Any = {"type": "function", "function": {"name": "f"}}
CALLS: Any = {"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]}
SCHEMA: Any = {"type": "json_schema"}

REFUSED: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"model": ...}, None, None),
    ({"messages": ...}, "messages", "missing_required_parameter"),
    ({"messages": "hi"}, "messages", "invalid_type"),
    ({"messages": []}, "messages", "empty_array"),
    ({"messages": ["hi"]}, "messages[0]", "invalid_type"),
    ({"messages": [{"content": "hi"}]}, "messages[0].role", "missing_required_parameter"),
    ({"messages": [{"role": "boss"}]}, "messages[0].role", "invalid_value"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", None),
    ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content", "invalid_type"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages.[0].role", None),
    ({"messages": [CALLS, USER]}, "messages", None),
    ({"messages": [USER, CALLS]}, "messages", None),
    (
        {"messages": [{**USER, "tool_calls": 3}]},
        "messages[0].tool_calls",
        "invalid_type",
    ),
    ({"messages": [{**USER, "tool_calls": [3]}]}, "messages[0].tool_calls[0]", "invalid_type"),
    (
        {"messages": [{**USER, "tool_calls": [{}]}]},
        "messages[0].tool_calls[0].id",
        "missing_required_parameter",
    ),
    ({"n": 0}, "n", "integer_below_min_value"),
    ({"n": 129}, "n", "integer_above_max_value"),
    ({"n": "2"}, "n", "invalid_type"),
    ({"n": True}, "n", "invalid_type"),
    ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
    ({"max_tokens": 5_000}, "max_tokens", "invalid_value"),
    ({"temperature": 3}, "temperature", "decimal_above_max_value"),
    ({"top_p": -0.5}, "top_p", "decimal_below_min_value"),
    ({"temperature": []}, "temperature", "invalid_type"),
    ({"temperature": None, "top_p": {}}, "top_p", "invalid_type"),
    ({"stop": 3}, "stop", "invalid_type"),
    ({"stop": list("abcde")}, "stop", "array_above_max_length"),
    ({"top_logprobs": 2}, "top_logprobs", "invalid_value"),
    ({"stream_options": {}}, "stream_options", None),
    ({"response_format": "json"}, "response_format", "invalid_type"),
    ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
    ({"response_format": {"type": "json_object"}}, "messages", None),
    ({"response_format": SCHEMA}, "response_format.json_schema", "missing_required_parameter"),
    (
        {"response_format": {**SCHEMA, "json_schema": {}}},
        "response_format.json_schema.name",
        "missing_required_parameter",
    ),
    (
        {"response_format": {**SCHEMA, "json_schema": {"name": "x", "schema": 3}}},
        "response_format.json_schema.schema",
        "invalid_type",
    ),
    ({"tool_choice": "required"}, "tool_choice", None),
    ({"tools": {"a": 1}}, "tools", "invalid_type"),
    ({"tools": [3]}, "tools[0]", "invalid_type"),
    ({"tools": [{"type": "x"}]}, "tools[0].type", "invalid_value"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
    (
        {"tools": [{"function": {}}]},
        "tools[0].function.name",
        "missing_required_parameter",
    ),
    (
        {"tools": [{"function": {"name": "f", "parameters": "x"}}]},
        "tools[0].function.parameters",
        "invalid_type",
    ),
    ({"tools": [TOOL], "tool_choice": "all"}, "tool_choice", "invalid_value"),
    ({"tools": [TOOL], "tool_choice": {"type": "function"}}, "tool_choice", None),
]


@pytest.mark.parametrize(("changes", "param", "code"), REFUSED)
def test_a_bad_request_is_refused_by_name(
    port: int, changes: dict[str, Any], param: str | None, code: str | None
) -> None:
    status, found = error(port, **changes)

    assert (status, found["param"], found["code"]) == (400, param, code)
    assert set(found) == {"message", "type", "param", "code"}
    assert found["type"] == "invalid_request_error"


def test_a_body_that_is_no_object_is_refused(port: int) -> None:
    raw = send(port, "POST", "/v1/chat/completions", b"[null]")

    assert raw.status == 400
    assert "but got an array instead" in json.loads(raw.body)["error"]["message"]


def test_a_prompt_too_long_for_the_model_is_refused_with_the_figures(port: int) -> None:
    status, found = error(port, messages=[{"role": "user", "content": "word " * 20_001}])

    assert (status, found["code"], found["param"]) == (400, "context_length_exceeded", "messages")
    assert "maximum context length is 20000 tokens" in found["message"]
