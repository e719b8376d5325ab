"""What dies, freezes, fills up or turns read-only, on real servers of each test's own."""

import asyncio
import time
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from secrets import token_bytes

import pytest

from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.store.redis.cache import RedisCache
from gateway.store.redis.faults import Refused
from gateway.store.redis.link import Script
from tests.store.contract import A_WHILE, KEY, a_reply
from tests.store.redis_server import RedisServer, comes_back, linked, redis_server

CLOCK = SystemClock()
BUDGET = 0.05
INCREMENT = Script("return redis.call('INCR', KEYS[1])")


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


async def fails(command: Awaitable[object]) -> float:
    """How long a command took to fail."""
    began = CLOCK.now()
    with pytest.raises(StoreUnavailable):
        await command
    return CLOCK.now() - began


async def test_a_frozen_store_costs_the_first_calls_the_budget_and_the_rest_nothing(
    server: RedisServer,
) -> None:
    async with linked(server.url, BUDGET, tend=True) as link:
        server.freeze()

        first = await asyncio.gather(*(fails(link.run("GET", "a")) for _ in range(20)))
        rest = [await fails(link.run("GET", "a")) for _ in range(50)]

        assert min(first) > 0.04
        assert max(first) < 0.25
        assert sum(rest) < 0.05
        assert link.figures().errors["timeout"] == 1
        assert not link.usable()


async def test_a_store_that_is_frozen_before_the_first_call_costs_one_budget(
    server: RedisServer,
) -> None:
    async with linked(server.url, BUDGET) as link:
        server.freeze()

        first = await asyncio.gather(*(fails(link.run("GET", "a")) for _ in range(20)))

        assert max(first) < 0.25
        assert link.figures().errors == {"timeout": 1}
        assert await fails(link.run("GET", "a")) < 0.05


async def test_a_thawed_store_serves_again_and_no_late_reply_reaches_another_command(
    server: RedisServer,
) -> None:
    server.ask("SET", "old", "old")
    server.ask("SET", "new", "new")
    async with linked(server.url, BUDGET, tend=True) as link:
        server.freeze()
        await asyncio.gather(*(fails(link.run("GET", "old")) for _ in range(20)))
        server.thaw()

        took = await comes_back(lambda: link.run("PING"))

        assert took < 2.0
        assert {await link.run("GET", "new") for _ in range(50)} == {b"new"}


async def test_a_killed_store_fails_at_once_and_is_found_again_when_it_is_back(
    server: RedisServer,
) -> None:
    async with linked(server.url, BUDGET, tend=True) as link:
        assert await link.script(INCREMENT, ["n"]) == 1
        server.kill()

        took = [await fails(link.script(INCREMENT, ["n"])) for _ in range(50)]
        server.start()
        back = await comes_back(lambda: link.script(INCREMENT, ["n"]))

        assert max(took) < 0.05
        assert back < 2.0
        # Its data and its scripts are gone; both were made anew.
        assert await link.script(INCREMENT, ["n"]) == 2


async def test_without_anyone_to_tend_it_a_caller_tries_again_after_a_while(
    server: RedisServer,
) -> None:
    async with linked(server.url, BUDGET) as link:
        server.kill()
        for _ in range(5):
            await fails(link.run("PING"))
        assert not link.usable()
        server.start()

        back = await comes_back(lambda: link.run("PING"))

        assert back < 2.0


async def test_a_store_that_becomes_a_replica_takes_no_writes_until_it_is_master_again(
    server: RedisServer,
) -> None:
    async with linked(server.url, BUDGET, tend=True) as link:
        server.ask("REPLICAOF", "127.0.0.1", 1)

        took = [await fails(link.run("SET", "a", 1)) for _ in range(50)]
        assert link.figures().errors["readonly"] >= 3
        assert sum(took) < 0.5

        server.ask("REPLICAOF", "NO", "ONE")
        assert await comes_back(lambda: link.run("SET", "a", 1)) < 2.0


async def test_posts_to_a_replica_open_the_breaker_too(server: RedisServer) -> None:
    async with linked(server.url, BUDGET, tend=True) as link:
        server.ask("REPLICAOF", "127.0.0.1", 1)

        for _ in range(10):
            link.post("SET", "a", 1)
            with suppress(StoreUnavailable):
                await link.run("PING")

        assert link.figures().errors["readonly"] >= 1
        assert not link.usable()


@pytest.fixture
def full() -> Iterator[RedisServer]:
    """A server with no room for more than a few words."""
    with redis_server(maxmemory="1mb", maxmemory_policy="noeviction") as server:
        number = 0
        while server.ask("SET", number, b"x" * 20_000) == b"OK":
            number += 1
        yield server


async def test_a_full_store_is_still_read(full: RedisServer) -> None:
    async with linked(full.url) as link:
        cache = RedisCache(link, CLOCK)
        with pytest.raises(Refused) as refused:
            await link.run("SET", "more", b"x" * 200_000)

        await cache.put(KEY, a_reply(token_bytes(100_000)), A_WHILE)

        assert refused.value.word == "OOM"
        assert await cache.get(KEY) is None
        assert await link.run("GET", 0) == b"x" * 20_000
        assert link.figures().errors == {"full": 2}
        assert link.usable()


async def test_a_script_that_does_not_end_is_not_waited_for(server: RedisServer) -> None:
    server.ask("CONFIG", "SET", "busy-reply-threshold", 1)
    async with linked(server.url, BUDGET, tend=True) as link:
        await fails(link.run("EVAL", "while true do end", 0))

        took = [await fails(link.run("GET", "a")) for _ in range(20)]
        assert sum(took) < 0.05

        server.ask("SCRIPT", "KILL")
        assert await comes_back(lambda: link.run("GET", "a")) < 2.0


async def test_a_server_that_hangs_up_on_idle_lines_costs_nobody_anything(
    server: RedisServer,
) -> None:
    async with linked(server.url) as link:
        await link.run("SET", "a", 1)

        server.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await CLOCK.sleep(0.01)

        assert await link.run("GET", "a") == b"1"


async def test_cached_replies_survive_nothing_but_no_call_fails(server: RedisServer) -> None:
    async with linked(server.url, BUDGET, tend=True) as link:
        cache = RedisCache(link, CLOCK)
        await cache.put(KEY, a_reply(), A_WHILE)
        server.freeze()

        began = CLOCK.now()
        found = [await cache.get(KEY) for _ in range(100)]
        for _ in range(100):
            await cache.put(KEY, a_reply(), A_WHILE)
        took = CLOCK.now() - began

        assert found == [None] * 100
        assert took < 0.3
        assert cache.figures.unavailable == 100
        assert cache.figures.dropped == 100


async def test_a_loop_that_was_held_up_is_not_the_stores_fault(server: RedisServer) -> None:
    async with linked(server.url, BUDGET, tend=True) as link:
        await link.run("PING")

        asked = asyncio.ensure_future(link.run("PING"))  # noqa: TID251 - awaited below
        await CLOCK.sleep(0)
        time.sleep(0.08)  # noqa: ASYNC251 - holding the loop up is what is tested

        assert await asked == b"PONG"
        assert link.figures().errors == {}


async def test_a_server_that_is_still_loading_is_not_used_before_it_is_ready() -> None:
    with redis_server(enable_debug_command="yes", rdbcompression="no") as server:
        server.ask("DEBUG", "POPULATE", 30, "key", 2000)
        server.ask("SAVE")
        server.kill()
        # It reads a key every 10 ms, and looks at its clients in between.
        slowly = {"key-load-delay": "10000", "loading-process-events-interval-bytes": "1024"}
        server.options = {**server.options, **slowly}
        server.start()
        async with linked(server.url, BUDGET) as link:
            assert await fails(link.run("GET", "key:0")) < 0.05
            back = await comes_back(lambda: link.run("GET", "key:0"))

            assert link.figures().errors.keys() == {"loading"}
            assert back < 2.0
