"""Whole responses: what they say of themselves; and what pins a request to earlier ones."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from gateway.call import Usage
from gateway.errors import UpstreamBroken
from gateway.wire.body import rewrite
from gateway.wire.responses.pins import MOST_IDS, pins
from gateway.wire.responses.reply import MOST_ITEMS, Facts, inspect
from tests.wire.responses_streams import MESSAGE, RESPONSE, USAGE
from tests.wire.spelling import VALUES


def seen(**members: Any) -> Facts:
    return inspect(json.dumps({**RESPONSE, **members}).encode())


def test_a_completed_response_tells_its_usage_and_its_ids() -> None:
    call = {"id": "fc_1", "type": "function_call", "arguments": "{}"}

    assert seen(status="completed", usage=USAGE, output=[MESSAGE, call], conversation="c") == Facts(
        Usage(30, 9, 10, 4),
        "gpt-4.1-nano-2025-04-14",
        0,
        "resp_1",
        "completed",
        "c",
        ("msg_1", "fc_1"),
    )


def test_a_queued_response_is_one_without_usage() -> None:
    facts = seen(status="queued", conversation={"id": "conv_1"})

    assert (facts.status, facts.usage, facts.conversation) == ("queued", None, "conv_1")


def test_a_failed_response_says_why() -> None:
    assert seen(status="failed", error={"code": "server_error"}).error == {"code": "server_error"}


def test_text_is_counted_where_tokens_are_not() -> None:
    reasoning = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
    call = {"type": "function_call", "arguments": '{"a":1}'}
    output = [MESSAGE, reasoning, call, {"type": "custom_tool_call", "input": "ab"}, 7]

    assert seen(output=output).text_chars == len("Paris.") + len("Hm.") + len('{"a":1}') + 2


def test_ids_are_bounded() -> None:
    assert len(seen(output=[{"id": f"i{n}"} for n in range(200)]).items) == MOST_ITEMS


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        {},
        {**USAGE, "input_tokens": -1},
        {**USAGE, "output_tokens": 1.5},
        {**USAGE, "output_tokens": True},
        {**USAGE, "input_tokens_details": {"cached_tokens": 1 << 50}},
    ],
)
def test_a_count_that_cannot_be_true_discredits_all(usage: object) -> None:
    assert seen(usage=usage).usage is None


def test_details_may_be_missing() -> None:
    assert seen(usage={"input_tokens": 0, "output_tokens": 0}).usage == Usage(0, 0)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"error":{"message":"x"}}', b'{"choices":[]}']
)
def test_what_is_no_response_is_broken(body: bytes) -> None:
    with pytest.raises(UpstreamBroken, match=r"status 200|no JSON"):
        inspect(body)


@settings(deadline=None, max_examples=100)
@given(VALUES, VALUES, VALUES)
def test_any_response_can_be_looked_at(output: Any, usage: Any, other: Any) -> None:
    seen(output=output, usage=usage, id=other, conversation=other, error=other, status=other)


@pytest.mark.parametrize(
    ("document", "ids", "sealed"),
    [
        ({"input": "Hi"}, (), False),
        ({"previous_response_id": "resp_1", "input": "Hi"}, ("resp_1",), False),
        ({"previous_response_id": None, "conversation": None}, (), False),
        ({"conversation": "conv_1"}, ("conv_1",), False),
        (
            {"conversation": {"id": "conv_1"}, "input": [{"id": "msg_1"}]},
            ("conv_1", "msg_1"),
            False,
        ),
        ({"input": [{"type": "item_reference", "id": "msg_1"}, 7]}, ("msg_1",), False),
        (
            {"input": [{"type": "reasoning", "id": "rs_1", "encrypted_content": "x"}]},
            ("rs_1",),
            True,
        ),
        ({"input": [{"type": "reasoning", "encrypted_content": "x"}]}, (), True),
        (
            {"input": [{"type": "message", "id": "msg_1", "role": "user", "content": "x"}]},
            (),
            False,
        ),
    ],
)
def test_a_request_is_pinned_by_what_it_refers_to(
    document: dict[str, Any], ids: tuple[str, ...], sealed: bool
) -> None:
    found = pins(document)

    assert (found.ids, found.sealed) == (ids, sealed)
    assert bool(found) is (bool(ids) or sealed)


def test_the_latest_references_come_first_and_are_bounded() -> None:
    items = [{"type": "reasoning", "id": f"rs_{n}"} for n in range(100)]

    found = pins({"input": items}).ids

    assert (len(found), found[0]) == (MOST_IDS, "rs_99")


def test_the_model_is_spliced_and_nothing_else() -> None:
    body = b'{ "model" : "auto", "input":[{"type":"message","model":"x"}],"reasoning":{} }'

    assert rewrite(body, json.loads(body), model="gpt-4.1") == body.replace(b'"auto"', b'"gpt-4.1"')
