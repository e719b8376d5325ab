"""The store as a whole: opening, schema, health."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.store.redis.link import Link
from gateway.store.redis.names import MIGRATING, SCHEMA
from gateway.store.redis.schema import ForeignSchema, prepare
from gateway.store.redis.store import Limits, RedisStore
from tests.store.contract import A_WHILE, KEY, a_reply
from tests.store.redis_server import NO_HURRY, RedisServer, linked, redis_server

CLOCK = SystemClock()


@asynccontextmanager
async def opened(url: str, budget: float = NO_HURRY) -> AsyncIterator[RedisStore]:
    store = RedisStore.open(url, CLOCK, Limits(budget=budget))
    yield store
    await store.close()


@pytest.fixture
async def link(redis: RedisServer) -> AsyncIterator[Link]:
    async with linked(redis.url) as link:
        yield link


async def test_one_url_opens_everything(redis: RedisServer) -> None:
    async with opened(redis.url) as store:
        await store.prepare()
        await store.cache.put(KEY, a_reply(), A_WHILE)
        await store.affinities.put("session", "one", "full", 10)

        assert await store.cache.get(KEY) == a_reply()
        assert await store.affinities.get("session", "one") == "full"
        assert await store.keys.every() == []
        assert redis.ask("GET", SCHEMA) == b"1"


def test_opening_connects_to_nothing_and_refuses_what_makes_no_sense(tmp_path: Path) -> None:
    RedisStore.open(f"unix://{tmp_path}/none.sock", CLOCK)

    with pytest.raises(ValueError, match="Redis URL begins with"):
        RedisStore.open("memcached://secret@h", CLOCK)


async def test_health_tells_what_an_operator_must_know(redis: RedisServer) -> None:
    async with opened(redis.url) as store:
        health = await store.probe()

    assert health.where == f"{redis.url}?db=0"
    assert 0 < health.seconds < NO_HURRY
    assert health.version[0].isdigit()
    assert (health.maxmemory, health.policy) == (0, "noeviction")
    assert health.trouble == ""
    assert health.advice == "appendonly no: a restart forgets keys and what was spent"


@pytest.mark.parametrize(
    ("policy", "advice"),
    [
        ("allkeys-lru", "may evict budgets"),
        ("noeviction", "kept replies can fill it"),
        ("volatile-ttl", ""),
    ],
)
async def test_what_happens_when_memory_runs_out_is_judged(policy: str, advice: str) -> None:
    with redis_server(maxmemory="100mb", maxmemory_policy=policy, appendonly="yes") as server:
        async with opened(server.url) as store:
            health = await store.probe()

    assert health.maxmemory == 100 << 20
    assert health.policy == policy
    assert advice in health.advice
    assert bool(advice) == bool(health.advice)


async def test_a_store_that_cannot_be_used_says_why() -> None:
    with redis_server(password="right") as server:
        async with opened(f"unix://:wrong@{server.path}") as store:
            refused = await store.probe()
        server.kill()
        async with opened(server.url) as store:
            gone = await store.probe()

    assert "password" in refused.trouble
    assert "cannot be reached" in gone.trouble
    assert "wrong" not in repr((refused, gone))


async def test_a_user_who_may_not_ask_for_facts_can_use_the_store_all_the_same() -> None:
    with redis_server(user="gateway on nopass ~tg* +@all -info") as server:
        async with opened(f"unix://gateway:any@{server.path}") as store:
            health = await store.probe()

    assert health.trouble == ""
    assert "NOPERM" in health.advice


async def test_a_newer_schema_is_refused(redis: RedisServer, link: Link) -> None:
    redis.ask("SET", SCHEMA, 2)

    with pytest.raises(ForeignSchema, match="holds schema 2, and this version reads up to 1"):
        await prepare(link)

    assert redis.ask("GET", SCHEMA) == b"2"


@pytest.mark.parametrize("rubbish", ["one", "", "-1", "9" * 20])
async def test_a_version_that_is_none_is_refused(
    redis: RedisServer, link: Link, rubbish: str
) -> None:
    redis.ask("SET", SCHEMA, rubbish)

    with pytest.raises(ForeignSchema, match="something else than a version"):
        await prepare(link)


async def test_a_newer_schema_is_refused_from_the_first_connection_on(redis: RedisServer) -> None:
    redis.ask("SET", SCHEMA, 2)
    async with opened(redis.url) as store:
        with pytest.raises(ForeignSchema, match="does not read"):
            await store.prepare()
        with pytest.raises(StoreUnavailable, match="does not read"):
            await store.keys.every()


@pytest.mark.parametrize("data", ["2", "rubbish", ""])
async def test_a_server_that_comes_back_with_what_is_not_ours_is_not_used(data: str) -> None:
    with redis_server() as server:
        async with opened(server.url) as store:
            await store.prepare()
            server.kill()
            server.start()
            server.ask("SET", SCHEMA, data)
            await store.probe()
            trouble = (await store.probe()).trouble

    assert trouble == "the store holds a schema that this version of the gateway does not read"


async def test_a_server_that_comes_back_empty_is_marked_as_ours() -> None:
    with redis_server() as server:
        async with opened(server.url) as store:
            await store.prepare()
            server.kill()
            server.start()
            await store.probe()
            assert (await store.probe()).trouble == ""

        assert server.ask("GET", SCHEMA) == b"1"


async def rename(link: Link) -> None:
    await link.run("RENAME", "old", "new")


async def count(link: Link) -> None:
    await link.run("INCR", "new")


async def test_an_older_schema_is_migrated_step_by_step_once(
    redis: RedisServer, link: Link
) -> None:
    await prepare(link)
    redis.ask("SET", "old", 7)

    for _ in range(2):
        await prepare(link, version=3, steps={1: rename, 2: count})

    assert redis.ask("GET", SCHEMA) == b"3"
    assert redis.ask("GET", "new") == b"8"
    assert redis.ask("EXISTS", MIGRATING) == 0


async def test_only_one_gateway_migrates(redis: RedisServer, link: Link) -> None:
    await prepare(link)
    redis.ask("SET", MIGRATING, 1)

    with pytest.raises(StoreUnavailable, match="another gateway is migrating"):
        await prepare(link, version=2, steps={1: count})

    assert redis.ask("GET", SCHEMA) == b"1"


async def test_a_step_that_failed_is_done_again_by_the_next(redis: RedisServer, link: Link) -> None:
    await prepare(link)
    with pytest.raises(StoreUnavailable):
        await prepare(link, version=2, steps={1: rename})
    redis.ask("SET", "old", 7)

    await prepare(link, version=2, steps={1: rename})

    assert redis.ask("GET", SCHEMA) == b"2"
