"""The contract of kept replies on a real Redis, and what else may lie under their names."""

import asyncio
from collections.abc import AsyncIterator
from secrets import token_bytes

import pytest

from gateway.clock import SystemClock
from gateway.store.redis import cache as caches, names
from gateway.store.redis.cache import IN_THREAD, RedisCache
from gateway.store.redis.link import Link
from tests.store.contract import *  # noqa: F403 — importing the suite is what runs it
from tests.store.contract import A_WHILE, KEY, OTHER_KEY, Bench, a_reply
from tests.store.redis_server import RedisServer, linked

CLOCK = SystemClock()
NAME = names.reply(KEY)


@pytest.fixture
async def link(redis: RedisServer) -> AsyncIterator[Link]:
    async with linked(redis.url) as link:
        yield link


@pytest.fixture
def cache(link: Link) -> RedisCache:
    return RedisCache(link, CLOCK)


@pytest.fixture
def bench(redis: RedisServer, link: Link, cache: RedisCache) -> Bench:
    async def let_pass(seconds: float) -> None:
        # What was posted is there once this is answered.
        await link.run("PING")
        redis.let_pass(seconds)

    return Bench(cache, let_pass)


@pytest.mark.parametrize(
    "rubbish",
    [
        ("SET", NAME, "rubbish"),
        ("SET", NAME, b"TGR1" + bytes(20)),
        ("SET", NAME, b"x" * (3 << 20)),
        ("LPUSH", NAME, "a", "b"),
        ("HSET", NAME, "a", "b"),
        ("XADD", NAME, "*", "a", "b"),
    ],
)
async def test_what_is_no_reply_is_a_miss_and_is_removed(
    redis: RedisServer, cache: RedisCache, rubbish: tuple[str | bytes, ...]
) -> None:
    redis.ask(*rubbish)

    assert await cache.get(KEY) is None
    assert await cache.get(KEY) is None

    assert redis.ask("EXISTS", NAME) == 0
    assert (cache.figures.corrupt, cache.figures.misses) == (1, 1)


async def test_what_may_not_be_read_is_a_miss_and_stays(redis: RedisServer) -> None:
    redis.ask("ACL", "SETUSER", "blind", "on", "nopass", "~*", "+@all", "-getrange")
    redis.ask("SET", NAME, "rubbish")
    async with linked(f"unix://blind:any@{redis.path}") as link:
        cache = RedisCache(link, CLOCK)

        assert await cache.get(KEY) is None

        assert cache.figures.unavailable == 1
        assert link.figures().errors == {"auth": 1}
        assert redis.ask("EXISTS", NAME) == 1


async def test_half_a_reply_is_a_miss_and_is_removed(redis: RedisServer, cache: RedisCache) -> None:
    await cache.put(KEY, a_reply(b"{}" * 5000), A_WHILE)
    assert await cache.get(KEY) is not None
    whole = redis.ask("GET", NAME)
    assert isinstance(whole, bytes)
    redis.ask("SET", NAME, whole[: len(whole) // 2])

    assert await cache.get(KEY) is None
    assert await cache.get(KEY) is None
    assert redis.ask("EXISTS", NAME) == 0


async def test_a_value_of_any_size_is_never_read_whole(
    redis: RedisServer, cache: RedisCache
) -> None:
    redis.ask("SETRANGE", NAME, 200 << 20, "end")
    before = sent_by(redis)

    assert await cache.get(KEY) is None

    assert sent_by(redis) - before < 3 << 20
    redis.ask("FLUSHALL")


async def test_a_reply_ends_in_redis_too(redis: RedisServer, cache: RedisCache) -> None:
    await cache.put(KEY, a_reply(), 600)
    await cache.get(KEY)

    lives = redis.ask("PTTL", NAME)

    assert isinstance(lives, int)
    assert 590_000 < lives <= 600_000


async def test_a_reply_with_no_end_is_kept_for_a_year(
    redis: RedisServer, cache: RedisCache
) -> None:
    await cache.put(KEY, a_reply(), float("inf"))

    assert await cache.get(KEY) == a_reply()
    assert redis.ask("TTL", NAME) == 365 * 86_400


async def test_a_reply_too_large_is_not_kept_and_takes_its_predecessor_along(
    link: Link,
) -> None:
    cache = RedisCache(link, CLOCK, max_entry=2000)
    await cache.put(KEY, a_reply(), A_WHILE)
    await cache.put(OTHER_KEY, a_reply(), A_WHILE)

    await cache.put(KEY, a_reply(b"x" * 3000), A_WHILE)

    assert await cache.get(KEY) is None
    assert await cache.get(OTHER_KEY) == a_reply()


async def test_a_large_reply_is_packed_beside_the_loop_and_found_again(cache: RedisCache) -> None:
    noise, text = a_reply(token_bytes(2 * IN_THREAD)), a_reply(b"again " * IN_THREAD)

    await cache.put(KEY, noise, A_WHILE)
    await cache.put(OTHER_KEY, text, A_WHILE)

    assert await cache.get(KEY) == noise
    assert await cache.get(OTHER_KEY) == text


async def test_puts_are_not_waited_for_and_only_so_many_are_under_way(
    redis: RedisServer, cache: RedisCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "MAX_PUTS", 10)
    await cache.get(KEY)

    for number in range(25):
        await cache.put(bytes([number]) * 32, a_reply(), A_WHILE)

    assert redis.ask("DBSIZE") == 0
    assert cache.figures.dropped == 15
    assert await cache.get(bytes([9]) * 32) == a_reply()
    assert redis.ask("DBSIZE") == 10
    assert (cache._in_flight, cache._bytes) == (0, 0)
    await cache.put(KEY, a_reply(), A_WHILE)
    assert await cache.get(KEY) == a_reply()


async def test_gets_of_one_tick_are_one_round_trip(link: Link, cache: RedisCache) -> None:
    await cache.put(KEY, a_reply(), A_WHILE)
    before = link.figures()

    found = await asyncio.gather(*(cache.get(KEY) for _ in range(40)))

    assert found == [a_reply()] * 40
    assert link.figures().round_trips - before.round_trips == 1


async def test_a_put_that_is_cancelled_leaves_nothing_under_way(cache: RedisCache) -> None:
    await cache.get(KEY)
    async with asyncio.TaskGroup() as group:
        putting = group.create_task(cache.put(KEY, a_reply(token_bytes(IN_THREAD)), A_WHILE))
        await CLOCK.sleep(0)
        putting.cancel()

    assert putting.cancelled()
    assert (cache._in_flight, cache._bytes) == (0, 0)


def sent_by(redis: RedisServer) -> int:
    info = redis.ask("INFO", "stats")
    assert isinstance(info, bytes)
    return int(info.split(b"total_net_output_bytes:")[1].split()[0])
