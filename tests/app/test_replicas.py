"""Two whole gateways on one Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from gateway.clock import SystemClock
from tests.app.bookkeeping import Upstream, upstream
from tests.app.serving import Served, chat, served
from tests.store.redis_server import RedisServer, redis_server


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@asynccontextmanager
async def replicas(redis: RedisServer, **more: str) -> AsyncIterator[tuple[Upstream, list[Served]]]:
    redis.ask("FLUSHALL")

    async def takes_a_while() -> None:
        await SystemClock().sleep(0.15)

    async with upstream(takes_a_while) as books:
        environ = {
            "OPENAI_BASE_URL": books.url,
            "GATEWAY_REDIS_URL": redis.url,
            # Both gateways and both clients are on this one loop.
            "GATEWAY_STORE_REDIS_TIMEOUT": "5s",
            **more,
        }
        async with served(environ) as one, served(environ) as other:
            yield books, [one, other]


async def ask(gateway: Served, text: str, headers: dict[str, str] | None = None) -> httpx.Response:
    said: dict[str, Any] = chat(text, temperature=0)
    return await gateway.http.post("/v1/chat/completions", json=said, headers=headers)


async def test_identical_calls_to_two_replicas_are_one_upstream_call(redis: RedisServer) -> None:
    async with replicas(redis) as (books, [one, other]):
        replies = await asyncio.gather(*(ask(g, "Hello!") for g in [one, other] * 4))
        later = await ask(other, "Hello!")

    assert books.asked["Hello!"] == 1
    assert {reply.content for reply in replies} == {later.content}
    assert [reply.status_code for reply in replies] == [200] * 8
    memory = sorted(reply.headers["x-gateway-cache"] for reply in replies)
    assert memory == ["miss", *["shared"] * 7]
    assert later.headers["x-gateway-cache"] == "hit"


async def test_tenants_never_wait_for_each_other(redis: RedisServer) -> None:
    async with replicas(redis) as (books, gateways):
        made = [
            (await gateways[0].http.post("/admin/v1/keys", json={"name": name})).json()["key"]
            for name in ("one", "two")
        ]
        await asyncio.gather(
            *(
                ask(gateway, "Hello!", {"authorization": f"Bearer {key}"})
                for gateway, key in zip(gateways, made, strict=True)
            )
        )

    assert books.asked["Hello!"] == 2


async def test_decisions_of_all_replicas_are_shown_and_streamed_by_any(redis: RedisServer) -> None:
    async with replicas(redis) as (_, [one, other]):
        async with one.http.stream("GET", "/admin/v1/decisions/stream") as watched:
            lines = watched.aiter_lines()
            assert await anext(lines) == ": nothing new"
            made = [await ask(gateway, f"Hello {n}!") for n, gateway in enumerate((one, other))]
            ids = [reply.headers["x-gateway-decision-id"] for reply in made]
            seen = [line[4:] async for line in until(lines, "id: ", 2)]
        listed = [
            (await gateway.http.get("/admin/v1/decisions")).json() for gateway in (one, other)
        ]
        crossed = await one.http.get(f"/admin/v1/decisions/{ids[1]}")
        what_if = (await other.http.get("/admin/v1/whatif")).json()
        kept = redis.ask("XRANGE", "tg1:decisions", "-", "+")

    assert sorted(seen) == sorted(ids)
    assert [sorted(row["id"] for row in page["data"]) for page in listed] == [sorted(ids)] * 2
    assert crossed.json()["id"] == ids[1]
    assert what_if["calls"] == 2
    assert b"Hello" not in repr(kept).encode()


async def until(lines: AsyncIterator[str], start: str, many: int) -> AsyncIterator[str]:
    """So many of the lines that start so."""
    while many:
        if (line := await anext(lines)).startswith(start):
            many -= 1
            yield line
