"""Health and readiness: answered whatever else goes on."""

import asyncio
from collections.abc import Mapping
from threading import Event
from typing import Any

import pytest

from gateway.call import Assessment
from tests.fakes import FakeAssessor
from tests.flow.replies import OPENING, stream, whole
from tests.http.edge import asking, edge, get, post, streaming

HEALTHY = b'{"status":"ok"}'


async def test_health_is_one_short_reply() -> None:
    async with edge() as e:
        wire = await e.dial()
        said = [await wire.ask(get("/healthz")) for _ in range(3)]

    for one in said:
        assert (one.status, one.body) == (200, HEALTHY)
        assert one.headers == {"content-type": "application/json", "content-length": "15"}


@pytest.mark.parametrize("path", ["/healthz?probe=1", "/healthz", "http://gateway/healthz"])
async def test_health_is_found_at_its_address(path: str) -> None:
    async with edge() as e:
        assert (await e.ask(get(path))).body == HEALTHY


async def test_what_only_begins_like_health_is_something_else() -> None:
    async with edge() as e:
        assert (await e.ask(get("/healthzz"))).status == 404


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1\r\nConnection: close"])
async def test_a_probe_that_wants_the_end_gets_it(version: str) -> None:
    async with edge() as e:
        wire = await e.dial()
        said = await wire.ask(f"GET /healthz {version}\r\n\r\n".encode())

        assert await wire.is_over()
    assert said.body == HEALTHY
    assert said.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_may_ask_for_the_head_alone(path: str) -> None:
    async with edge() as e:
        wire = (await e.dial()).send(get(path, method="HEAD"))
        said = await wire.reply(to_head=True)
        after = await wire.ask(get("/healthz"))

    assert said.status == 200
    assert after.body == HEALTHY


class SlowAssessor(FakeAssessor):
    """Looks at a prompt until it is told to stop, as a long prompt would take."""

    def __init__(self) -> None:
        super().__init__()
        self.looking = Event()
        self.enough = Event()

    def assess(self, document: Mapping[str, Any]) -> Assessment:
        self.looking.set()
        self.enough.wait(10)
        return super().assess(document)


async def test_health_is_answered_while_a_long_prompt_is_looked_at_and_streams_run() -> None:
    assessor, never = SlowAssessor(), asyncio.Event()
    async with edge(
        lambda r: stream(OPENING, never.wait) if r.stream else whole(), assessor=assessor
    ) as e:
        streams = [
            (await e.dial()).send(streaming(model="nano", temperature=1)) for _ in range(100)
        ]
        for wire in streams:
            await wire.head()
        long = (await e.dial()).send(post(asking(user="x" * 4_000_000)))
        await e.until(assessor.looking.is_set)
        async with asyncio.timeout(2):
            said = await e.ask(get("/healthz"))
        assessor.enough.set()
        answered = await long.reply()

        assert e.flow.in_flight == 100
    assert said.body == HEALTHY
    assert answered.status == 200


async def test_a_gateway_that_may_be_called_says_that_it_is_ready() -> None:
    async with edge() as e:
        said = await e.ask(get("/readyz"))

    assert said.status == 200
    assert said.body == b'{"status":"ready"}'


async def test_a_gateway_that_stops_says_that_it_is_not_ready() -> None:
    async with edge() as e:
        e.server.should_exit = True
        said = await e.ask(get("/readyz"))
        health = await e.ask(get("/healthz"))

    assert said.status == 503
    assert said.body == b'{"status":"not ready","reason":"stopping"}'
    assert health.status == 200
