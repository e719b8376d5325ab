"""Identical calls of other replicas, as the flow sees them."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.call import CacheWish, Wishes
from gateway.errors import UpstreamUnreachable
from gateway.ports import Kept, Lead
from gateway.store.memory import MemoryCache
from tests.fakes import FakeClock, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import body, error, gated, in_turn, stream, whole
from tests.flow.scenes import settle


@dataclass
class Elsewhere:
    """Another replica: what it fetched, and which leads were taken and given back here."""

    kept: Kept | None = None
    seconds: float = 0.0
    clock: FakeClock = field(default_factory=FakeClock)
    asked: list[bytes] = field(default_factory=list)
    given_back: list[Lead] = field(default_factory=list)

    async def look(self, key: bytes) -> Kept | Lead:
        self.asked.append(key)
        return Lead(key, b"" if self.kept else b"ours", follows=self.kept is not None)

    async def wait(self, key: bytes) -> Kept | None:
        self.clock.at += self.seconds
        return self.kept

    def landed(self, lead: Lead) -> None:
        if lead.mark:
            self.given_back.append(lead)


async def fetched(world: MakeWorld) -> Kept:
    """What another replica would keep of the usual answer."""
    cache = MemoryCache(FakeClock(), max_bytes=1 << 20, max_entry=1 << 20)
    elsewhere = Elsewhere()
    place = world(in_turn(whole()), flights=elsewhere, cache=lambda _: cache)
    await place.ask()
    kept = await cache.get(elsewhere.asked[0])
    assert kept is not None
    return kept


async def test_what_another_replica_fetched_is_not_fetched_again(world: MakeWorld) -> None:
    elsewhere = Elsewhere(await fetched(world), seconds=2.0)
    place = world(in_turn(), flights=elsewhere)
    elsewhere.clock = place.clock
    client = await place.ask()

    ended = place.ended(client)
    assert client.body == body()
    assert place.upstream.requests == []
    assert (ended.cache, ended.reason, ended.cost) == ("shared", "cache", 0)
    assert (ended.overhead, ended.seconds) == (0.0, 2.0)
    assert elsewhere.given_back == []


async def test_who_leads_gives_the_lead_back_when_the_reply_is_kept(world: MakeWorld) -> None:
    elsewhere = Elsewhere()
    place = world(in_turn(whole()), flights=elsewhere)
    client = await place.ask()

    assert place.ended(client).cache == "miss"
    assert [lead.key for lead in elsewhere.given_back] == elsewhere.asked
    assert await place.flow.parts.cache.get(elsewhere.asked[0]) is not None


@pytest.mark.parametrize("reply", [error(400), UpstreamUnreachable("gone")])
async def test_who_fails_gives_the_lead_back(world: MakeWorld, reply: Any) -> None:
    elsewhere = Elsewhere()
    place = world(in_turn(reply), flights=elsewhere, max_attempts=1)
    await place.ask()

    assert len(elsewhere.given_back) == 1


async def test_who_hangs_up_gives_the_lead_back(world: MakeWorld) -> None:
    elsewhere = Elsewhere()
    place = world(in_turn(gated(asyncio.Event(), whole())), flights=elsewhere)
    async with asyncio.TaskGroup() as tasks:
        client = place.client(place.call()).start(tasks)
        await settle()
        client.hang_up()

    assert len(elsewhere.given_back) == 1


async def test_identical_calls_here_are_one_upstream_call(world: MakeWorld) -> None:
    gate, elsewhere = asyncio.Event(), Elsewhere()
    place = world(in_turn(gated(gate, whole())), flights=elsewhere)
    async with asyncio.TaskGroup() as tasks:
        clients = [place.client(place.call()).start(tasks) for _ in range(4)]
        await settle()
        gate.set()

    assert len(place.upstream.requests) == 1
    assert sorted(place.ended(client).cache for client in clients) == ["miss", *["shared"] * 3]


async def test_identical_calls_that_waited_here_get_what_came_from_elsewhere(
    world: MakeWorld,
) -> None:
    gate, kept = asyncio.Event(), await fetched(world)

    class Slow(Elsewhere):
        waits = 0

        async def wait(self, key: bytes) -> Kept | None:
            self.waits += 1
            await gate.wait()
            return self.kept

    slow = Slow(kept)
    place = world(in_turn(), flights=slow)
    async with asyncio.TaskGroup() as tasks:
        clients = [place.client(place.call()).start(tasks) for _ in range(4)]
        await settle()
        gate.set()

    assert place.upstream.requests == []
    assert {client.body for client in clients} == {body()}
    assert [place.ended(client).cache for client in clients] == ["shared"] * 4


@pytest.mark.parametrize(
    "said",
    [
        wishes(deadline=9.0),
        wishes(ttft=1.0),
        Wishes(cache=CacheWish(max_age=60.0)),
        Wishes(cache=CacheWish(write=False)),
        Wishes(cache=CacheWish(read=False)),
    ],
)
async def test_who_is_in_a_hurry_or_keeps_nothing_waits_for_nobody(
    world: MakeWorld, said: Wishes
) -> None:
    elsewhere = Elsewhere()
    place = world(in_turn(whole()), flights=elsewhere)
    await place.ask(said=said)

    assert elsewhere.asked == []


async def test_a_stream_is_fetched_by_each_replica(world: MakeWorld) -> None:
    elsewhere = Elsewhere()
    place = world(in_turn(stream()), flights=elsewhere)
    await place.ask(stream=True)

    assert elsewhere.asked == []
