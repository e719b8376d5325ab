"""Fixtures of the stores' tests: one Redis for a whole run, emptied for each test."""

from collections.abc import Iterator

import pytest

from tests.store.redis_server import RedisServer, redis_server


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """One server for all tests that leave it running; take `redis` instead."""
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(shared_redis: RedisServer) -> RedisServer:
    """A running, empty server. Whoever stops or sets it starts one of his own."""
    shared_redis.ask("FLUSHALL")
    shared_redis.ask("SCRIPT", "FLUSH")
    shared_redis.ask("CONFIG", "RESETSTAT")
    return shared_redis
