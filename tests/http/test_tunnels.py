"""WebSockets pass: both ways, with the gateway's own key check and the upstream's credentials."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from gateway.flow.passage import PassRules
from gateway.money import NanoUSD
from gateway.prices import Price
from gateway.upstream.client import DirectUpstream
from tests.fakes import catalog
from tests.http.edge import Edge, edge, get
from tests.http.wires import PATIENCE
from tests.upstream.far_end import FarEnd, Script, Visit, serving
from tests.wire.test_frames import done, frame

REALTIME = "/v1/realtime?model=gpt-realtime"
OFFER = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    b"Sec-WebSocket-Protocol: realtime\r\n\r\n"
)
NO = b"HTTP/1.1 403 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def tunnelling(script: Script, **more: Any) -> AsyncIterator[tuple[Edge, FarEnd]]:
    async with serving(script) as far:
        where = catalog(url=f"http://127.0.0.1:{far.port}/v1")
        price = Price(NanoUSD(4), NanoUSD(1), NanoUSD(16))
        where = replace(where, prices={"gpt-realtime": price})
        async with edge(upstream=DirectUpstream(), where=where, **more) as e:
            yield e, far


async def switched(visit: Visit) -> bytes:
    """Take the offer; its head."""
    head = await visit.reader.readuntil(b"\r\n\r\n")
    await visit.say(SWITCHED)
    return head


async def refuses(visit: Visit) -> None:
    await visit.reader.readuntil(b"\r\n\r\n")
    await visit.say(NO)
    await visit.gone()


async def test_bytes_pass_both_ways_and_credentials_do_not() -> None:
    heads: list[bytes] = []

    async def script(visit: Visit) -> None:
        heads.append(await switched(visit))
        assert await visit.reader.readexactly(5) == b"hello"
        await visit.say(b"world")
        await visit.gone()

    protocols = "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.sk-browser, other"
    async with tunnelling(script) as (e, far), asyncio.timeout(PATIENCE):
        wire = (await e.dial()).send(get(REALTIME, *OFFER, "Authorization: Bearer sk-x", protocols))
        status, fields = await wire.head()
        wire.send(b"hello")
        said = await wire.reader.readexactly(5)
        in_flight = e.flow.in_flight
        wire.hang_up()
        await far.visits[0].left.wait()
        (ended,) = await e.recorder.after(1)

    headers = dict(fields)
    assert (status, said, in_flight) == (101, b"world", 1)
    assert headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert headers["sec-websocket-protocol"] == "realtime"
    assert headers["upgrade"] == "websocket"
    assert "transfer-encoding" not in headers
    head = heads[0].lower()
    assert head.startswith(b"get /v1/realtime?model=gpt-realtime http/1.1\r\n")
    assert b"authorization: bearer sk-upstream-secret\r\n" in head
    assert b"sec-websocket-protocol: realtime, other\r\n" in head
    assert b"sk-browser" not in head
    assert b"sk-x" not in head
    assert (ended.area, ended.outcome, ended.status, ended.stream) == ("realtime", "ok", 101, True)


async def test_what_the_client_sends_with_its_offer_is_not_lost() -> None:
    async def script(visit: Visit) -> None:
        await switched(visit)
        await visit.say(await visit.reader.readexactly(5))

    async with tunnelling(script) as (e, _), asyncio.timeout(PATIENCE):
        wire = (await e.dial()).send(get(REALTIME, *OFFER) + b"early")
        await wire.head()

        assert await wire.reader.read() == b"early"


async def test_an_upstream_that_closes_ends_the_clients_connection() -> None:
    async def script(visit: Visit) -> None:
        await switched(visit)
        await visit.say(b"bye")

    async with tunnelling(script) as (e, _), asyncio.timeout(PATIENCE):
        wire = (await e.dial()).send(get(REALTIME, *OFFER))
        await wire.head()

        assert await wire.reader.read() == b"bye"


async def test_what_was_used_is_counted_and_charged() -> None:
    async def script(visit: Visit) -> None:
        await switched(visit)
        await visit.say(frame(done(100, 10)) + frame(b'{"type":"other"}') + frame(done(50, 5)))

    async with tunnelling(script) as (e, _), asyncio.timeout(PATIENCE):
        wire = (await e.dial()).send(get(REALTIME, *OFFER))
        await wire.head()
        await wire.reader.read()
        (ended,) = await e.recorder.after(1)

    assert (ended.usage.prompt, ended.usage.completion) == (150, 15)
    assert (ended.requested, ended.model, ended.cost) == ("gpt-realtime", "gpt-realtime", 840)


async def test_a_client_that_does_not_read_slows_the_upstream() -> None:
    stuck = asyncio.Event()
    sent = 0

    async def script(visit: Visit) -> None:
        nonlocal sent
        await switched(visit)
        while sent < 256:
            await visit.say(b"x" * (1 << 20))
            sent += 1
            if sent > 64:
                stuck.set()

    async with tunnelling(script) as (e, _):
        wire = (await e.dial(limit=1024)).send(get(REALTIME, *OFFER))
        await wire.head()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await stuck.wait()

    assert sent <= 64


async def test_an_upstream_that_refuses_is_passed_on() -> None:
    async with tunnelling(refuses) as (e, _):
        said = await e.ask(get(REALTIME, *OFFER))

    assert (said.status, said.body, said.headers["connection"]) == (403, b"{}", "close")


async def test_too_many_connections_are_turned_away() -> None:
    async with tunnelling(refuses) as (e, _):
        e.plane.passing.rules = PassRules(tunnels=0)
        said = await e.ask(get(REALTIME, *OFFER))

    assert (said.status, said.error["code"]) == (503, "gateway_overloaded")


@pytest.mark.parametrize(
    "offer",
    [
        get("/v1/files", *OFFER),
        get(REALTIME, "Connection: Upgrade", "Upgrade: h2c"),
        get("/healthz", *OFFER),
    ],
    ids=["elsewhere", "another protocol", "no part of the API"],
)
async def test_other_offers_are_declined(offer: bytes) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    async with tunnelling(says_to_any(whole)) as (e, _):
        said = await e.ask(offer)

    assert said.status == 200
    assert "upgrade" not in said.headers


def says_to_any(data: bytes) -> Script:
    """A far end that answers requests without a body."""

    async def script(visit: Visit) -> None:
        while True:
            head = await visit.reader.readuntil(b"\r\n\r\n")
            assert b"upgrade" not in head.lower()
            await visit.say(data)

    return script


async def test_a_tunnel_ends_with_its_time() -> None:
    async def script(visit: Visit) -> None:
        await switched(visit)
        await visit.gone()

    async with tunnelling(script) as (e, _), asyncio.timeout(PATIENCE):
        e.plane.passing.rules = PassRules(tunnel_seconds=0.3)
        wire = (await e.dial()).send(get(REALTIME, *OFFER))
        await wire.head()

        assert await wire.reader.read() == b""
