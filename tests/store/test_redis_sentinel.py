"""Sentinels that name a master, and a failover between two real servers."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.store.redis.link import Link
from tests.processes import free_port
from tests.store.redis_server import RedisServer, linked, redis_server


@pytest.fixture(scope="module")
def master() -> Iterator[RedisServer]:
    with redis_server(port=None) as server:
        yield server


@pytest.fixture(scope="module")
def spare() -> Iterator[RedisServer]:
    with redis_server(port=None) as server:
        yield server


@pytest.fixture
def sentinel(master: RedisServer, spare: RedisServer, tmp_path: Path) -> Iterator[RedisServer]:
    """A sentinel that names `master`; both servers are masters again."""
    for server in (master, spare):
        server.ask("REPLICAOF", "NO", "ONE")
        server.ask("FLUSHALL")
    configuration = tmp_path / "sentinel.conf"
    configuration.touch()
    with redis_server(port=None, program=(str(configuration), "--sentinel")) as sentinel:
        names(sentinel, master)
        yield sentinel


def names(sentinel: RedisServer, server: RedisServer) -> None:
    sentinel.ask("SENTINEL", "REMOVE", "main")
    assert sentinel.ask("SENTINEL", "MONITOR", "main", "127.0.0.1", server.port, 1) == b"OK"


def a_link(*sentinels: int, service: str = "main") -> AbstractAsyncContextManager[Link]:
    where = ",".join(f"127.0.0.1:{port}" for port in sentinels)
    return linked(f"redis+sentinel://{where}/{service}")


async def test_the_master_is_the_one_the_sentinel_names(
    sentinel: RedisServer, master: RedisServer
) -> None:
    async with a_link(sentinel.port) as link:
        await link.run("SET", "a", 1)

        assert master.ask("GET", "a") == b"1"


async def test_a_sentinel_that_is_gone_is_passed_over(
    sentinel: RedisServer, master: RedisServer
) -> None:
    async with a_link(free_port(), sentinel.port) as link:
        assert await link.run("SET", "a", 1) == b"OK"


async def test_a_sentinel_that_is_frozen_is_waited_for_no_longer_than_a_call_may(
    sentinel: RedisServer,
) -> None:
    async with linked(f"redis+sentinel://127.0.0.1:{sentinel.port}/main", 0.05) as link:
        sentinel.freeze()

        with pytest.raises(StoreUnavailable, match="in time"):
            await link.run("PING")

        assert not link.usable()


async def test_a_master_that_became_a_replica_is_left_for_the_new_one_and_nothing_fails(
    sentinel: RedisServer, master: RedisServer, spare: RedisServer
) -> None:
    async with a_link(sentinel.port) as link:
        await link.run("SET", "a", "before")

        master.ask("REPLICAOF", "127.0.0.1", spare.port)
        names(sentinel, spare)

        assert await link.run("SET", "a", "after") == b"OK"
        assert spare.ask("GET", "a") == b"after"
        assert link.figures().errors == {"readonly": 1}
        assert link.figures().open_breakers == 0


async def test_a_service_no_sentinel_knows_cannot_be_reached(sentinel: RedisServer) -> None:
    async with a_link(sentinel.port, service="other") as link:
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            await link.run("PING")
