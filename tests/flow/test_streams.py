"""Streams that end otherwise than they should, and what is done with the upstream's connection."""

import asyncio

import pytest

from gateway.call import Usage
from gateway.errors import UpstreamBroken, UpstreamTimeout, UpstreamTruncated
from gateway.flow.sources import before_done
from tests.flow.conftest import MakeWorld
from tests.flow.replies import (
    CLOSING,
    DONE,
    ERROR_FRAME,
    OPENING,
    STREAMED,
    frame,
    in_turn,
    stream,
    usage_frame,
)
from tests.flow.scenes import HARD, Client


@pytest.mark.parametrize(
    "tail",
    [(), (b": going on\n\n",), (frame("ris."),), (DONE,), (usage_frame(),)],
    ids=["nothing", "a comment", "an open end", "an early [DONE]", "usage"],
)
async def test_a_stream_that_just_ends_is_an_error_and_never_an_end(
    world: MakeWorld, tail: tuple[bytes, ...]
) -> None:
    place = world(in_turn(stream(OPENING, *tail)))

    client = await place.ask(stream=True)

    assert isinstance(client.error, UpstreamTruncated)
    assert client.body.startswith(OPENING)
    assert b"[DONE]" not in client.body
    ended = place.ended(client)
    assert (ended.outcome, ended.status) == ("upstream_truncated", 200)
    assert place.outcomes() == ["upstream_truncated"]


@pytest.mark.parametrize(
    "error", [UpstreamTruncated("lost"), UpstreamTimeout("silent"), UpstreamBroken("framing")]
)
async def test_a_stream_that_is_lost_says_so(
    world: MakeWorld, error: UpstreamTruncated | UpstreamTimeout | UpstreamBroken
) -> None:
    place = world(in_turn(stream(OPENING, error)))

    client = await place.ask(stream=True)

    assert (client.body, client.error) == (OPENING, error)
    assert (place.outcomes(), place.ended(client).outcome) == ([error.kind], error.kind)


@pytest.mark.parametrize("tail", [b"data: {oops\n\n", b'data: {"object":"list"}\n\n', DONE])
async def test_an_upstream_that_sends_nonsense_is_let_go(world: MakeWorld, tail: bytes) -> None:
    place = world(in_turn(stream(OPENING, tail, asyncio.Event().wait)))

    client = await place.ask(stream=True)

    assert client.error is not None
    assert client.body == OPENING
    assert place.upstream.replies[0].aborted


@pytest.mark.parametrize("tail", [b"data: {oops\n\n", DONE])
async def test_what_came_before_the_nonsense_passes_and_nothing_more_is_waited_for(
    world: MakeWorld, tail: bytes
) -> None:
    middle = frame("ri")
    place = world(in_turn(stream(OPENING, middle + tail, asyncio.Event().wait)))

    client = await place.ask(stream=True)

    assert client.body == OPENING + middle
    assert isinstance(client.error, UpstreamBroken | UpstreamTruncated)
    assert place.upstream.replies[0].aborted


async def test_half_a_stream_is_paid_by_what_was_seen(world: MakeWorld) -> None:
    long = frame("x" * 10_000)
    place = world(in_turn(stream(OPENING, long, UpstreamTruncated("cut"))), thinks=HARD)

    ended = place.ended(await place.ask(stream=True))

    assert ended.usage == Usage(100, 10_000 // 4, estimated=True)
    assert ended.cost == 100 * 2000 + ended.usage.completion * 8000


async def test_an_error_event_passes_and_is_booked_as_the_upstreams(world: MakeWorld) -> None:
    place = world(in_turn(stream(OPENING, ERROR_FRAME, DONE)))

    client = await place.ask(stream=True)

    assert (client.body, client.error) == (OPENING + ERROR_FRAME + DONE, None)
    assert place.ended(client).outcome == "upstream_error"
    assert place.outcomes() == ["upstream_error"]


async def test_a_caller_that_left_at_an_error_event_left(world: MakeWorld) -> None:
    place = world(in_turn(stream(OPENING, ERROR_FRAME, asyncio.Event().wait)))
    client = Client(place.flow, place.call(stream=True))

    answer = await client.open()
    assert await answer.rest() == ERROR_FRAME
    answer.close(left=True)

    assert place.ended(client).outcome == "caller_left"


async def test_a_caller_that_left_after_an_error_had_the_error(world: MakeWorld) -> None:
    cut = UpstreamTruncated("cut")
    place = world(in_turn(stream(OPENING, cut)))
    client = Client(place.flow, place.call(stream=True))

    answer = await client.open()
    with pytest.raises(UpstreamTruncated):
        await answer.rest()
    answer.close(left=True)

    assert place.ended(client).outcome == "upstream_truncated"


async def test_behind_the_end_mark_nothing_passes(world: MakeWorld) -> None:
    place = world(in_turn(stream(OPENING, CLOSING + DONE + frame("more"), frame("and more"))))

    client = await place.ask(stream=True)

    assert client.body == STREAMED
    assert place.outcomes() == ["ok"]


async def test_a_stream_in_one_piece_is_a_stream(world: MakeWorld) -> None:
    place = world(in_turn(stream(STREAMED)))

    client = await place.ask(stream=True)

    assert client.pieces == [STREAMED]


async def test_a_stream_in_single_bytes_is_the_same_stream(world: MakeWorld) -> None:
    sent = OPENING + CLOSING + usage_frame() + DONE
    place = world(in_turn(stream(*(sent[n : n + 1] for n in range(len(sent))))))

    client = await place.ask(stream=True)

    assert client.body == STREAMED
    assert place.ended(client).usage.prompt == 100


async def test_what_comes_before_the_first_chunk_is_not_the_clients(world: MakeWorld) -> None:
    place = world(in_turn(stream(b": hello\n\n", b": again\n\n", OPENING, CLOSING, DONE)))

    client = await place.ask(stream=True)

    assert client.body == STREAMED


async def test_a_client_that_leaves_closes_its_upstream_before_anything_else(
    world: MakeWorld,
) -> None:
    place = world(in_turn(stream(OPENING, asyncio.Event().wait)))
    client = Client(place.flow, place.call(stream=True, temperature=1))

    answer = await client.open()
    assert place.flow.in_flight == 1
    answer.close(left=True)

    assert place.upstream.replies[0].aborted
    assert place.flow.in_flight == 0
    assert place.ended(client).cache == "bypass"


async def test_after_the_end_mark_the_connection_is_given_time_to_end_by_itself(
    world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[float] = []
    loop = asyncio.get_running_loop()
    later = loop.call_later

    def call_later(delay: float, *args: object) -> asyncio.TimerHandle:
        timers.append(delay)
        return later(0, *args)  # type: ignore[arg-type]  # whatever call_later takes

    monkeypatch.setattr(loop, "call_later", call_later)
    place = world(in_turn(stream(OPENING, CLOSING, DONE, asyncio.Event().wait)))

    await place.ask(stream=True)
    (reply,) = place.upstream.replies
    before = reply.aborted
    await asyncio.wait([loop.create_task(place.clock.sleep(0))])
    await asyncio.wait([loop.create_task(place.clock.sleep(0))])

    assert (before, reply.aborted, timers[:1]) == (False, True, [0.25])


def test_a_frame_goes_before_the_end_mark_however_it_is_written() -> None:
    assert before_done(b"a\n\ndata: [DONE]\n\n", b"F\n\n") == b"a\n\nF\n\ndata: [DONE]\n\n"
    assert before_done(b"data:[DONE]\n\n", b"F\n\n") == b"F\n\ndata:[DONE]\n\n"
    assert before_done(b"a\n\n", b"F\n\n") == b"a\n\nF\n\n"
