"""The pool's slots, on real sockets: every connection and every slot has one owner."""

import asyncio

import pytest

from gateway.errors import UpstreamUnreachable
from gateway.upstream.connection import Connection
from gateway.upstream.heading import Origin
from gateway.upstream.pool import RESTED, Limits, Pool
from tests.upstream.far_end import PATIENCE, FarEnd, Visit, a_request, serving, turned


async def waits(visit: Visit) -> None:
    await visit.gone()


def a_pool(far: FarEnd, limits: Limits) -> Pool:
    return Pool(Origin(secure=False, host="127.0.0.1", port=far.port), None, limits)


async def connected(pool: Pool, far: FarEnd, *, fresh: bool = False) -> Connection:
    return await pool.connect(a_request(far), pool.loop.time(), fresh=fresh)


async def test_what_is_closing_is_not_taken() -> None:
    async with serving(waits) as far, asyncio.timeout(PATIENCE):
        pool = a_pool(far, Limits())
        connection = await connected(pool, far)
        pool.release(connection)
        connection.drop()

        assert pool.take(pool.loop.time()) is None
        await pool.close()


@pytest.mark.parametrize("rested", [0.0, RESTED * 2])
async def test_what_is_alive_is_taken(rested: float) -> None:
    async with serving(waits) as far, asyncio.timeout(PATIENCE):
        pool = a_pool(far, Limits())
        connection = await connected(pool, far)
        pool.release(connection)

        assert pool.take(pool.loop.time() + rested) is connection
        await pool.close()


async def test_what_idled_too_long_is_not_taken() -> None:
    async with serving(waits) as far, asyncio.timeout(PATIENCE):
        pool = a_pool(far, Limits(keep_alive=50))
        pool.release(await connected(pool, far))

        assert pool.take(pool.loop.time() + 51) is None
        await far.visits[0].left.wait()
        await pool.close()


async def test_each_idle_connection_is_closed_in_its_time() -> None:
    async with serving(waits) as far, asyncio.timeout(PATIENCE):
        pool = a_pool(far, Limits(keep_alive=0.06))
        first, second = await connected(pool, far), await connected(pool, far)
        pool.release(first)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.03)
        pool.release(second)

        await far.visits[0].left.wait()
        assert not second.closing
        await far.visits[1].left.wait()
        await pool.close()


async def test_a_fresh_connection_replaces_an_idle_one_at_the_cap() -> None:
    async with serving(waits) as far, asyncio.timeout(PATIENCE):
        pool = a_pool(far, Limits(connections=1))
        old = await connected(pool, far)
        pool.release(old)

        new = await connected(pool, far, fresh=True)

        assert old.closing
        assert not new.closing
        await pool.close()


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("dies", [False, True])
async def test_what_is_handed_on_is_used_only_if_it_may_be(fresh: bool, dies: bool) -> None:
    async with serving(waits) as far, asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        pool = a_pool(far, Limits(connections=1))
        old = await connected(pool, far)
        waiting = group.create_task(connected(pool, far, fresh=fresh))
        await turned()
        pool.release(old)
        if dies:
            old.drop()

        got = await waiting

        assert (got is old) == (not fresh and not dies)
        assert not got.closing
        await pool.close()


@pytest.mark.parametrize("turns", range(5))
async def test_a_slot_that_was_handed_to_someone_cancelled_is_not_lost(turns: int) -> None:
    async with serving(waits) as far, asyncio.timeout(PATIENCE):
        pool = a_pool(far, Limits(connections=1))
        old = await connected(pool, far)
        waiting = asyncio.get_running_loop().create_task(connected(pool, far))
        await turned()
        old.drop()
        for _ in range(turns):
            await turned()
        waiting.cancel()
        await asyncio.wait({waiting})
        if not waiting.cancelled():
            waiting.result().drop()

        assert not (await connected(pool, far)).closing
        await pool.close()


async def test_a_connection_that_is_reset_at_once_gives_its_slot_back() -> None:
    async def resets(visit: Visit) -> None:
        visit.reset()

    async with serving(resets) as far, asyncio.timeout(PATIENCE):
        pool = a_pool(far, Limits(connections=1))
        for _ in range(5):
            try:
                (await connected(pool, far)).drop()
            except UpstreamUnreachable as error:
                assert "reset" in error.message  # noqa: PT017 it may come a turn later
        await pool.close()


async def test_closing_twice_is_closing() -> None:
    async with serving(waits) as far, asyncio.timeout(PATIENCE):
        pool = a_pool(far, Limits())
        await connected(pool, far)
        await pool.close()
        await pool.close()

        with pytest.raises(UpstreamUnreachable, match="closed"):
            await connected(pool, far)
        await far.visits[0].left.wait()
