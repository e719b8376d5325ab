"""How a streamed chat reply ends, breaks, and what is counted of it."""

import json
from typing import Any

import pytest

from gateway.errors import UpstreamBroken, UpstreamTruncated
from gateway.wire.sse import MAX_FRAME
from tests.wire.chatting import FIRST, HELLO, STOP, plain
from tests.wire.streams import (
    DONE,
    HEAD,
    chunk,
    fed,
    frame,
    word,
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b": ping\n\n",
        DONE,
        b"<html>\n\n<body>sorry</body>\n\n",
        b'{"error":{"message":"boom"}}',
        b"event: ping\n\n",
    ],
)
def test_a_body_without_a_chunk_is_no_reply(data: bytes) -> None:
    passed, ending = fed(plain(), data)

    assert passed == b""
    assert ending.startswith("UpstreamTruncated")


@pytest.mark.parametrize(
    "data",
    [
        FIRST,
        FIRST + HELLO,
        FIRST + HELLO + STOP[:-1],
        FIRST + HELLO + STOP + HELLO[:-1],
        FIRST + HELLO + STOP + b": pi",
        FIRST + STOP + frame(chunk({"content": "x"}, index=1)),
        FIRST + frame(chunk({}, "")),
        frame({**HEAD, "choices": []}),
    ],
)
def test_a_stream_that_ends_early_is_told_from_a_whole_one(data: bytes) -> None:
    _, ending = fed(plain(), data)

    assert ending.startswith("UpstreamTruncated")


def test_done_does_not_pass_when_the_reply_is_not_finished() -> None:
    stream = plain()

    assert stream.feed(FIRST + HELLO + DONE) == FIRST + HELLO
    assert not stream.done
    with pytest.raises(UpstreamTruncated):
        stream.feed(b"")
    with pytest.raises(UpstreamTruncated):
        stream.end()


@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n", b"data: [DONE]", b"data: [DONE]\n"])
def test_a_finished_stream_needs_no_done_and_none_is_made_up(tail: bytes) -> None:
    assert fed(plain(), FIRST + STOP + tail) == (FIRST + STOP, "whole")


@pytest.mark.parametrize(
    "done", [b"data: [DONE]\n\n", b"data:[DONE]\r\n\r\n", b"data: [DONE] \n\n"]
)
def test_nothing_passes_after_done(done: bytes) -> None:
    stream = plain()

    assert stream.feed(FIRST + STOP + done + HELLO + b"rubbish") == FIRST + STOP + done
    assert stream.feed(b"data: rubbish\n\n" + b"x" * (MAX_FRAME + 9)) == b""
    stream.end()


def test_all_choices_must_finish() -> None:
    stream = plain()
    for index in (0, 1):
        stream.feed(frame(chunk({"content": "x"}, index=index)))

    stream.feed(frame(chunk({}, "stop", 1)))
    assert not stream.finished
    stream.feed(frame(chunk({"content": "y"}, index=0)))
    stream.feed(frame(chunk({}, "length", 0)))
    assert stream.finished


@pytest.mark.parametrize(
    "bad",
    [
        b"data: nonsense\n\n",
        b"data: \n\n",
        b"data: [1]\n\n",
        b'data: "text"\n\n',
        b"data: {}\n\n",
        b'data: {"choices":{}}\n\n',
        b'data: {"choices":null}\n\n',
        b'data: {"choices":[1]}\n\n',
        b'data: {"choices":[{"index":null}]}\n\n',
        b'data: {"choices":[{"index":[]}]}\n\n',
        b'data: {"choices":[],"x":NaN}\n\n',
        b'data: {"choices":[],"x":"\xff"}\n\n',
        b'data: {"choices":[]\ndata: ,"x":"a\ndata: b"}\n\n',
        b'data: {"object":"error","message":"boom"}\n\n',
    ],
)
def test_what_is_no_chunk_breaks_the_stream_after_what_was_good(bad: bytes) -> None:
    with pytest.raises(UpstreamBroken):
        plain().feed(bad)

    stream = plain()
    assert stream.feed(FIRST + HELLO + HELLO + bad + HELLO) == FIRST + HELLO + HELLO
    assert isinstance(stream.broken, UpstreamBroken)
    for _ in range(2):
        with pytest.raises(UpstreamBroken):
            stream.feed(HELLO)
    with pytest.raises(UpstreamBroken):
        stream.end()


def test_a_frame_too_large_breaks_the_stream_even_if_it_is_like_the_others() -> None:
    stream = plain()
    stream.feed(FIRST + HELLO)

    with pytest.raises(UpstreamBroken):
        stream.feed(frame(word("x" * MAX_FRAME)))


def test_half_an_emoji_passes_in_each_chunk() -> None:
    data = FIRST + frame(word("\ud83d")) + frame(word("\ude00")) + STOP + DONE
    stream = plain()

    assert fed(stream, data) == (data, "whole")
    assert stream.text_chars == 2


def test_an_event_id_forbids_comments() -> None:
    stream = plain()
    stream.feed(FIRST)
    assert not stream.saw_id

    stream.feed(b"id: 7\n" + HELLO)

    assert stream.saw_id


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "12345"},
        {"refusal": "12345"},
        {"reasoning_content": "123", "content": "45"},
        {"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": "12345"}}]},
        {"content": "12345", "tool_calls": [7, {"function": None}, {"function": {}}]},
        {"content": "12345", "tool_calls": "none"},
    ],
)
def test_text_of_every_kind_is_counted(delta: dict[str, Any]) -> None:
    stream = plain()
    for _ in range(3):
        stream.feed(frame(chunk(delta)))

    assert stream.text_chars == 15


def test_a_choice_without_index_or_delta_is_the_first_one() -> None:
    stream = plain()
    data = frame({"choices": [{"finish_reason": "stop"}]})

    assert fed(stream, data) == (data, "whole")
    assert stream.model == ""


def test_the_model_is_the_first_that_is_named() -> None:
    stream = plain()
    stream.feed(frame({"choices": [], "model": ""}))
    stream.feed(frame({"choices": [], "model": "gpt-4.1"}))
    stream.feed(frame({"choices": [], "model": "other"}))

    assert stream.model == "gpt-4.1"


def test_a_stream_whose_frames_are_never_alike_is_soon_only_parsed() -> None:
    stream = plain()
    for created in range(100):
        stream.feed(frame({**word("x"), "created": created}))

    assert stream._template is None
    assert json.loads(stream.feed(HELLO)[6:])["choices"][0]["delta"] == {"content": "hello"}
