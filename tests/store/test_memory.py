from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings, strategies as st

from gateway.ports import Kept
from gateway.store.memory import ENTRY_OVERHEAD, MemoryCache, Stats
from tests.store.contract import *  # noqa: F403 — importing the suite is what runs it
from tests.store.contract import A_WHILE, Bench, a_reply

T = TypeVar("T")


@dataclass(slots=True)
class HandClock:
    seconds: float = 0.0

    def now(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return 1_790_000_000.0 + self.seconds


@pytest.fixture
def bench() -> Bench:
    clock = HandClock()

    async def let_pass(seconds: float) -> None:
        clock.seconds += seconds

    return Bench(MemoryCache(clock, max_bytes=1 << 20, max_entry=1 << 16), let_pass)


def at_once(work: Awaitable[T]) -> T:
    """The result of work that never waits; it fails if it does."""
    assert isinstance(work, Coroutine)
    with pytest.raises(StopIteration) as stopped:
        work.send(None)
    result: T = stopped.value.value
    return result


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def weight(reply: Kept) -> int:
    return reply.size + 32 + ENTRY_OVERHEAD


def a_cache(*, entries: int, clock: HandClock | None = None) -> MemoryCache:
    """A cache with room for that many usual replies."""
    room = entries * weight(a_reply())
    return MemoryCache(clock or HandClock(), max_bytes=room, max_entry=room)


def held(cache: MemoryCache, numbers: range) -> list[int]:
    return [number for number in numbers if key(number) in cache._entries]


def test_what_comes_out_is_the_object_that_went_in() -> None:
    cache, reply = a_cache(entries=1), a_reply()

    at_once(cache.put(key(1), reply, A_WHILE))

    assert at_once(cache.get(key(1))) is reply


def test_the_least_recently_used_reply_makes_room() -> None:
    cache = a_cache(entries=3)
    for number in (1, 2, 3):
        at_once(cache.put(key(number), a_reply(), A_WHILE))

    at_once(cache.get(key(1)))
    at_once(cache.put(key(4), a_reply(), A_WHILE))
    at_once(cache.put(key(3), a_reply(), A_WHILE))
    at_once(cache.put(key(5), a_reply(), A_WHILE))

    assert held(cache, range(6)) == [3, 4, 5]
    assert cache.stats() == Stats(bytes=3 * weight(a_reply()), entries=3, evictions=2)


def test_a_reply_too_large_is_not_kept_and_takes_its_predecessor_along() -> None:
    cache = MemoryCache(HandClock(), max_bytes=1 << 20, max_entry=weight(a_reply()))
    at_once(cache.put(key(1), a_reply(), A_WHILE))
    at_once(cache.put(key(2), a_reply(), A_WHILE))

    at_once(cache.put(key(1), a_reply(b"x" * 1000), A_WHILE))

    assert held(cache, range(3)) == [2]
    assert cache.stats().bytes == weight(a_reply())


def test_an_entry_can_never_be_larger_than_the_cache() -> None:
    cache = MemoryCache(HandClock(), max_bytes=weight(a_reply()) - 1, max_entry=1 << 30)

    at_once(cache.put(key(1), a_reply(), A_WHILE))

    assert cache.stats() == Stats(bytes=0, entries=0, evictions=0)


def test_the_dead_are_met_and_removed_two_at_each_put() -> None:
    clock = HandClock()
    cache = a_cache(entries=100, clock=clock)
    for number in range(5):
        at_once(cache.put(key(number), a_reply(), 1.0))
    clock.seconds = 1.0

    entries = []
    for number in range(10, 14):
        at_once(cache.put(key(number), a_reply(), A_WHILE))
        entries.append(cache.stats().entries)

    assert entries == [4, 3, 3, 4]
    assert cache.stats().evictions == 0


def test_a_dead_reply_is_removed_when_it_is_asked_for() -> None:
    clock = HandClock()
    cache = a_cache(entries=2, clock=clock)
    at_once(cache.put(key(1), a_reply(), 1.0))
    clock.seconds = 1.0

    assert at_once(cache.get(key(1))) is None
    assert cache.stats() == Stats(bytes=0, entries=0, evictions=0)


def test_a_cleared_cache_is_as_new() -> None:
    cache = a_cache(entries=2)
    at_once(cache.put(key(1), a_reply(), A_WHILE))

    cache.clear()

    assert at_once(cache.get(key(1))) is None
    assert cache.stats() == Stats(bytes=0, entries=0, evictions=0)


steps = st.lists(
    st.tuples(
        st.sampled_from(["get", "put", "wait"]),
        st.integers(0, 6),
        st.integers(0, 4000),
        st.floats(-1, 20),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(steps, st.integers(0, 12_000), st.integers(0, 6000))
def test_whatever_happens_the_bound_holds_and_what_is_found_is_the_last_put(
    taken: list[tuple[str, int, int, float]], max_bytes: int, max_entry: int
) -> None:
    clock = HandClock()
    cache = MemoryCache(clock, max_bytes=max_bytes, max_entry=max_entry)
    last: dict[int, tuple[Any, float]] = {}

    for action, number, size, seconds in taken:
        if action == "wait":
            clock.seconds += abs(seconds)
        elif action == "put":
            reply = a_reply(b"x" * size)
            at_once(cache.put(key(number), reply, seconds))
            last[number] = (reply, clock.seconds + seconds)
            lives = clock.seconds < clock.seconds + seconds
            kept = lives and weight(reply) <= min(max_bytes, max_entry)
            assert (at_once(cache.get(key(number))) is reply) == kept
        else:
            found = at_once(cache.get(key(number)))
            reply, dies = last.get(number, (None, 0.0))
            assert found is None or (found is reply and clock.seconds < dies)
        stats = cache.stats()
        assert stats.bytes <= max_bytes
        assert stats.bytes == sum(weight(entry[0]) for entry in cache._entries.values())
        assert stats.entries == len(cache._entries)
