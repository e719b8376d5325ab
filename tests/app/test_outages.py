"""A whole gateway whose Redis is frozen, gone, read-only, full, or holds rubbish."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.access.token import RANDOM_BYTES, issue
from gateway.clock import SystemClock
from tests.app.serving import FAST, Served, chat, served
from tests.store.redis_server import RedisServer, redis_server

CLOSED, OPEN = [issue(bytes([n]) * RANDOM_BYTES).key.reveal() for n in (1, 2)]
CONFIG = f"""
keys:
  - {{ name: closed, key: {CLOSED}, allowances: [5usd/day] }}
  - {{ name: open, key: {OPEN}, allowances: [5usd/day], on_outage: fail_open }}
"""

Trouble = Callable[[RedisServer], object]
RECOVERY_SECONDS = 2.0
BUSY = 10.0
"""Times slower than promised that a busy machine may be; what is promised is measured elsewhere."""


@asynccontextmanager
async def gateway(server: RedisServer, directory: Path) -> AsyncIterator[Served]:
    config = directory / "tiergate.yaml"
    config.write_text(CONFIG)
    environ = {**FAST, "GATEWAY_REDIS_URL": server.url, "TIERGATE_CONFIG": str(config)}
    async with served(environ) as running:
        yield running


async def ask(running: Served, key: str, text: str) -> str:
    said = chat(text, temperature=1)
    headers = {"authorization": f"Bearer {key}"}
    reply = await running.http.post("/v1/chat/completions", json=said, headers=headers)
    return "ok" if reply.status_code == 200 else str(reply.json()["error"]["code"])


async def becomes(running: Served, key: str, word: str) -> float:
    """Seconds until a call ends as it should."""
    clock = SystemClock()
    began = clock.now()
    while (said := await ask(running, key, "Are you there?")) != word:
        assert clock.now() - began < RECOVERY_SECONDS * BUSY, said
        await clock.sleep(0.02)
    return clock.now() - began


def makes_a_replica(server: RedisServer) -> None:
    server.ask("REPLICAOF", "127.0.0.1", 1)


def fills(server: RedisServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory", 1)


def frees(server: RedisServer) -> None:
    server.ask("CONFIG", "SET", "maxmemory", 0)


def makes_a_master(server: RedisServer) -> None:
    server.ask("REPLICAOF", "NO", "ONE")


@pytest.mark.parametrize(
    ("breaks", "mends"),
    [
        (RedisServer.freeze, RedisServer.thaw),
        (RedisServer.kill, RedisServer.start),
        (makes_a_replica, makes_a_master),
        (fills, frees),
    ],
    ids=["frozen", "killed", "read-only", "full"],
)
async def test_every_caller_is_answered_as_its_key_says_and_served_again_afterwards(
    tmp_path: Path, breaks: Trouble, mends: Trouble
) -> None:
    with redis_server() as server:
        async with gateway(server, tmp_path) as running:
            await becomes(running, CLOSED, "ok")
            breaks(server)
            during = [await ask(running, OPEN, f"Number {n}") for n in range(10)]
            refused = [await ask(running, CLOSED, f"Number {n}") for n in range(10)]
            mends(server)
            await becomes(running, CLOSED, "ok")

    assert during == ["ok"] * 10
    assert refused == ["store_unavailable"] * 10


async def test_rubbish_in_the_place_of_everything_loses_no_reply(
    tmp_path: Path,
) -> None:
    with redis_server() as server:
        async with gateway(server, tmp_path) as running:
            await becomes(running, CLOSED, "ok")
            names = server.ask("KEYS", "tg1:*")
            assert isinstance(names, list)
            for name in names:
                server.ask("SET", name, "rubbish")
            said = [await ask(running, OPEN, f"Number {n}") for n in range(10)]
            await becomes(running, CLOSED, "ok")

    assert said == ["ok"] * 10
    assert len(names) >= 2
