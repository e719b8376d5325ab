from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from gateway.call import Usage
from gateway.errors import UpstreamTruncated
from gateway.wire.chat import ChatStream
from tests.wire.chatting import ERROR, FIRST, HELLO, STOP, plain
from tests.wire.streams import (
    BODIES,
    DONE,
    HEAD,
    USAGE,
    chunk,
    fed,
    frame,
    mutated,
    seen,
    unasked,
    usual,
    word,
)


def test_a_whole_stream_passes_as_it_came() -> None:
    stream = plain()
    usage = frame({**HEAD, "choices": [], "usage": USAGE})
    data = FIRST + HELLO + frame(word(" world")) + STOP + usage + DONE

    assert fed(stream, data) == (data, "whole")
    assert (stream.started, stream.finished, stream.done) == (True, True, True)
    assert stream.usage == Usage(9, 3)
    assert stream.model == "gpt-4.1-nano-2025-04-14"
    assert stream.text_chars == len("hello world")
    assert stream.error is None
    assert not stream.saw_id


@settings(deadline=None, max_examples=300)
@given(BODIES, st.booleans(), st.lists(st.integers(0, 2000), max_size=12))
def test_any_split_of_the_bytes_passes_the_same(data: bytes, strip: bool, cuts: list[int]) -> None:
    once, pieces, drip = (ChatStream(strip_usage=strip) for _ in range(3))

    at_once = fed(once, data)

    assert fed(pieces, data, *cuts) == at_once
    assert fed(drip, data, *range(len(data))) == at_once
    assert seen(once) == seen(pieces) == seen(drip)


@settings(deadline=None, max_examples=500)
@given(BODIES, st.booleans(), st.lists(st.integers(0, 2000), max_size=3))
@example(HELLO * 2 + HELLO.replace(b"hello", b'\\"usage\\":null') + STOP + DONE, True, [])
@example(HELLO * 2 + HELLO.replace(b"hello", b"\xff") + STOP + DONE, True, [])
@example(HELLO * 2 + HELLO.replace(b"hello", b"\\ud83d") * 2 + STOP + DONE, True, [])
@example(HELLO + HELLO.replace(b'"}', b'"}}'), False, [])
def test_recognising_frames_tells_the_same_as_parsing_them(
    data: bytes, strip: bool, cuts: list[int]
) -> None:
    recognising, parsing = ChatStream(strip_usage=strip), ChatStream(strip_usage=strip)
    parsing._lessons = 0

    assert fed(recognising, data, *cuts) == fed(parsing, data, *cuts)
    assert seen(recognising) == seen(parsing)


@settings(deadline=None, max_examples=200)
@given(usual(), st.lists(mutated(), min_size=1, max_size=3))
def test_a_frame_that_is_nearly_like_another_is_told_apart(
    first: dict[str, Any], others: list[bytes]
) -> None:
    data = frame(first) * 2 + b"".join(others)
    recognising, parsing = ChatStream(strip_usage=True), ChatStream(strip_usage=True)
    parsing._lessons = 0

    assert fed(recognising, data) == fed(parsing, data)
    assert seen(recognising) == seen(parsing)


@settings(deadline=None, max_examples=200)
@given(st.lists(usual(), min_size=1), st.lists(st.integers(0, 2000), max_size=3))
def test_a_client_that_did_not_ask_gets_what_it_would_have_got(
    documents: list[dict[str, Any]], cuts: list[int]
) -> None:
    ends = [chunk({}, "stop", index=i, usage=None) for i in (0, 1)]
    documents = [*documents, *ends]
    usage = frame({**HEAD, "choices": [], "usage": USAGE})
    asked = b"".join(map(frame, documents)) + usage + DONE
    stream = ChatStream(strip_usage=True)

    passed, ending = fed(stream, asked, *cuts)

    assert passed == b"".join(frame(unasked(d)) for d in documents) + DONE
    assert ending == "whole"
    assert stream.usage == Usage(9, 3)


@pytest.mark.parametrize("comments", [b"", b": ping\n\n", b"\xef\xbb\xbf: ping\n\n:\n\n\n"])
def test_comments_before_the_first_chunk_neither_pass_nor_start_it(comments: bytes) -> None:
    stream = plain()

    assert stream.feed(comments) == b""
    assert not stream.started
    assert stream.feed(FIRST) == comments[len(comments.rstrip(b"\n")) + 2 :] + FIRST
    assert stream.feed(b": ping\n\n") == b": ping\n\n"


def test_an_error_in_place_of_the_first_chunk_is_held_back() -> None:
    stream = plain()

    assert stream.feed(b": ping\n\n" + ERROR + HELLO) == b""
    assert not stream.started
    assert stream.error is not None
    assert stream.error["message"] == "boom"
    assert stream.feed(HELLO) == b""
    with pytest.raises(UpstreamTruncated, match="before its first event"):
        stream.end()


def test_an_error_after_the_first_chunk_passes_and_needs_no_second_one() -> None:
    stream = plain()

    assert fed(stream, FIRST + HELLO + ERROR + DONE) == (FIRST + HELLO + ERROR + DONE, "whole")
    assert stream.error is not None
    assert not stream.finished
    assert stream.done


def test_an_error_that_is_only_a_word_is_an_error() -> None:
    stream = plain()
    stream.feed(FIRST + b'data: {"error":"overloaded"}\n\n')

    assert stream.error == {"message": "overloaded"}


def test_a_chunk_whose_error_is_null_is_a_chunk() -> None:
    data = frame(word("hi", error=None)) + STOP

    assert fed(plain(), data) == (data, "whole")
