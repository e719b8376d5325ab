"""Connections that httpx drives, one call each at a time.

An httpx pool shares its connections between calls, and that has a price: over HTTP/2 a call that is
given up goes on running at the far side (no RST_STREAM is sent) and holds its stream for ever, and
the pool looks through all its connections for every request. So a lane is a pool of one connection
that serves one call at a time: giving a call up closes its connection, and nobody else's. Lanes are
kept per origin, last in, first out.
"""

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from gateway.errors import UpstreamUnreachable
from gateway.upstream.heading import Origin
from gateway.upstream.pool import Limits
from gateway.upstream.tap import Tap


@dataclass(frozen=True, slots=True)
class Network:
    """How far ends are reached: trust, protocol, proxies by scheme (`http`, `https`, `all`)."""

    tls: ssl.SSLContext
    http2: bool
    limits: Limits
    proxies: Mapping[str, str]


def environment_proxies() -> dict[str, str]:
    """HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and, under `no`, NO_PROXY."""
    return getproxies()


def proxy_for(origin: Origin, proxies: Mapping[str, str]) -> httpcore.Proxy | None:
    """The proxy through which an origin is reached, if any.

    Raises:
        UpstreamUnreachable: when it is none that we speak. The message does not quote it.
    """
    address = proxies.get("https" if origin.secure else "http") or proxies.get("all")
    if not address or proxy_bypass(origin.authority, dict(proxies)):
        return None
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "the proxy's address is not of the form http://host:port"
        raise UpstreamUnreachable(message)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return httpcore.Proxy(
        httpcore.URL(scheme=parts.scheme, host=parts.hostname, port=port, target="/"),
        auth=(user.encode(), password.encode()) if user else None,
    )


class LaneTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over a pool of one connection, with a tap on it."""

    def __init__(self, origin: Origin, network: Network, tap: Tap) -> None:
        # In place of httpx's own pool, whose network cannot be chosen.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=network.tls,
            proxy=proxy_for(origin, network.proxies),
            max_connections=1,
            max_keepalive_connections=1,
            keepalive_expiry=network.limits.keep_alive,
            http2=network.http2,
            network_backend=tap,
        )


class Lane:
    """One connection's worth of httpx."""

    __slots__ = ("_home", "_transport", "tap")

    def __init__(self, home: "Lanes", transport: LaneTransport, tap: Tap) -> None:
        self._home = home
        self._transport = transport
        self.tap = tap

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send; the reply's head is in.

        Raises:
            httpx.TransportError: when none came.
        """
        self.tap.begin()
        return await self._transport.handle_async_request(request)

    def done(self) -> None:
        """The call is over; this or `drop` is said once. Used again only if it went by the book."""
        self._home.returned(self, keep=self.tap.clean)

    def drop(self) -> None:
        """The call was given up: close the connection at once."""
        self._home.returned(self, keep=False)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._transport.aclose()


class Lanes:
    """The lanes to one origin."""

    __slots__ = (
        "_free",
        "_gate",
        "_loop",
        "_network",
        "_origin",
        "_reaper",
        "_tasks",
        "_waiting",
        "closers",
    )

    def __init__(self, origin: Origin, network: Network) -> None:
        self._loop = asyncio.get_running_loop()
        self._origin = origin
        self._network = network
        self._gate = asyncio.Semaphore(network.limits.connections)
        self._waiting = 0
        # In the order of their last use, with its time.
        self._free: dict[Lane, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._reaper: asyncio.TimerHandle | None = None
        # What makes the calls in flight fail.
        self.closers: set[Callable[[], None]] = set()

    async def take(self, *, fresh: bool) -> Lane:
        """A lane for one call, at the cap the next that comes free.

        Raises:
            UpstreamUnreachable: when too many wait already.
        """
        if self._gate.locked() and self._waiting >= self._network.limits.waiting:
            message = "too many calls wait for a connection"
            raise UpstreamUnreachable(message)
        self._waiting += 1
        try:
            await self._gate.acquire()
        finally:
            self._waiting -= 1
        if self._free and not fresh:
            return self._free.popitem()[0]
        try:
            tap = Tap()
            return Lane(self, LaneTransport(self._origin, self._network, tap), tap)
        except UpstreamUnreachable:
            self._gate.release()
            raise

    def returned(self, lane: Lane, *, keep: bool) -> None:
        """A call on a lane is over."""
        self._gate.release()
        if not keep:
            self.spawn(lane.aclose())
            return
        self._free[lane] = self._loop.time()
        if self._reaper is None:
            self._reaper = self._loop.call_later(self._network.limits.keep_alive, self._reap)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that nobody can wait for now; `close` will."""
        # No TaskGroup: closing is asked for by plain functions, from any task, at any time.
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Close everything and wait for it; calls in flight fail."""
        for end in list(self.closers):
            end()
        if self._reaper is not None:
            self._reaper.cancel()
        for lane in self._free:
            self.spawn(lane.aclose())
        self._free.clear()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _reap(self) -> None:
        """Close what has been free too long; the oldest come first."""
        self._reaper = None
        now = self._loop.time()
        for lane, since in list(self._free.items()):
            expiry = since + self._network.limits.keep_alive
            if expiry > now:
                self._reaper = self._loop.call_at(expiry, self._reap)
                return
            del self._free[lane]
            self.spawn(lane.aclose())
