"""A stream reaches the client byte for byte, but for the usage that only the gateway asked for."""

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings, strategies as st

from tests.fidelity.streamed import BROKEN, STOP, Stream, end, streams, word
from tests.fidelity.world import JSON, Said, World, chunked, events, whole

STREAMS = streams()
ASKED = b'{"model":"gpt-4.1-mini","stream":true,"stream_options":{"include_usage":true}}'
UNASKED = b'{"model":"gpt-4.1-mini","stream":true}'
SHORT = STREAMS["short"]
DONE = b"data: [DONE]\n\n"


def split(body: bytes, *cuts: int) -> Said:
    bounds = sorted({0, len(body), *cuts})
    return events(*(body[low:high] for low, high in pairwise(bounds)))


def errors(body: bytes) -> list[dict[str, Any]]:
    """The errors in a body of error events."""
    frames = body.removesuffix(b"\n\n").split(b"\n\n")
    return [orjson.loads(frame.removeprefix(b"data: "))["error"] for frame in frames]


def test_the_corpus_is_large() -> None:
    assert len({stream.marked for stream in STREAMS.values()}) > 130


@pytest.mark.parametrize("name", STREAMS)
def test_a_client_that_asked_for_usage_gets_every_byte(world: World, name: str) -> None:
    body = STREAMS[name].asked()

    got = world.post(ASKED, events(body))

    assert (got.status, got.body, got.torn) == (200, body, False)


@pytest.mark.parametrize("name", STREAMS)
def test_a_client_that_did_not_ask_gets_every_byte_but_the_usage(world: World, name: str) -> None:
    stream = STREAMS[name]

    got = world.post(UNASKED, events(stream.asked()))

    assert (got.status, got.body, got.torn) == (200, stream.unasked(), False)


@pytest.mark.parametrize("name", [name for name in STREAMS if len(STREAMS[name].marked) < 4000])
def test_a_stream_in_small_pieces_is_the_same_stream(world: World, name: str) -> None:
    stream = STREAMS[name]
    body = stream.asked()

    got = world.post(UNASKED, split(body, *range(0, len(body), 7)))

    assert (got.status, got.body) == (200, stream.unasked())


@pytest.mark.parametrize(("call", "whole"), [(ASKED, True), (UNASKED, False)])
def test_a_short_stream_may_be_cut_at_any_byte(world: World, call: bytes, whole: bool) -> None:
    body = SHORT.asked()
    expected = body if whole else SHORT.unasked()

    for cut in range(1, len(body)):
        assert world.post(call, split(body, cut)).body == expected, cut


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, len(SHORT.asked())), max_size=12), asks=st.booleans())
def test_how_a_stream_is_cut_does_not_show(world: World, cuts: list[int], asks: bool) -> None:
    body = SHORT.asked()

    got = world.post(ASKED if asks else UNASKED, split(body, *cuts))

    assert got.body == (body if asks else SHORT.unasked())


@pytest.mark.parametrize("call", [ASKED, UNASKED])
@pytest.mark.parametrize("name", BROKEN)
def test_a_stream_that_ends_badly_passes_up_to_there_and_says_so(
    world: World, name: str, call: bytes
) -> None:
    body, passes = (text.encode() for text in BROKEN[name])

    got = world.post(call, events(body))

    assert (got.status, got.torn) == (200, False)
    assert got.body.startswith(passes)
    (error,) = errors(got.body.removeprefix(passes))
    assert error["type"] == "upstream_error"
    assert set(error) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("after", [1, 50, 150])
def test_a_connection_that_is_cut_is_an_error_in_the_stream(world: World, after: int) -> None:
    body = (word('"a"') + word('"b"')).encode()
    head, *_ = events().pieces
    chunk = b"%x\r\n%b\r\n" % (len(body), body)
    torn = b"%x\r\n%b" % (1000, body[:after])

    got = world.post(UNASKED, Said((head, chunk, torn), cut=True))

    assert (got.status, got.torn) == (200, False)
    assert got.body.startswith(body)
    (error,) = errors(got.body.removeprefix(body))
    assert error["code"] == "upstream_truncated"


@pytest.mark.parametrize(
    "body", [b"", b": only a comment\n\n", b'data: {"error":{"message":"no"}}\n\n', b"<html>", DONE]
)
def test_a_stream_that_never_begins_is_an_error_reply(world: World, body: bytes) -> None:
    got = world.post(UNASKED, events(body))

    assert got.status == 502
    assert got.field("content-type") == "application/json"
    assert got.body.startswith(b'{"error":')


def test_an_error_reply_to_a_stream_is_no_stream(world: World) -> None:
    got = world.post(UNASKED, whole(b'{"error":{"x":1.0}}', 400))

    assert (got.status, got.body) == (400, b'{"error":{"x":1.0}}')
    assert got.field("content-length") == "19"


@pytest.mark.parametrize("rest", [b"data: [DONE]", b"data:[DONE]\n", b"\n", b"\r\n"])
def test_a_line_left_open_at_the_end_is_no_event_and_goes_no_further(
    world: World, rest: bytes
) -> None:
    body = (word('"a"') + end()).encode()

    got = world.post(UNASKED, events(body + rest))

    assert (got.status, got.body) == (200, body)


def test_what_comes_behind_the_end_is_dropped(world: World) -> None:
    body = (word('"a"') + STOP).encode()
    stream = Stream(body)

    got = world.post(UNASKED, events(stream.asked() + b": late\n\n" + word('"b"').encode()))

    assert got.body == stream.unasked()


def test_a_streams_fields_pass_and_ours_keep_proxies_from_holding_it(world: World) -> None:
    said = chunked(
        (STREAMS["short"].asked(),),
        fields=(
            ("content-type", "text/event-stream"),
            ("x-request-id", "req_1"),
            ("openai-processing-ms", "5"),
            ("cache-control", "private"),
            ("set-cookie", "a=b"),
        ),
    )

    got = world.post(UNASKED, said)

    assert got.field("content-type") == "text/event-stream"
    assert (got.field("x-request-id"), got.field("openai-processing-ms")) == ("req_1", "5")
    assert [v for n, v in got.fields if n == "cache-control"] == ["no-cache"]
    assert got.field("x-accel-buffering") == "no"
    assert got.field("set-cookie") is None


@pytest.mark.parametrize("name", ["short", "all texts", "member: forty digits"])
def test_a_kept_stream_is_the_same_stream(world: World, name: str) -> None:
    stream = STREAMS[name]
    call = b'{"model":"auto","stream":true,"x":"%b"}' % name.encode()
    kept = (*JSON, ("x-gateway-cache", "force"))
    first = world.post(call, split(stream.asked(), 50, 100), kept)

    again = world.post(call, events(), kept)

    assert (first.field("x-gateway-cache"), again.field("x-gateway-cache")) == ("miss", "hit")
    assert first.body == again.body == stream.unasked()
    assert again.field("content-type") == first.field("content-type")
    assert world.heard == []


def test_an_explained_stream_has_one_chunk_more_and_nothing_else_changed(world: World) -> None:
    stream = STREAMS["short"]

    got = world.post(UNASKED, events(stream.asked()), (*JSON, ("x-gateway-explain", "1")))

    head, _, rest = stream.unasked().partition(b"data: [DONE]")
    assert got.body.startswith(head)
    assert got.body.endswith(b"\n\ndata: [DONE]" + rest)
    extra = got.body[len(head) :].partition(b"data: [DONE]")[0]
    assert orjson.loads(extra.removeprefix(b"data: "))["gateway"]["tier"] == "mini"
