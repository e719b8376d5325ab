"""What only our own client promises: its pool, and replies that are ready when handed over."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from gateway.errors import UpstreamTimeout, UpstreamUnreachable
from gateway.ports import Deadlines, Reply
from gateway.upstream.client import DirectUpstream
from gateway.upstream.pool import Limits
from tests.upstream.far_end import (
    PATIENCE,
    WHOLE,
    Visit,
    a_deployment,
    a_request,
    fetched,
    says,
    says_once,
    serving,
    turned,
)


def at_once(work: Coroutine[Any, Any, bytes]) -> bytes:
    """The result of something that must not wait."""
    try:
        work.send(None)
    except StopIteration as done:
        result: bytes = done.value
        return result
    work.close()
    message = "it waited"
    raise AssertionError(message)


async def test_a_reply_that_is_not_streamed_is_read_without_waiting() -> None:
    upstream = DirectUpstream()
    async with serving(says(WHOLE)) as far:
        first = await upstream.send(a_request(far))
        second = await upstream.send(a_request(far))
        await upstream.close()

    assert at_once(first.read(5)) == b"whole"
    assert at_once(second.chunk()) == b"whole"
    assert at_once(second.chunk()) == b""


async def test_a_config_that_changed_is_followed() -> None:
    upstream = DirectUpstream()
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        while True:
            asked.append(await visit.request())
            await visit.say(WHOLE)

    async with serving(script) as far:
        await fetched(upstream, a_request(far))
        base_url = f"http://127.0.0.1:{far.port}/v2"
        await fetched(upstream, a_request(a_deployment(base_url, key="sk-new")))
        await upstream.close()

        assert b"POST /v2/" in asked[1]
        assert b"Bearer sk-new\r\n" in asked[1]
        assert len(far.visits) == 1


async def test_at_the_cap_calls_wait_their_turn() -> None:
    upstream = DirectUpstream(limits=Limits(connections=2))
    order: list[bytes] = []

    async def script(visit: Visit) -> None:
        while True:
            order.append((await visit.request())[-1:])
            await turned()
            await visit.say(WHOLE)

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        async with asyncio.TaskGroup() as group:
            for n in range(9):
                group.create_task(fetched(upstream, a_request(far, body=b"%d" % n)))
        await upstream.close()

        assert len(far.visits) == 2
        assert [n for n in order if n > b"1"] == [b"%d" % n for n in range(2, 9)]


async def test_at_the_cap_a_connection_that_closes_makes_room() -> None:
    upstream = DirectUpstream(limits=Limits(connections=1))
    async with serving(says_once(WHOLE)) as far, asyncio.timeout(PATIENCE):
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(fetched(upstream, a_request(far))) for _ in range(3)]
        await upstream.close()

        assert [call.result() for call in calls] == [b"whole"] * 3


async def test_at_the_cap_what_follows_a_reply_is_not_handed_on() -> None:
    upstream = DirectUpstream(limits=Limits(connections=1))

    async def script(visit: Visit) -> None:
        await visit.answer(WHOLE + b"HTTP/1.1 200 OK\r\n")
        await visit.gone()

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(fetched(upstream, a_request(far))) for _ in range(3)]
        await upstream.close()

        assert [call.result() for call in calls] == [b"whole"] * 3
        assert len(far.visits) == 3


async def says_nothing(visit: Visit) -> None:
    await visit.request()
    await visit.gone()


async def held(
    upstream: DirectUpstream, visits: list[Visit], call: Coroutine[Any, Any, Reply]
) -> asyncio.Task[Reply]:
    """A call that holds the only connection."""
    task = asyncio.get_running_loop().create_task(call)
    while not visits:
        await turned()
    return task


async def test_waiting_for_a_connection_ends_with_the_connect_deadline() -> None:
    upstream = DirectUpstream(limits=Limits(connections=1))
    async with serving(says_nothing) as far, asyncio.timeout(PATIENCE):
        holder = await held(upstream, far.visits, upstream.send(a_request(far)))

        with pytest.raises(UpstreamTimeout, match="connect deadline"):
            await upstream.send(a_request(far, deadlines=Deadlines(connect=0.03)))

        holder.cancel()
        await asyncio.wait({holder})
        await upstream.close()


async def test_too_many_do_not_wait() -> None:
    upstream = DirectUpstream(limits=Limits(connections=1, waiting=0))
    async with serving(says_nothing) as far, asyncio.timeout(PATIENCE):
        holder = await held(upstream, far.visits, upstream.send(a_request(far)))

        with pytest.raises(UpstreamUnreachable, match="too many"):
            await upstream.send(a_request(far))

        holder.cancel()
        await asyncio.wait({holder})
        await upstream.close()


@pytest.mark.parametrize("turns", range(8))
async def test_whoever_is_cancelled_in_the_queue_hands_on_what_it_was_given(turns: int) -> None:
    upstream = DirectUpstream(limits=Limits(connections=1))
    answer = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.request()
        await answer.wait()
        await visit.say(WHOLE)
        while True:
            await visit.answer(WHOLE)

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        holder = await held(upstream, far.visits, upstream.send(a_request(far)))
        async with asyncio.TaskGroup() as group:
            queued = [group.create_task(fetched(upstream, a_request(far))) for _ in range(4)]
            await turned()
            answer.set()
            for _ in range(turns):
                await turned()
            for call in queued[:3]:
                call.cancel()

        await holder
        assert queued[3].result() == b"whole"
        assert await fetched(upstream, a_request(far)) == b"whole"
        await upstream.close()


@pytest.mark.parametrize("turns", range(12))
async def test_cancelling_at_any_moment_leaks_no_connection(turns: int) -> None:
    upstream = DirectUpstream(limits=Limits(connections=1))
    async with serving(says(WHOLE)) as far, asyncio.timeout(PATIENCE):
        calls = [
            asyncio.get_running_loop().create_task(fetched(upstream, a_request(far)))
            for _ in range(3)
        ]
        for _ in range(turns):
            await turned()
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)

        assert await fetched(upstream, a_request(far)) == b"whole"
        await upstream.close()


async def test_a_connection_that_idles_too_long_is_closed() -> None:
    upstream = DirectUpstream(limits=Limits(keep_alive=0.05))

    async def script(visit: Visit) -> None:
        await visit.answer(WHOLE)
        await visit.gone()

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        await fetched(upstream, a_request(far))
        first = far.visits[0]
        await first.left.wait()

        assert await fetched(upstream, a_request(far)) == b"whole"
        await upstream.close()


async def test_the_connection_used_last_is_used_next() -> None:
    upstream = DirectUpstream(limits=Limits(keep_alive=0.1))
    served: list[Visit] = []
    both = asyncio.Barrier(2)

    async def script(visit: Visit) -> None:
        await visit.request()
        await both.wait()
        await visit.say(WHOLE)
        while True:
            await visit.request()
            served.append(visit)
            await visit.say(WHOLE)

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(fetched(upstream, a_request(far)))
        for _ in range(5):
            await fetched(upstream, a_request(far))
        await upstream.close()

    assert len(set(map(id, served))) == 1


async def test_a_fresh_connection_at_the_cap_takes_the_place_of_an_idle_one() -> None:
    upstream = DirectUpstream(limits=Limits(connections=2))
    both = asyncio.Barrier(2)

    async def script(visit: Visit) -> None:
        if len(far.visits) <= 2:
            await both.wait()
            await visit.answer(WHOLE)
            await visit.request()
            visit.reset()
        else:
            await visit.answer(WHOLE)

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(fetched(upstream, a_request(far)))

        assert await fetched(upstream, a_request(far)) == b"whole"
        await upstream.close()


async def test_a_client_that_was_never_used_closes() -> None:
    await DirectUpstream().close()
