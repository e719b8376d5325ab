"""Two real nodes of a cluster: where keys live, what moves, what dies."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager

import pytest
from hiredis import ReplyError

from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.store.redis.cache import RedisCache
from gateway.store.redis.cluster import slot_of
from gateway.store.redis.link import Link, Script
from tests.processes import free_port
from tests.store.contract import A_WHILE, a_reply
from tests.store.redis_server import (
    NO_HURRY,
    RedisServer,
    comes_back,
    linked,
    redis_server,
    until,
)

CLOCK = SystemClock()
HALF = 8192
LOW, HIGH = "b", "a"
"""Keys of the lower and of the upper half of the slots."""

Nodes = tuple[RedisServer, RedisServer]


@pytest.fixture(scope="module")
def grown() -> Iterator[Nodes]:
    with a_node() as low, a_node() as high:
        low.ask("CLUSTER", "ADDSLOTSRANGE", 0, HALF - 1)
        high.ask("CLUSTER", "ADDSLOTSRANGE", HALF, 2 * HALF - 1)
        low.ask("CLUSTER", "SET-CONFIG-EPOCH", 1)
        high.ask("CLUSTER", "SET-CONFIG-EPOCH", 2)
        low.ask("CLUSTER", "MEET", "127.0.0.1", high.port, high.options["cluster-port"])
        until(lambda: all(agrees(node) for node in (low, high)))
        yield low, high


@pytest.fixture
def nodes(grown: Nodes) -> Nodes:
    for node in grown:
        node.ask("FLUSHALL")
    return grown


@pytest.fixture
async def link(nodes: Nodes) -> AsyncIterator[Link]:
    """A link that knows the cluster by its first node."""
    async with a_link(nodes[0]) as link:
        yield link


def a_node() -> AbstractContextManager[RedisServer]:
    return redis_server(
        port=None,
        cluster_enabled="yes",
        cluster_port=str(free_port()),
        cluster_require_full_coverage="no",
    )


def agrees(node: RedisServer) -> bool:
    slots = node.ask("CLUSTER", "SLOTS")
    info = node.ask("CLUSTER", "INFO")
    assert isinstance(info, bytes)
    return isinstance(slots, list) and len(slots) == 2 and b"cluster_state:ok" in info


def a_link(
    *nodes: RedisServer, budget: float = NO_HURRY, tend: bool = False
) -> AbstractAsyncContextManager[Link]:
    where = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    return linked(f"redis+cluster://{where}", budget, tend=tend)


def id_of(node: RedisServer) -> bytes:
    found = node.ask("CLUSTER", "MYID")
    assert isinstance(found, bytes)
    return found


async def test_every_key_is_asked_of_its_own_node(nodes: Nodes) -> None:
    low, high = nodes
    async with a_link(low) as link:
        await asyncio.gather(*(link.run("SET", f"k{n}", n) for n in range(100)))

        assert [await link.run("GET", f"k{n}") for n in range(100)] == [
            b"%d" % n for n in range(100)
        ]
        assert low.ask("DBSIZE") != 0
        assert high.ask("DBSIZE") != 0
        assert link.figures().errors == {}


@pytest.mark.parametrize("key", [b"a", "{user}.one", "{}x", "x{", "{a}{b}", b"\xff\x00", "", 12])
def test_slots_are_those_of_redis(nodes: Nodes, key: bytes | str | int) -> None:
    assert slot_of(key) == nodes[0].ask("CLUSTER", "KEYSLOT", key)


async def test_scripts_run_where_their_keys_are(nodes: Nodes) -> None:
    async with a_link(nodes[0]) as link:
        script = Script("return redis.call('INCR', KEYS[1])")

        assert [await link.script(script, [key]) for key in (LOW, HIGH, LOW, HIGH)] == [1, 1, 2, 2]


async def test_a_slot_that_moved_is_followed(nodes: Nodes, link: Link) -> None:
    low, high = nodes
    slot = slot_of(LOW)
    await link.run("PING")
    for node in (high, low):
        node.ask("CLUSTER", "SETSLOT", slot, "NODE", id_of(high))

    try:
        assert await link.run("SET", LOW, "moved") == b"OK"
        assert await link.run("GET", LOW) == b"moved"
    finally:
        high.ask("DEL", LOW)
        for node in (low, high):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", id_of(low))
    assert high.calls("set") >= 1
    assert await link.run("GET", LOW) is None


async def test_a_slot_on_its_way_is_asked_for_where_it_goes(nodes: Nodes, link: Link) -> None:
    low, high = nodes
    slot = slot_of(LOW)
    await link.run("PING")
    high.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", id_of(low))
    low.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", id_of(high))

    try:
        assert await link.run("SET", LOW, "on its way") == b"OK"
        assert await link.run("GET", LOW) == b"on its way"
        assert low.ask("DBSIZE") == 0
        assert high.ask("DBSIZE") == 1
    finally:
        high.ask("FLUSHALL")
        for node in (low, high):
            node.ask("CLUSTER", "SETSLOT", slot, "STABLE")


async def test_a_node_that_is_frozen_takes_only_its_own_keys_along(nodes: Nodes) -> None:
    low, high = nodes
    async with a_link(low, high, budget=0.2, tend=True) as link:
        high.freeze()
        try:
            with pytest.raises(StoreUnavailable):
                await link.run("SET", HIGH, 1)
            assert await link.run("SET", LOW, 1) == b"OK"
            assert link.usable()
        finally:
            high.thaw()
        assert await comes_back(lambda: link.run("SET", HIGH, 1)) < 2.0


async def test_replies_are_kept_all_over_a_cluster(nodes: Nodes, link: Link) -> None:
    cache, keys = RedisCache(link, CLOCK), [bytes([number]) * 32 for number in range(20)]

    for key in keys:
        await cache.put(key, a_reply(key), A_WHILE)

    assert [await cache.get(key) for key in keys] == [a_reply(key) for key in keys]
    assert 0 not in [node.ask("DBSIZE") for node in nodes]


async def test_a_cluster_that_nobody_answers_for_is_unavailable() -> None:
    async with linked(f"redis+cluster://127.0.0.1:{free_port()}") as link:
        with pytest.raises(StoreUnavailable):
            await link.run("GET", "a")
        assert link.post("SET", "a", 1) is None


async def test_one_server_is_no_cluster_and_a_cluster_no_single_server(
    redis: RedisServer, nodes: Nodes
) -> None:
    async with linked(f"redis://127.0.0.1:{nodes[0].port}") as alone:
        with pytest.raises(StoreUnavailable, match="MOVED"):
            await alone.run("GET", HIGH)
    assert isinstance(redis.ask("CLUSTER", "SLOTS"), ReplyError)
