import json
from typing import Any

import pytest

from gateway.call import Usage
from gateway.errors import UpstreamBroken
from gateway.wire.reply import Facts, inspect
from gateway.wire.usage import usage_of

REPLY: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-4.1-2025-04-14",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}}],
    "usage": {
        "prompt_tokens": 19,
        "completion_tokens": 10,
        "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 3},
    },
}


def spelled(**changes: Any) -> bytes:
    return json.dumps({**REPLY, **changes}).encode()


def test_a_reply_says_its_model_usage_and_length() -> None:
    assert inspect(spelled()) == Facts(Usage(19, 10, 4, 3), "gpt-4.1-2025-04-14", 0, "chatcmpl-1")


def test_a_reply_without_model_usage_or_text_is_a_reply() -> None:
    choices = [{"message": {"content": None}}, {"message": None}, {}, 7]

    assert inspect(spelled(model=None, usage=None, choices=choices)) == Facts(
        None, "", 0, "chatcmpl-1"
    )


def test_the_text_of_all_choices_counts_where_the_upstream_counted_nothing() -> None:
    call = {"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    choices = [
        {"message": {"content": "äöü", "refusal": None}},
        {"message": {"content": None, "refusal": "no"}},
        {"message": {"content": None, "tool_calls": [call, call]}},
    ]

    assert inspect(spelled(choices=choices, usage=None)).text_chars == 3 + 2 + 4


def test_half_a_surrogate_pair_survives() -> None:
    choices = [{"message": {"content": "x\ud83d"}}]

    assert inspect(spelled(choices=choices, usage=None)).text_chars == 2


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "no JSON"),
        (b"<html>", "no JSON"),
        (b"[]", "no chat reply"),
        (b"{}", "no chat reply"),
        (b'{"choices":{}}', "no chat reply"),
        (b'{"choices":null,"error":null}', "no chat reply"),
        (b'{"error":{"message":"boom"}}', "an error"),
        (b'{"error":"boom","choices":null}', "an error"),
        (b'{"choices":[],"x":"\xff"}', "invalid UTF-8"),
    ],
)
def test_what_is_no_reply_is_broken(body: bytes, says: str) -> None:
    with pytest.raises(UpstreamBroken, match=says):
        inspect(body)


@pytest.mark.parametrize(
    ("stated", "usage"),
    [
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(0, 0)),
        ({"prompt_tokens": 1, "completion_tokens": 2}, Usage(1, 2)),
        ({"prompt_tokens": 1 << 40, "completion_tokens": 2}, Usage(1 << 40, 2)),
        (
            {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": None},
            Usage(1, 2),
        ),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 2,
                "prompt_tokens_details": {"cached_tokens": None},
                "completion_tokens_details": {"reasoning_tokens": 1},
            },
            Usage(5, 2, 0, 1),
        ),
        (None, None),
        ([], None),
        ({}, None),
        ({"prompt_tokens": 1}, None),
        ({"completion_tokens": 1}, None),
        ({"prompt_tokens": -1, "completion_tokens": 2}, None),
        ({"prompt_tokens": True, "completion_tokens": 2}, None),
        ({"prompt_tokens": 1.0, "completion_tokens": 2}, None),
        ({"prompt_tokens": "1", "completion_tokens": 2}, None),
        ({"prompt_tokens": None, "completion_tokens": 2}, None),
        ({"prompt_tokens": (1 << 40) + 1, "completion_tokens": 2}, None),
        (
            {
                "prompt_tokens": 1,
                "completion_tokens": 2,
                "prompt_tokens_details": {"cached_tokens": -1},
            },
            None,
        ),
        (
            {
                "prompt_tokens": 1,
                "completion_tokens": 2,
                "completion_tokens_details": {"reasoning_tokens": "1"},
            },
            None,
        ),
    ],
)
def test_usage_is_what_can_be_true(stated: object, usage: Usage | None) -> None:
    assert usage_of({"usage": stated}) == usage
