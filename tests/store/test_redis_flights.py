"""One fetch for all replicas, on a real Redis."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, strategies as st

from gateway.clock import SystemClock
from gateway.ports import Lead
from gateway.store.layered import LayeredCache
from gateway.store.memory import MemoryCache
from gateway.store.redis import names
from gateway.store.redis.cache import RedisCache
from gateway.store.redis.cluster import slot_of
from gateway.store.redis.flights import LEASE, MARGIN, RedisFlights
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
        self.cache = LayeredCache(near, RedisCache(self.link, self.clock), self.clock)
        self.flights = RedisFlights(self.link, self.cache, self.clock, self.pause)

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
    assert (await leads(other, OTHER_KEY)).backed

    async with asyncio.TaskGroup() as group:
        assert (await leads(other)).follows
        waiting = [group.create_task(other.flights.wait(KEY)) for _ in range(3)]
        await one.cache.put(KEY, a_reply(), A_WHILE)
        one.flights.landed(lead)

    assert [task.result() for task in waiting] == [a_reply()] * 3


async def test_who_comes_late_gets_the_reply_and_leads_nobody(
    redis: RedisServer, one: Replica, other: Replica
) -> None:
    for number in range(50):
        key = bytes([number]) * 32
        lead = await leads(one, key)
        await one.cache.put(key, a_reply(), A_WHILE)
        one.flights.landed(lead)

        assert await other.flights.look(key) == a_reply()
        assert await other.flights.look(key) == a_reply()
    await other.link.run("PING")
    assert redis.ask("KEYS", "tg1:flight:*") == []


async def test_what_is_no_reply_is_fetched_by_who_found_it(one: Replica) -> None:
    await one.link.run("SET", names.reply(KEY), "rubbish")

    assert (await leads(one)).backed


@given(st.binary(min_size=32, max_size=32))
def test_in_a_cluster_a_lease_lives_beside_its_reply(key: bytes) -> None:
    assert slot_of(names.flight(key)) == slot_of(names.reply(key))


async def test_a_leader_that_keeps_nothing_lets_the_others_go_at_once(
    one: Replica, other: Replica
) -> None:
    lead = await leads(one)

    one.flights.landed(lead)
    await one.link.run("PING")

    assert (await leads(other)).backed
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
    assert (await leads(other)).backed


async def test_a_caller_that_leaves_while_it_asks_leaves_no_lease(
    redis: RedisServer, one: Replica
) -> None:
    asking = asyncio.get_running_loop().create_task(one.flights.look(KEY))
    await SystemClock().sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    # Its lease is given back by the answer to the command that took it.
    await one.link.run("PING")
    await one.link.run("PING")

    assert redis.calls("set") == 1
    assert redis.ask("EXISTS", names.flight(KEY)) == 0


async def test_a_leader_that_took_too_long_leaves_the_lease_alone(
    redis: RedisServer, one: Replica, other: Replica
) -> None:
    lead = await leads(one)
    redis.let_pass(LEASE)
    await leads(other)

    one.clock.at += LEASE - MARGIN
    one.flights.landed(lead)
    await one.link.run("PING")

    assert redis.ask("EXISTS", names.flight(KEY)) == 1


async def test_without_redis_everybody_leads_and_nobody_waits() -> None:
    with redis_server() as server:
        async with linked(server.url, 0.05, tend=True) as link:
            replica = Replica(link)
            server.freeze()

            led = await asyncio.gather(*(leads(replica) for _ in range(5)))
            led.append(await leads(replica))

            assert not any(lead.backed or lead.follows for lead in led)
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


async def test_a_store_that_takes_no_writes_has_no_leader(one: Replica, redis: RedisServer) -> None:
    await one.link.reach()
    redis.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        assert not (await leads(one)).backed
    finally:
        redis.ask("CONFIG", "SET", "maxmemory", "0")
