"""Clients that hang up: whatever was done for them stops at once."""

import asyncio
import gc
from collections.abc import Awaitable, Callable

import pytest

from gateway.ports import Request
from tests.fakes import FakeReply
from tests.flow.replies import CLOSING, DONE, OPENING, STREAMED, body, stream, whole
from tests.http.edge import Edge, asking, edge, get, post, streaming
from tests.http.wires import Wire

# It takes a millisecond; how long it took is for the benchmark to say, not for a test.
SOON = 1.0


class Patient:
    """An upstream that would answer for ever, and notices when nobody waits."""

    def __init__(self, before: bytes | None = None) -> None:
        self.before = before
        self.reached = asyncio.Event()
        self.stopped = asyncio.Event()

    async def hold(self) -> FakeReply:
        self.reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.set()
        raise AssertionError

    def __call__(self, request: Request) -> FakeReply | Awaitable[FakeReply]:
        if self.before is None:
            return self.hold()
        return (stream if request.stream else whole)(self.before, self.hold)


async def left(e: Edge, upstream: Patient, wire: Wire, how: Callable[[Wire], object]) -> None:
    how(wire)
    await asyncio.wait_for(upstream.stopped.wait(), SOON)
    (call,) = await e.recorder.after(1)
    assert call.outcome == "caller_left"
    await e.until(lambda: not e.server.server_state.tasks)


CUTS = [Wire.hang_up, lambda wire: wire.writer.close()]


@pytest.mark.parametrize("how", CUTS, ids=["reset", "close"])
@pytest.mark.parametrize("ask", [post(), streaming()], ids=["whole", "stream"])
async def test_leaving_while_the_head_is_waited_for_stops_the_upstream(
    ask: bytes, how: Callable[[Wire], object]
) -> None:
    upstream = Patient()
    async with edge(upstream) as e:
        wire = (await e.dial()).send(ask)
        await upstream.reached.wait()

        await left(e, upstream, wire, how)


@pytest.mark.parametrize("how", CUTS, ids=["reset", "close"])
async def test_leaving_in_the_middle_of_a_whole_reply_stops_the_upstream(
    how: Callable[[Wire], object],
) -> None:
    upstream = Patient(b'{"choi')
    async with edge(upstream) as e:
        wire = (await e.dial()).send(post())
        await upstream.reached.wait()

        await left(e, upstream, wire, how)


@pytest.mark.parametrize("how", CUTS, ids=["reset", "close"])
async def test_leaving_in_the_middle_of_a_stream_stops_the_upstream(
    how: Callable[[Wire], object],
) -> None:
    upstream = Patient(OPENING)
    async with edge(upstream) as e:
        wire = (await e.dial()).send(streaming())
        await wire.head()
        await upstream.reached.wait()

        await left(e, upstream, wire, how)


async def test_leaving_with_a_second_call_in_the_pipeline_stops_both() -> None:
    upstream = Patient(OPENING)
    async with edge(upstream) as e:
        wire = (await e.dial()).send(streaming() + post())
        await upstream.reached.wait()
        # While it waits with the second call in hand, the gateway does not read.
        e.connections()[0].transport.abort()
        await left(e, upstream, wire, lambda _: None)

        assert len(e.requests) == 1


@pytest.mark.parametrize("how", CUTS, ids=["reset", "close"])
async def test_leaving_with_half_a_call_behind_a_stream_is_no_error(
    how: Callable[[Wire], object],
) -> None:
    upstream = Patient(OPENING)
    async with edge(upstream) as e:
        wire = (await e.dial()).send(streaming() + post()[:30])
        await upstream.reached.wait()
        await left(e, upstream, wire, how)
        # What a task ended with and nobody heard is complained of when the task is freed.
        gc.collect()


async def test_leaving_before_the_request_is_whole_starts_nothing() -> None:
    async with edge() as e:
        wire = (await e.dial()).send(post()[:-1])
        await e.until(lambda: any(one.cycle for one in e.connections()))
        wire.hang_up()
        await e.until(lambda: not e.connections())

        assert e.requests == []
        assert e.recorder.calls == []


async def test_leaving_while_a_page_is_made_is_no_error() -> None:
    reached, go = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(_accept: str) -> bytes:
        loop.call_soon_threadsafe(reached.set)
        asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
        return b"late"

    async with edge(render=slow) as e:
        wire = (await e.dial()).send(get("/metrics") + post())
        await reached.wait()
        e.connections()[0].transport.abort()
        await e.until(lambda: not e.connections())
        go.set()
        await e.until(lambda: not e.server.server_state.tasks)

        assert e.requests == []
        assert await wire.is_over()


async def test_a_leader_that_leaves_early_does_not_take_its_followers_along() -> None:
    reached, go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        reached.set()
        await go.wait()

    def answering(request: Request) -> FakeReply:
        if request.stream:
            return stream(hold, OPENING, CLOSING + DONE)
        return whole(hold, body())

    for ask, expected in ((post(), body()), (streaming(), STREAMED)):
        reached.clear()
        go.clear()
        async with edge(answering) as e:
            leader, follower = (await e.dial()).send(ask), await e.dial()
            await reached.wait()
            follower.send(ask)
            await e.until(lambda e=e: e.flow.in_flight == 2)  # type: ignore[misc]  # bound in the loop
            leader.hang_up()
            await e.until(lambda e=e: len(e.connections()) == 1)  # type: ignore[misc]  # the same
            go.set()
            said = await follower.reply()
            outcomes = sorted(call.outcome for call in await e.recorder.after(2))

            assert len(e.requests) == 1
        assert said.body == expected
        assert outcomes == ["caller_left", "ok"]


async def test_followers_that_leave_do_not_stop_the_leader() -> None:
    reached, go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        reached.set()
        await go.wait()

    async with edge(lambda _: whole(hold, body())) as e:
        leader, follower = (await e.dial()).send(post()), await e.dial()
        await reached.wait()
        follower.send(post())
        await e.until(lambda: e.flow.in_flight == 2)
        follower.hang_up()
        await e.recorder.after(1)
        go.set()

        assert (await leader.reply()).body == body()


async def test_a_connection_that_ends_between_calls_ends_its_task() -> None:
    async with edge() as e:
        wire = await e.dial()
        for _ in range(3):
            await wire.ask(post(asking(temperature=1)))
        wire.hang_up()
        await e.until(lambda: not e.connections())

        assert len(e.requests) == 3


async def test_a_hundred_clients_that_leave_leave_nothing_behind() -> None:
    stopped = 0

    async def hold() -> FakeReply:
        nonlocal stopped
        try:
            await asyncio.Event().wait()
        finally:
            stopped += 1
        raise AssertionError

    async with edge(lambda _: hold()) as e:
        wires = [(await e.dial()).send(post(asking(temperature=1))) for _ in range(100)]
        await e.until(lambda: len(e.requests) == 100)
        for wire in wires:
            wire.hang_up()
        await e.recorder.after(100)

        assert e.flow.in_flight == 0
    assert stopped == 100
