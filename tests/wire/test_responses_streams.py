"""Streamed responses pass as they came, are told apart from cut ones, and say what they used."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from gateway.call import Usage
from gateway.errors import UpstreamBroken, UpstreamTruncated
from gateway.wire.responses.errors import error_event
from gateway.wire.responses.stream import MAX_EVENT, ResponseStream
from gateway.wire.sse import Splitter
from tests.wire.responses_streams import (
    BODIES,
    RESPONSE,
    began,
    delta,
    ended,
    event,
    seen,
)
from tests.wire.streams import fed

DONE = b"data: [DONE]\n\n"
ERROR = event("error", 5, code="server_error", message="boom", param=None)


def test_a_whole_stream_passes_as_it_came() -> None:
    stream = ResponseStream()
    data = began() + delta("Par") + delta("is.", 2) + ended()

    assert fed(stream, data) == (data, "whole")
    assert (stream.started, stream.finished, stream.done) == (True, True, True)
    assert stream.usage == Usage(30, 9, 10, 4)
    assert stream.model == "gpt-4.1-nano-2025-04-14"
    assert stream.text_chars == len("Paris.")
    assert (stream.error, stream.saw_id, stream.sequence) == (None, False, 9)
    assert stream.facts is not None
    assert (stream.facts.id, stream.facts.status, stream.facts.items) == (
        "resp_1",
        "completed",
        ("msg_1",),
    )


@settings(deadline=None, max_examples=120)
@given(BODIES, st.lists(st.integers(0, 3000), max_size=12))
def test_any_split_of_the_bytes_passes_the_same(data: bytes, cuts: list[int]) -> None:
    once, pieces, drip = ResponseStream(), ResponseStream(), ResponseStream()

    at_once = fed(once, data)

    assert fed(pieces, data, *cuts) == at_once
    assert fed(drip, data, *range(len(data))) == at_once
    assert seen(once) == seen(pieces) == seen(drip)


@settings(deadline=None, max_examples=100)
@given(BODIES)
def test_what_passes_is_never_changed_and_never_says_done(data: bytes) -> None:
    stream = ResponseStream()

    passed, ending = fed(stream, data)

    kept = Splitter().feed(passed)
    came = iter(Splitter().feed(data))
    assert all(frame in came for frame in kept)
    assert not any(frame.startswith(b"data: [DONE]") for frame in kept)
    assert ending != "whole" or stream.finished or stream.error is not None


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
def test_each_last_event_ends_a_stream(status: str) -> None:
    stream = ResponseStream()

    assert fed(stream, began() + ended(status))[1] == "whole"
    assert stream.done


def test_a_failed_response_is_an_error() -> None:
    stream, silent = ResponseStream(), ResponseStream()

    fed(stream, began() + ended("failed", error={"code": "server_error", "message": "boom"}))
    fed(silent, event("response.failed"))

    assert stream.error == {"code": "server_error", "message": "boom"}
    assert silent.error == {"message": "The response failed."}


@pytest.mark.parametrize("cut", range(0, len(began() + delta("Par") + ended()) - 1, 29))
def test_a_stream_cut_anywhere_is_truncated(cut: int) -> None:
    stream = ResponseStream()

    passed, ending = fed(stream, (began() + delta("Par") + ended())[:cut])

    assert "UpstreamTruncated" in ending
    assert not stream.done
    assert b"response.completed" not in passed


def test_a_done_that_servers_add_is_not_passed_on() -> None:
    data = began() + ended()

    assert fed(ResponseStream(), data + DONE) == (data, "whole")


def test_a_done_on_an_unfinished_response_is_truncated() -> None:
    stream = ResponseStream()

    passed, ending = fed(stream, began() + delta("Par") + DONE)

    assert passed == began() + delta("Par")
    assert "UpstreamTruncated" in ending
    with pytest.raises(UpstreamTruncated):
        stream.feed(ended())


def test_an_error_before_anything_is_held_back() -> None:
    stream = ResponseStream()

    assert stream.feed(b": wait\n\n" + ERROR + began()) == b""
    assert not stream.started
    assert stream.error is not None
    assert stream.error["message"] == "boom"
    assert stream.feed(ended()) == b""


def test_an_error_midway_passes_and_so_does_what_follows() -> None:
    stream = ResponseStream()
    data = began() + ERROR + event("response.failed", 6, response=RESPONSE)

    assert fed(stream, data + DONE) == (data, "whole")
    assert stream.error is not None
    assert stream.error["message"] == "boom"


@pytest.mark.parametrize("said", [b'"boom"', b'{"message":"boom"}'])
def test_an_error_may_be_written_as_chat_writes_it(said: bytes) -> None:
    stream = ResponseStream()
    stream.feed(began() + b'data: {"error":' + said + b"}\n\n")

    assert stream.error == {"message": "boom"}


def test_an_error_without_a_last_event_needs_no_second_one() -> None:
    assert fed(ResponseStream(), began() + ERROR + DONE) == (began() + ERROR, "whole")


@pytest.mark.parametrize(
    "data",
    [b"data: {\n\n", b'data: {"choices":[]}\n\n', b"data: []\n\n", b'data: {"type":1}\n\n'],
)
def test_what_is_no_typed_event_breaks_the_stream(data: bytes) -> None:
    stream = ResponseStream()

    with pytest.raises(UpstreamBroken):
        stream.feed(data)
    with pytest.raises(UpstreamBroken):
        stream.end()


def test_large_events_pass_up_to_a_bound() -> None:
    large = ended(instructions="x" * (2 << 20))
    endless = ResponseStream()
    endless.feed(b"data: " + b"x" * (MAX_EVENT - 100))

    assert fed(ResponseStream(), began() + large) == (began() + large, "whole")
    with pytest.raises(UpstreamBroken):
        endless.feed(b"x" * 200)


def test_texts_of_every_kind_are_counted_and_sound_is_not() -> None:
    stream = ResponseStream()
    stream.feed(began() + delta("ab") + delta("é😀", kind="refusal"))
    stream.feed(delta('{"a"', kind="function_call_arguments") + delta("x y", kind="reasoning_text"))
    stream.feed(event("response.audio.delta", 4, delta="AAAA") + event("response.odd.delta"))

    assert stream.text_chars == 2 + 2 + 4 + 3


def test_a_delta_without_a_number_is_one_all_the_same() -> None:
    stream = ResponseStream()
    data = b"event: response.output_text.delta\ndata: "
    data += b'{"type":"response.output_text.delta","delta":"abc"}\n\n'

    assert stream.feed(data) == data
    assert (stream.text_chars, stream.sequence) == (3, -1)


def test_event_ids_are_noticed() -> None:
    stream = ResponseStream()
    stream.feed(b"id: 1\n" + began())

    assert stream.saw_id


@pytest.mark.parametrize("message", ["The stream was cut.", 'say "x"\n', "\ud83d"])
def test_our_error_event_is_both_of_openais(message: str) -> None:
    data = error_event(UpstreamTruncated(message), 12).split(b"data: ")[1]
    said = json.loads(data)

    assert (said["type"], said["message"], said["sequence_number"]) == ("error", message, 12)
    assert said["error"]["message"] == message
    assert said["code"] == said["error"]["code"] == "upstream_truncated"
