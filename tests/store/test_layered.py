"""Two layers of kept replies: what is near is not asked for far, and nothing is kept too long."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from gateway.clock import SystemClock
from gateway.ports import Kept
from gateway.store.layered import NEAR_SECONDS, LayeredCache
from gateway.store.memory import MemoryCache
from gateway.store.redis import names
from gateway.store.redis.cache import RedisCache
from gateway.store.redis.codec import Entry
from tests.fakes import FakeClock
from tests.store.contract import *  # noqa: F403 — importing the suite is what runs it
from tests.store.contract import A_WHILE, KEY, Bench, a_reply
from tests.store.redis_server import RedisServer, linked


@dataclass
class FakeFar:
    """The shared store in memory; counts what it was asked."""

    clock: FakeClock
    entries: dict[bytes, Entry] = field(default_factory=dict)
    asked: int = 0

    async def find(self, key: bytes) -> Entry | None:
        self.asked += 1
        entry = self.entries.get(key)
        return entry if entry is not None and self.clock.wall() < entry.ends else None

    async def put(self, key: bytes, kept: Kept, ttl: float) -> None:
        if ttl > 0:
            self.entries[key] = Entry(kept, self.clock.wall() + ttl)


class Layers:
    """Both layers, and the clock that both believe."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.far = FakeFar(self.clock)
        self.cache = self.replica()

    def replica(self) -> LayeredCache:
        near = MemoryCache(self.clock, max_bytes=1 << 20, max_entry=1 << 18)
        return LayeredCache(near, self.far, self.clock)


@pytest.fixture
def layers() -> Layers:
    return Layers()


@pytest.fixture
def bench(layers: Layers) -> Bench:
    return Bench(layers.cache, layers.clock.sleep)


async def test_what_was_put_here_is_not_asked_for_far(layers: Layers) -> None:
    await layers.cache.put(KEY, a_reply(), A_WHILE)

    assert await layers.cache.get(KEY) == a_reply()

    assert layers.far.asked == 0
    assert layers.cache.near_hits == 1


async def test_what_another_replica_put_is_asked_for_far_once(layers: Layers) -> None:
    await layers.replica().put(KEY, a_reply(), A_WHILE)

    assert [await layers.cache.get(KEY) for _ in range(3)] == [a_reply()] * 3

    assert layers.far.asked == 1
    assert layers.cache.near_hits == 2


async def test_a_reply_removed_far_is_gone_within_a_minute(layers: Layers) -> None:
    await layers.cache.put(KEY, a_reply(), 10 * NEAR_SECONDS)
    layers.far.entries.clear()

    await layers.clock.sleep(NEAR_SECONDS - 1)
    assert await layers.cache.get(KEY) == a_reply()
    await layers.clock.sleep(1)
    assert await layers.cache.get(KEY) is None


async def test_near_a_reply_never_lives_longer_than_far(layers: Layers) -> None:
    await layers.replica().put(KEY, a_reply(), 20)
    await layers.clock.sleep(15)
    assert await layers.cache.get(KEY) == a_reply()

    await layers.clock.sleep(5)

    assert await layers.cache.get(KEY) is None


async def test_a_reply_that_has_ended_by_our_clock_is_served_once_and_not_kept(
    layers: Layers,
) -> None:
    class Ahead(FakeFar):
        async def find(self, key: bytes) -> Entry | None:
            return self.entries.get(key)

    far = Ahead(layers.clock, {KEY: Entry(a_reply(), layers.clock.wall() - 1)})
    near = MemoryCache(layers.clock, max_bytes=1 << 20, max_entry=1 << 16)
    cache = LayeredCache(near, far, layers.clock)

    assert await cache.get(KEY) == a_reply()
    assert near.stats().entries == 0


@pytest.fixture
async def shared(redis: RedisServer) -> AsyncIterator[RedisCache]:
    async with linked(redis.url) as link:
        yield RedisCache(link, SystemClock())


async def test_before_redis_a_hit_needs_no_round_trip(
    redis: RedisServer, shared: RedisCache
) -> None:
    clock = SystemClock()
    ours, theirs = [
        LayeredCache(MemoryCache(clock, max_bytes=1 << 20, max_entry=1 << 16), shared, clock)
        for _ in range(2)
    ]
    await theirs.put(KEY, a_reply(), A_WHILE)

    found = [await ours.get(KEY)]
    redis.ask("DEL", names.reply(KEY))
    found += await asyncio.gather(*(ours.get(KEY) for _ in range(10)))

    assert found == [a_reply()] * 11
    assert redis.calls("getrange") == 1
