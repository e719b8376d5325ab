"""One fetch for all replicas, on a real Redis."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from gateway.clock import SystemClock
from gateway.ports import Lead
from gateway.store.layered import LayeredCache
from gateway.store.memory import MemoryCache
from gateway.store.redis import names
from gateway.store.redis.cache import RedisCache
from gateway.store.redis.flights import LEASE, RedisFlights
from gateway.store.redis.link import Link
from tests.fakes import FakeClock
from tests.store.contract import A_WHILE, KEY, OTHER_KEY, a_reply
from tests.store.redis_server import RedisServer, linked, redis_server


@dataclass
class Replica:
    """A gateway's own link, cache and clock; `pauses` are those it took while waiting."""

    link: Link
    clock: FakeClock = field(default_factory=FakeClock)
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        near = MemoryCache(self.clock, max_bytes=1 << 20, max_entry=1 << 16)
        self.far = RedisCache(self.link, self.clock)
        self.cache = LayeredCache(near, self.far, self.clock)
        self.flights = RedisFlights(self.far, self.cache, self.clock, self.pause)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.at += seconds
        await SystemClock().sleep(0)


@pytest.fixture
async def one(redis: RedisServer) -> AsyncIterator[Replica]:
    async with linked(redis.url) as link:
        await link.reach()
        yield Replica(link)


@pytest.fixture
async def other(redis: RedisServer) -> AsyncIterator[Replica]:
    async with linked(redis.url) as link:
        await link.reach()
        yield Replica(link)


async def leads(replica: Replica, key: bytes = KEY) -> Lead:
    lead = await replica.flights.look(key)
    assert isinstance(lead, Lead)
    return lead


async def test_who_comes_first_leads_and_the_others_get_what_was_kept(
    one: Replica, other: Replica
) -> None:
    lead = await leads(one)
    assert (await leads(other, OTHER_KEY)).mark

    async with asyncio.TaskGroup() as group:
        assert (await leads(other)).follows
        waiting = [group.create_task(other.flights.wait(KEY)) for _ in range(3)]
        await one.cache.put(KEY, a_reply(), A_WHILE)
        one.flights.landed(lead)

    assert [task.result() for task in waiting] == [a_reply()] * 3


async def test_who_comes_late_gets_the_reply_and_leads_nobody(one: Replica, other: Replica) -> None:
    for number in range(50):
        key = bytes([number]) * 32
        lead = await leads(one, key)
        await one.cache.put(key, a_reply(), A_WHILE)
        one.flights.landed(lead)

        assert await other.flights.look(key) == a_reply()
        assert await other.flights.look(key) == a_reply()


async def test_a_lead_and_its_reply_take_two_commands(redis: RedisServer, one: Replica) -> None:
    await leads(one)
    before = redis.calls("set"), one.link.figures().commands

    lead = await leads(one, OTHER_KEY)
    await one.cache.put(OTHER_KEY, a_reply(), A_WHILE)
    one.flights.landed(lead)
    await one.link.run("PING")

    assert one.link.figures().commands - before[1] == 3
    assert redis.calls("set") - before[0] == 2


@pytest.mark.parametrize("rubbish", [("SET", "rubbish"), ("LPUSH", "a")])
async def test_what_is_no_reply_is_fetched_by_who_found_it(
    one: Replica, other: Replica, rubbish: tuple[str, str]
) -> None:
    await one.link.run(rubbish[0], names.reply(KEY), rubbish[1])

    lead = await leads(one)

    assert lead.mark
    assert (await leads(other)).follows
    assert one.far.figures.corrupt == 1
    one.flights.landed(lead)
    await one.link.run("PING")
    assert (await leads(other)).mark


async def test_a_mark_is_no_reply_to_whoever_does_not_wait(one: Replica, other: Replica) -> None:
    await leads(one)

    assert await other.cache.get(KEY) is None

    assert (await leads(other)).follows
    assert (other.far.figures.misses, other.far.figures.corrupt) == (2, 0)


async def test_a_reply_that_is_refused_leaves_nobody_waiting(
    redis: RedisServer, one: Replica, other: Replica
) -> None:
    lead = await leads(one)
    redis.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        await one.cache.put(KEY, a_reply(), A_WHILE)
        one.flights.landed(lead)
        await one.link.run("PING")
        await one.link.run("PING")
    finally:
        redis.ask("CONFIG", "SET", "maxmemory", "0")

    assert (await leads(other)).mark


async def test_a_leader_that_keeps_nothing_lets_the_others_go_at_once(
    one: Replica, other: Replica
) -> None:
    lead = await leads(one)

    one.flights.landed(lead)
    await one.link.run("PING")

    assert (await leads(other)).mark
    assert other.pauses == []


async def test_a_leader_that_died_is_waited_for_no_longer_than_its_lease(
    redis: RedisServer, one: Replica, other: Replica
) -> None:
    await leads(one)

    assert (await leads(other)).follows
    assert await other.flights.wait(KEY) is None

    assert sum(other.pauses) == pytest.approx(LEASE)
    assert len(other.pauses) < 60
    redis.let_pass(LEASE)
    assert (await leads(other)).mark


async def test_a_caller_that_leaves_while_it_asks_leaves_no_mark(
    redis: RedisServer, one: Replica
) -> None:
    await leads(one, OTHER_KEY)
    asking = asyncio.get_running_loop().create_task(one.flights.look(KEY))
    await SystemClock().sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await one.link.run("PING")

    assert redis.calls("set") == 2
    assert redis.ask("EXISTS", names.reply(KEY)) == 0


async def test_a_leader_that_took_too_long_leaves_the_next_ones_mark_alone(
    redis: RedisServer, one: Replica, other: Replica
) -> None:
    lead = await leads(one)
    redis.let_pass(LEASE)
    await leads(other)

    one.flights.landed(lead)
    await one.link.run("PING")

    assert (await leads(one)).follows


async def test_without_redis_everybody_leads_and_nobody_waits() -> None:
    with redis_server() as server:
        async with linked(server.url, 0.05, tend=True) as link:
            replica = Replica(link)
            server.freeze()

            led = await asyncio.gather(*(leads(replica) for _ in range(5)))
            led.append(await leads(replica))

            assert not any(lead.mark or lead.follows for lead in led)
            assert await replica.flights.wait(KEY) is None
            assert replica.pauses == []
            for lead in led:
                replica.flights.landed(lead)


async def test_a_store_that_dies_while_somebody_waits_lets_him_go() -> None:
    with redis_server() as server:
        async with linked(server.url, 0.05) as link, linked(server.url) as first:
            await first.reach()
            await leads(Replica(first))
            replica = Replica(link)

            async def dies(_: float) -> None:
                server.kill()

            replica.flights._pause = dies
            await replica.link.reach()

            assert (await leads(replica)).follows
            assert await replica.flights.wait(KEY) is None


async def test_a_full_store_has_replies_and_no_leader(one: Replica, redis: RedisServer) -> None:
    await one.far.put(OTHER_KEY, a_reply(), A_WHILE)
    await one.link.run("PING")
    redis.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        assert await one.flights.look(OTHER_KEY) == a_reply()
        assert not (await leads(one)).mark
    finally:
        redis.ask("CONFIG", "SET", "maxmemory", "0")
