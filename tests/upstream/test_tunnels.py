"""Connections that switch protocols: bytes both ways, and every way that ends."""

import asyncio

import pytest

from gateway.errors import CallerError, UpstreamBroken, UpstreamError
from gateway.ports import Upstream
from tests.upstream.far_end import PATIENCE, Visit, a_request, fetched, says, serving
from tests.upstream.springs import SWITCHED, spring, switching


async def test_bytes_go_both_ways_once_the_far_side_has_switched(upstream: Upstream) -> None:
    asked: list[bytes] = []
    answered = asyncio.Event()

    async def script(visit: Visit) -> None:
        asked.append(await visit.reader.readuntil(b"\r\n\r\n"))
        await visit.say(SWITCHED + b"early")
        assert await visit.reader.readexactly(5) == b"hello"
        await visit.say(b"world")
        await visit.gone()

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(switching(far, spring(b"hello", answered.wait)))
        said = b""
        while len(said) < 10:
            said += await reply.chunk()
        reply.abort()
        await far.visits[0].left.wait()

    assert (reply.status, said) == (101, b"earlyworld")
    head = asked[0].lower()
    assert head.startswith(b"get /v1/chat/completions http/1.1\r\n")
    assert b"\r\nconnection: upgrade\r\n" in head
    assert b"\r\nupgrade: websocket\r\n" in head
    assert b"\r\nsec-websocket-key: k\r\n" in head
    assert b"content-length" not in head


async def test_a_far_side_that_closes_a_tunnel_ends_it(upstream: Upstream) -> None:
    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(SWITCHED + b"bye")

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(switching(far, spring(asyncio.Event().wait)))

        assert await reply.read(100) == b"bye"


async def test_a_source_that_fails_in_a_tunnel_ends_it(upstream: Upstream) -> None:
    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(SWITCHED)
        await visit.gone()

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(switching(far, spring(CallerError("gone"))))

        with pytest.raises(UpstreamError):
            await reply.chunk()
        await far.visits[0].left.wait()


async def test_a_switch_that_is_refused_is_a_reply(upstream: Upstream) -> None:
    refusal = b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(refusal)
        await visit.gone()

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(switching(far, spring(b"never")))

        assert (reply.status, await reply.read(10)) == (401, b"no")
        reply.abort()


async def test_a_switch_that_nobody_asked_for_is_no_reply(upstream: Upstream) -> None:
    async with serving(says(SWITCHED)) as far, asyncio.timeout(PATIENCE):
        with pytest.raises(UpstreamBroken):
            await fetched(upstream, a_request(far))
