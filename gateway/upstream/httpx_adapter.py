"""The `Upstream` for odd networks: through proxies, over HTTP/2, as httpx does it.

Of httpx only the transport is used, not its client: nothing here keeps cookies between callers,
follows a redirect, decodes a body or adds a header of its own. The head is the one that our own
client sends.
"""

import asyncio
import importlib
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import httpx

from gateway.call import Feed
from gateway.errors import (
    GatewayError,
    UpstreamBroken,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from gateway.ports import Deadlines, Request
from gateway.upstream.connection import STALE_WITHIN
from gateway.upstream.heading import Heading, Origin
from gateway.upstream.httpx_errors import translate
from gateway.upstream.httpx_reply import SWITCHING, HttpxReply
from gateway.upstream.lanes import Lane, Lanes, Network, environment_proxies
from gateway.upstream.pool import Limits
from gateway.upstream.reply import FRAMING_LIMIT

DEFAULT_LIMITS = Limits()


class HttpxUpstream:
    """Sends attempts by httpx.

    `ca_file` holds certificates to trust besides the system's; `http2` offers HTTP/2 to servers
    that speak TLS; `proxies` replaces what the environment says (`{}`: none).

    Raises:
        OSError: when `ca_file` cannot be read (`ssl.SSLError`: holds no certificate).
        ImportError: when `http2` is asked for and the package h2 is not installed.
    """

    def __init__(
        self,
        *,
        ca_file: str | None = None,
        http2: bool = False,
        proxies: Mapping[str, str] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        tls = ssl.create_default_context()
        if ca_file is not None:
            tls.load_verify_locations(ca_file)
        known = environment_proxies() if proxies is None else proxies
        self._network = Network(tls, http2, limits, known)
        self._foreign: tuple[type[Exception], ...] = (httpx.TransportError,)
        if http2:
            # Found now rather than in the middle of a call; httpx lets its errors through.
            self._foreign += (importlib.import_module("h2.exceptions").H2Error,)
        self._headings: dict[str, tuple[object, Heading]] = {}
        self._lanes: dict[tuple[Origin, bool], Lanes] = {}
        self._closed = False

    async def send(self, request: Request) -> HttpxReply:
        lanes, head = self._prepared(request)
        started = asyncio.get_running_loop().time()
        # What is taken from a feed is gone: it may not meet a connection that is dead already.
        fed = request.feed is not None
        reply = await self._attempt(request, head, lanes, started, fresh=fed)
        if reply is None:
            # It met a connection that was dead already: the same attempt, on a new one.
            reply = await self._attempt(request, head, lanes, started, fresh=True)
        if reply is None:
            raise UpstreamUnreachable(_text(request, "closed every connection"))
        return reply

    async def close(self) -> None:
        self._closed = True
        for lanes in self._lanes.values():
            await lanes.close()

    def _prepared(self, request: Request) -> tuple[Lanes, "_Head"]:
        if self._closed:
            message = "the client is closed"
            raise UpstreamUnreachable(message)
        deployment = request.deployment
        known = self._headings.get(deployment.name)
        if known is None or known[0] is not deployment:
            known = deployment, Heading(deployment)
            self._headings[deployment.name] = known
        heading = known[1]
        # Over HTTP/2 no other protocol can be offered.
        network = replace(self._network, http2=False) if request.upgrade else self._network
        place = heading.origin, network.http2
        lanes = self._lanes.get(place)
        if lanes is None:
            lanes = self._lanes[place] = Lanes(heading.origin, network)
        return lanes, (heading.origin, heading.write_for(request))

    async def _attempt(
        self,
        request: Request,
        head: "_Head",
        lanes: Lanes,
        started: float,
        *,
        fresh: bool = False,
    ) -> HttpxReply | None:
        """A reply, or None when the connection had been dead before the request was sent."""
        timing = _Timing(request.deadlines, started)
        lanes.closers.add(timing.expire)
        try:
            async with asyncio.timeout_at(timing.connected_by) as timing.scope:
                place = lanes, await lanes.take(fresh=fresh)
                return await self._sent(request, _outgoing(head, request, timing), place, timing)
        except TimeoutError:
            raise self._too_late(request, timing) from None
        finally:
            lanes.closers.discard(timing.expire)

    async def _sent(
        self,
        request: Request,
        outgoing: httpx.Request,
        place: tuple[Lanes, Lane],
        timing: "_Timing",
    ) -> HttpxReply | None:
        lane = place[1]
        tap = lane.tap
        reply: HttpxReply | None = None
        outgoing.extensions = {"trace": timing.trace}
        try:
            response = await lane.send(outgoing)
            _check(request, response)
            reply = HttpxReply(request, response, place, self._foreign, timing.started)
        except GatewayError as error:
            if isinstance(error, UpstreamError):
                raise
            message = "got a body that ended before it was whole"
            raise UpstreamUnreachable(_text(request, message)) from None
        except self._foreign as error:
            if not tap.fresh and not tap.heard and timing.waited() <= STALE_WITHIN:
                return None
            name = request.deployment.name
            raise translate(error, name, begun=False, ended=tap.ended) from None
        finally:
            if reply is None:
                lane.drop()
        return reply

    def _too_late(self, request: Request, timing: "_Timing") -> UpstreamError:
        if self._closed:
            return UpstreamUnreachable("the client is closed")
        return UpstreamTimeout(_text(request, timing.complaint()))


_Head = tuple[Origin, bytes]


class _Timing:
    """Two deadlines in one: until the request is on its way, and then until the reply's head."""

    __slots__ = ("_deadlines", "_head_within", "_sent", "connected_by", "scope", "started")

    def __init__(self, deadlines: Deadlines, started: float) -> None:
        self._deadlines = deadlines
        self.started = started
        self._sent: float | None = None
        self._head_within = min(deadlines.first_byte, deadlines.total)
        self.connected_by = started + min(deadlines.connect, self._head_within)
        self.scope = asyncio.timeout(None)

    async def trace(self, name: str, info: Mapping[str, Any]) -> None:
        """Httpcore says what it does; asking a proxy to CONNECT is still connecting."""
        begins = name.endswith(".send_request_headers.started")
        if begins and info["request"].method != b"CONNECT" and not self.scope.expired():
            self._sent = asyncio.get_running_loop().time()
            self.scope.reschedule(self.started + self._head_within)

    def allow(self, seconds: float) -> None:
        """That long from now."""
        if not self.scope.expired():
            self.scope.reschedule(asyncio.get_running_loop().time() + seconds)

    def expire(self) -> None:
        """Now."""
        if not self.scope.expired():
            self.scope.reschedule(0)

    def restart(self) -> None:
        """The body is sent: what is left to wait for is the reply."""
        self.started = asyncio.get_running_loop().time()
        self.allow(self._head_within)

    def waited(self) -> float:
        """Seconds since the request was sent."""
        return 0.0 if self._sent is None else asyncio.get_running_loop().time() - self._sent

    def complaint(self) -> str:
        """Which deadline passed."""
        deadlines = self._deadlines
        if deadlines.total < min(deadlines.first_byte, deadlines.connect):
            return f"did not finish within {deadlines.total:g} s (total deadline)"
        if self._sent is None:
            return f"gave no connection within {deadlines.connect:g} s (connect deadline)"
        if deadlines.total < deadlines.first_byte:
            return f"did not finish within {deadlines.total:g} s (total deadline)"
        return f"sent no byte within {deadlines.first_byte:g} s (first_byte deadline)"


def _text(request: Request, what: str) -> str:
    return f"deployment {request.deployment.name!r} {what}"


async def _fed(feed: Feed, timing: _Timing, deadlines: Deadlines) -> AsyncIterator[bytes]:
    """The pieces of a body that comes; the far side's time begins behind them."""
    timing.allow(deadlines.idle)
    while piece := await feed.chunk():
        yield piece
        timing.allow(deadlines.idle)
    timing.restart()


def _outgoing(wanted: _Head, request: Request, timing: _Timing) -> httpx.Request:
    """The head that our own client would send, taken apart for httpx."""
    origin, head = wanted
    body: bytes | AsyncIterator[bytes] = request.body
    if request.feed is not None and not request.upgrade:
        body = _fed(request.feed, timing, request.deadlines)
    first, *lines = head[:-4].split(b"\r\n")
    target = first.split(b" ")[1].decode()
    scheme = "https" if origin.secure else "http"
    return httpx.Request(
        request.method,
        f"{scheme}://{origin.authority}{target}",
        headers=[(name, value) for name, _, value in (line.partition(b": ") for line in lines)],
        content=body,
    )


def _check(request: Request, response: httpx.Response) -> None:
    """Refuse what httpx lets pass: a head that is large, or says twice how long its body is.

    Raises:
        UpstreamBroken: it is no reply we take.
    """
    headers = response.headers
    coding = headers.get("transfer-encoding")
    large = sum(len(name) + len(value) + 4 for name, value in headers.raw) > FRAMING_LIMIT
    framed_twice = coding is not None and "content-length" in headers
    odd = coding is not None and coding.lower() != "chunked"
    if large or framed_twice or odd or (response.status_code == SWITCHING and not request.upgrade):
        raise UpstreamBroken(_text(request, "sent no valid reply"))
