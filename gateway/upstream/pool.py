"""The connections to one origin: idle ones taken last in, first out; a cap; a queue at the cap.

A slot stands for a connection that is open or being opened. Whoever gives a connection or a slot
back hands it to the first in the queue; whoever is cancelled between being handed something and
taking it hands it on. Nothing is retried here.
"""

import asyncio
import errno
import os
import ssl
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

from gateway.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from gateway.ports import Request
from gateway.upstream.connection import Connection
from gateway.upstream.dial import dial
from gateway.upstream.heading import Origin
from gateway.upstream.watch import Watch

# What a far end sends behind a reply is seen by the event loop in its next turns, and closes the
# connection; for one that is used again sooner than this, the socket is asked.
RESTED = 0.005
# Closing waits this long for the event loop to say that the sockets are gone.
CLOSING = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Per origin: open connections, calls that may wait for one, and seconds one stays idle.

    Servers commonly close after 60 s or more: at 55 s we are first, and no request meets a close.
    """

    connections: int = 1024
    waiting: int = 1024
    keep_alive: float = 55.0


class Pool:
    """One origin's connections, and the watch over the calls they carry."""

    __slots__ = (
        "_gone",
        "_idle",
        "_limits",
        "_open",
        "_opening",
        "_origin",
        "_reaper",
        "_slots",
        "_tls",
        "_waiting",
        "closed",
        "loop",
        "watch",
    )

    def __init__(self, origin: Origin, tls: ssl.SSLContext | None, limits: Limits) -> None:
        self.loop = asyncio.get_running_loop()
        self.watch = Watch(self.loop)
        self.closed = False
        self._origin = origin
        self._tls = tls
        self._limits = limits
        # In the order of their last use, with its time.
        self._idle: dict[Connection, float] = {}
        self._open: set[Connection] = set()
        self._opening: set[asyncio.Timeout] = set()
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._slots = 0
        self._reaper: asyncio.TimerHandle | None = None
        self._gone: asyncio.Future[None] | None = None

    def take(self, now: float) -> Connection | None:
        """The connection used last, if an idle one is alive."""
        while self._idle:
            connection, since = self._idle.popitem()
            if connection.closing:
                continue
            rested = now - since
            if rested < RESTED:
                usable = not connection.spoke_out_of_turn()
            else:
                usable = rested < self._limits.keep_alive
            if usable:
                return connection
            connection.drop()
        return None

    async def connect(self, request: Request, started: float, *, fresh: bool) -> Connection:
        """A new connection; at the cap, the first that comes free unless it is to be `fresh`.

        Raises:
            UpstreamUnreachable: refused, unknown, untrusted, closed, or too many wait already.
            UpstreamTimeout: none within the connect deadline.
        """
        if self.closed:
            message = "the client is closed"
            raise UpstreamUnreachable(message)
        deadlines, name = request.deadlines, request.deployment.name
        allowed = min(deadlines.connect, deadlines.first_byte, deadlines.total)
        try:
            async with asyncio.timeout_at(started + allowed) as scope:
                self._opening.add(scope)
                try:
                    return await self._connection(name, fresh=fresh)
                finally:
                    self._opening.discard(scope)
        except TimeoutError:
            raise self._too_late(name, allowed) from None
        except OSError as error:
            message = f"no connection to deployment {name!r}: {_reason(error)}"
            raise UpstreamUnreachable(message) from error

    def release(self, connection: Connection) -> None:
        """A connection is free: to the first in the queue, or idle."""
        if self._waiting and connection.spoke_out_of_turn():
            connection.drop()
            return
        if self._serve(connection):
            return
        self._idle[connection] = self.loop.time()
        if self._reaper is None:
            self._reaper = self.loop.call_later(self._limits.keep_alive, self._reap)

    def forget(self, connection: Connection) -> None:
        """A connection is closed."""
        if connection not in self._open:
            # It never came to use: whoever was opening it gives the slot back.
            return
        self._idle.pop(connection, None)
        self._open.remove(connection)
        self._vacate()
        if self._gone is not None and not self._open and not self._gone.done():
            self._gone.set_result(None)

    async def close(self) -> None:
        """Close all connections; whoever uses, opens or awaits one fails."""
        self.closed = True
        self.watch.stop()
        if self._reaper is not None:
            self._reaper.cancel()
        for scope in self._opening:
            if not scope.expired():
                scope.reschedule(self.loop.time())
        if not self._open:
            return
        self._gone = self.loop.create_future()
        for connection in self._open:
            connection.shut()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await self._gone

    # ── slots ────────────────────────────────────────────────────────────────
    async def _connection(self, name: str, *, fresh: bool) -> Connection:
        while self._slots >= self._limits.connections:
            used = await self._wait(name)
            if used is None:
                break
            if used.closing:
                continue
            if not fresh:
                return used
            # Its slot is ours now; its end gives none back.
            self._open.remove(used)
            used.drop()
            break
        else:
            self._slots += 1
        try:
            return await self._opened()
        except BaseException:
            self._vacate()
            raise

    async def _opened(self) -> Connection:
        host = self._origin.host
        _, connection = await self.loop.create_connection(
            lambda: Connection(self.loop, self),
            sock=await dial(self.loop, host, self._origin.port),
            ssl=self._tls,
            server_hostname=host if self._tls is not None else None,
        )
        if connection.closing:
            raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        self._open.add(connection)
        return connection

    async def _wait(self, name: str) -> Connection | None:
        """Wait for a connection, or for a slot to open one in (None)."""
        if len(self._waiting) >= self._limits.waiting:
            message = f"too many calls wait for a connection to deployment {name!r}"
            raise UpstreamUnreachable(message)
        if self._idle:
            # Only a call that wants a fresh connection comes here with idle ones about.
            oldest = next(iter(self._idle))
            del self._idle[oldest]
            oldest.drop()
        waiter: asyncio.Future[Connection | None] = self.loop.create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                with suppress(ValueError):
                    self._waiting.remove(waiter)
            elif (handed := waiter.result()) is None:
                self._vacate()
            else:
                self.release(handed)
            raise

    def _serve(self, connection: Connection | None) -> bool:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _vacate(self) -> None:
        if not self._serve(None):
            self._slots -= 1

    def _reap(self) -> None:
        """Close what has been idle too long; the oldest come first."""
        self._reaper = None
        now = self.loop.time()
        for connection, since in list(self._idle.items()):
            expiry = since + self._limits.keep_alive
            if expiry > now:
                self._reaper = self.loop.call_at(expiry, self._reap)
                return
            del self._idle[connection]
            connection.drop()

    def _too_late(self, name: str, allowed: float) -> UpstreamError:
        if self.closed:
            return UpstreamUnreachable("the client is closed")
        message = f"no connection to deployment {name!r} within {allowed:g} s (connect deadline)"
        return UpstreamTimeout(message)


def _reason(error: OSError) -> str:
    """Why, in words that hold no address."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {getattr(error, 'verify_message', '') or error.reason}"
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or type(error).__name__
