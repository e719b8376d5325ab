"""Whole chat replies as messages, and errors as Anthropic spells them."""

import json
from typing import Any

import pytest

from gateway.errors import (
    ContextLengthExceeded,
    GatewayError,
    InvalidValue,
    ModelNotFound,
    Overloaded,
    RateLimited,
    Unauthenticated,
    UpstreamBroken,
    UpstreamTimeout,
)
from gateway.wire.anthropic import failures
from gateway.wire.anthropic.reply import translate

SHORT = "mcp__x"


def message(
    said: dict[str, Any] | None, finish: str | None = "stop", thoughts: bool = False, **more: Any
) -> dict[str, Any]:
    choice = {"index": 0, "message": said, "finish_reason": finish, **more.pop("choice", {})}
    document = {"id": "chatcmpl-9", "model": "gpt-4.1", "choices": [choice], **more}
    body = json.dumps(document).encode()
    made = translate(body, stops=("END",), longer={SHORT: "mcp__long"}, thoughts=thoughts)
    return dict(json.loads(made))


def call(arguments: Any, **more: Any) -> dict[str, Any]:
    return {"id": "call_1", "function": {"name": SHORT, "arguments": arguments}, **more}


def test_a_reply_is_a_message() -> None:
    assert message({"content": "Paris."}) == {
        "id": "msg_9",
        "type": "message",
        "role": "assistant",
        "model": "gpt-4.1",
        "content": [{"type": "text", "text": "Paris.", "citations": None}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "usage": {
            "input_tokens": 0,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 0,
        },
    }


@pytest.mark.parametrize(
    ("finish", "said", "choice", "reason"),
    [
        ("stop", {}, {}, "end_turn"),
        ("length", {}, {}, "max_tokens"),
        ("tool_calls", {}, {}, "tool_use"),
        ("content_filter", {}, {}, "refusal"),
        ("something new", {}, {}, "end_turn"),
        (None, {}, {}, "end_turn"),
        ("stop", {"tool_calls": [call("{}")]}, {}, "tool_use"),
        ("stop", {"refusal": "No."}, {}, "refusal"),
        ("length", {"refusal": "No."}, {}, "max_tokens"),
        ("stop", {}, {"stop_reason": "END"}, "stop_sequence"),
        ("stop", {}, {"stop_reason": "other"}, "end_turn"),
        ("stop", {}, {"stop_reason": 128009}, "end_turn"),
    ],
)
def test_each_ending_has_its_reason(
    finish: str | None, said: dict[str, Any], choice: dict[str, Any], reason: str
) -> None:
    made = message({"content": "x", **said}, finish, choice=choice)

    assert made["stop_reason"] == reason
    assert made["stop_sequence"] == ("END" if reason == "stop_sequence" else None)


def test_a_refusal_is_told_and_explained() -> None:
    made = message({"content": None, "refusal": "I cannot."})

    assert made["content"] == [{"type": "text", "text": "I cannot.", "citations": None}]
    assert made["stop_details"] == {
        "type": "refusal",
        "category": None,
        "explanation": "I cannot.",
    }


def test_a_tool_call_has_its_own_name_and_its_input() -> None:
    made = message({"content": None, "tool_calls": [call('{"a":[1]}')]}, "tool_calls")
    used = {"type": "tool_use", "id": "call_1", "name": "mcp__long", "input": {"a": [1]}}

    assert made["content"] == [used]


@pytest.mark.parametrize("arguments", ["", None, "{}"])
def test_no_arguments_are_an_empty_input(arguments: str | None) -> None:
    assert message({"tool_calls": [call(arguments)]})["content"][0]["input"] == {}


def test_a_call_without_an_id_gets_one() -> None:
    made = message({"tool_calls": [call("{}"), call("{}", id=None)]})

    assert [block["id"] for block in made["content"]] == ["call_1", "toolu_9_1"]


def test_a_call_cut_by_the_limit_calls_nothing() -> None:
    made = message({"content": "x", "tool_calls": [call('{"a":')]}, "length")

    assert [block["type"] for block in made["content"]] == ["text"]
    assert made["stop_reason"] == "max_tokens"


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", "NaN", "\ud83d"])
def test_arguments_that_are_no_object_break_the_reply(arguments: str) -> None:
    with pytest.raises(UpstreamBroken, match="no JSON object"):
        message({"tool_calls": [call(arguments)]}, "tool_calls")


@pytest.mark.parametrize("broken", ["call", {"id": "1"}, {"function": {"arguments": ""}}])
def test_a_call_without_a_name_breaks_the_reply(broken: object) -> None:
    with pytest.raises(UpstreamBroken, match="no name"):
        message({"tool_calls": [broken]}, "tool_calls")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"choices":[]}', b'{"choices":[1]}']
)
def test_what_is_no_chat_reply_is_broken(body: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        translate(body, stops=(), longer={}, thoughts=False)


def test_thoughts_are_told_to_those_who_asked() -> None:
    said = {"content": "4", "reasoning_content": "2+2"}

    assert message(said, thoughts=True)["content"][0] == {
        "type": "thinking",
        "thinking": "2+2",
        "signature": "",
    }
    assert len(message(said)["content"]) == 1
    assert len(message({"content": "4"}, thoughts=True)["content"]) == 1


def test_a_message_without_one_is_empty() -> None:
    made = message(None, model=None)

    assert (made["content"], made["model"]) == ([], "")


def test_the_gateways_own_word_is_passed_on() -> None:
    assert message({}, gateway={"tier": "nano"})["gateway"] == {"tier": "nano"}


def test_cached_tokens_are_counted_apart() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 30,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }

    assert message({}, usage=usage, service_tier="default")["usage"] == {
        "input_tokens": 30,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 60,
        "output_tokens": 30,
        "output_tokens_details": {"thinking_tokens": 20},
        "service_tier": "standard",
    }


def told(failure: failures.Failure) -> tuple[int, str, str]:
    document = json.loads(failure.body)
    assert document["type"] == "error"
    assert document["request_id"] == "req_1"
    return failure.status, document["error"]["type"], document["error"]["message"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (InvalidValue("top_k: no."), (400, "invalid_request_error", "top_k: no.")),
        (Unauthenticated("Who?"), (401, "authentication_error", "Who?")),
        (ModelNotFound("Which?"), (404, "not_found_error", "Which?")),
        (RateLimited("Wait."), (429, "rate_limit_error", "Wait.")),
        (Overloaded("Busy."), (529, "overloaded_error", "Busy.")),
        (UpstreamBroken("Bad."), (502, "api_error", "Bad.")),
        (UpstreamTimeout("Late."), (504, "timeout_error", "Late.")),
        (
            ContextLengthExceeded("9 tokens."),
            (400, "invalid_request_error", "prompt is too long: 9 tokens."),
        ),
    ],
)
def test_our_errors_are_spelled_as_anthropics(
    error: GatewayError, expected: tuple[int, str, str]
) -> None:
    assert told(failures.from_error(error, "req_1")) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, b'{"error":{"message":"Slow."}}', (429, "rate_limit_error", "Slow.")),
        (503, b'{"error":{"message":"Busy."}}', (529, "overloaded_error", "Busy.")),
        (418, b'{"error":"Tea."}', (418, "invalid_request_error", "Tea.")),
        (413, b'{"error":{"message":"Big."}}', (413, "request_too_large", "Big.")),
        (500, b'{"detail":"x"}', (500, "api_error", "refused the call")),
        (502, b"<html>", (502, "api_error", "refused the call")),
        (400, b'{"error":{"message":1}}', (400, "invalid_request_error", "refused the call")),
    ],
)
def test_upstream_errors_are_spelled_as_anthropics(
    status: int, body: bytes, expected: tuple[int, str, str]
) -> None:
    *known, message = told(failures.translate(status, body, "req_1"))

    assert tuple(known) == expected[:2]
    assert expected[2] in message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "upstreams_exhausted", "type": "upstream_error"}, "overloaded_error"),
        ({"code": "upstream_timeout"}, "timeout_error"),
        ({"code": None, "type": "requests"}, "rate_limit_error"),
        ({"code": 7, "type": "server_error"}, "api_error"),
        ("boom", "api_error"),
    ],
)
def test_an_error_in_a_stream_says_what_it_is(error: object, kind: str) -> None:
    event, data = failures.event(error).split(b"\n", 1)

    assert event == b"event: error"
    assert json.loads(data.removeprefix(b"data: "))["error"]["type"] == kind
