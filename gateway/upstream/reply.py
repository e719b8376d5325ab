"""A reply as it comes in over a pooled connection.

The connection writes into it, its caller reads from it, and the watch looks at it when a deadline
may have passed. It ends once: whole, or with an error that is raised when the bytes before it have
been read. `head` is resolved once and never fails (a failed future that nobody awaits any more
would be logged): whoever awaited it looks at `error`.
"""

import asyncio
from typing import Protocol

from gateway.call import Headers
from gateway.errors import UpstreamBroken, UpstreamError, UpstreamTimeout, UpstreamTruncated
from gateway.ports import Request
from gateway.upstream.watch import ROUNDING, Watch

# Head, or framing without body: nginx allows 8 × 8 KB, Node 16 KB, and OpenAI sends about 2 KB.
FRAMING_LIMIT = 64 * 1024
# Unread body bytes at which the upstream is paused.
BUFFER_LIMIT = 256 * 1024
# A reply that is not streamed is handed over unfinished when its body takes longer than this.
SLOW = 0.05


class Wire(Protocol):
    """What a reply needs of the connection it comes in over."""

    def pause(self) -> None:
        """Take no more bytes for now."""
        ...

    def resume(self) -> None:
        """Go on taking bytes."""
        ...

    def drop(self) -> None:
        """Close at once; the reply wants nothing more."""
        ...


class PooledReply:
    """The `Reply` of our own client.

    `unread` counts the bytes that came since the last read, framing included: one count bounds
    the head, framing without body, and the body nobody reads.
    """

    __slots__ = (
        "_begun",
        "_deadlines",
        "_ended",
        "_loop",
        "_paused",
        "_started",
        "_waiter",
        "_watch",
        "bodyless",
        "chunks",
        "due",
        "error",
        "feeder",
        "head",
        "headers",
        "name",
        "sending",
        "stale",
        "status",
        "stream",
        "touched",
        "unread",
        "upgrade",
        "wire",
    )

    def __init__(
        self, request: Request, loop: asyncio.AbstractEventLoop, watch: Watch, started: float
    ) -> None:
        deadlines = request.deadlines
        self.status = 0
        self.headers: Headers = ()
        self.name = request.deployment.name
        self.stream = request.stream
        self.head: asyncio.Future[None] = loop.create_future()
        self.chunks: list[bytes] = []
        self.unread = 0
        self.wire: Wire | None = None
        self.error: UpstreamError | None = None
        self.stale = False
        self.touched = started
        self.due = started + min(deadlines.first_byte, deadlines.total)
        self._deadlines = deadlines
        self._started = started
        self._loop = loop
        self._watch = watch
        self._waiter: asyncio.Future[None] | None = None
        self._begun = self._ended = self._paused = self.sending = False
        self.bodyless = request.method == "HEAD"
        self.upgrade = request.upgrade
        self.feeder: asyncio.Task[None] | None = None
        if request.feed is not None and not request.upgrade:
            self.sending = True
            self.due = started + deadlines.idle

    # ── the caller's side ────────────────────────────────────────────────────
    async def chunk(self) -> bytes:
        while not self.chunks:
            if self._ended:
                if self.error is not None:
                    raise self.error
                return b""
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._taken()

    async def read(self, limit: int) -> bytes:
        if self._ended and self.error is None and self.unread <= limit:
            return self._taken()
        pieces: list[bytes] = []
        size = 0
        while piece := await self.chunk():
            size += len(piece)
            if size > limit:
                self.abort()
                message = f"deployment {self.name!r} sent more than {limit} bytes"
                raise UpstreamBroken(message)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def abort(self) -> None:
        self.fail(UpstreamTruncated(f"the reply of deployment {self.name!r} was given up"))

    def _taken(self) -> bytes:
        chunks = self.chunks
        piece = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self.unread = 0
        if self._paused and self.wire is not None:
            self._paused = False
            # The silence so far was ours, not the upstream's.
            self.touched = self._loop.time()
            self.wire.resume()
        return piece

    # ── the connection's side ────────────────────────────────────────────────
    def progress(self) -> None:
        """More bytes came in, and the reply is not yet whole."""
        if not self.chunks:
            if self.unread > FRAMING_LIMIT:
                what = "framing without a body" if self.status else "a head"
                message = f"deployment {self.name!r} sent {what} of more than {FRAMING_LIMIT} bytes"
                self.fail(UpstreamBroken(message))
            elif self.status and self.stream:
                self._hand_over()
            return
        self.touched = self._loop.time()
        if self.stream or self.unread > BUFFER_LIMIT:
            self._hand_over()
        if not self._begun:
            self._begun = True
            wait = self._deadlines.idle if self.head.done() else SLOW
            self.due = min(self.touched + wait, self._started + self._deadlines.total)
            self._watch.hasten(self.due)
        if self.unread > BUFFER_LIMIT and not self._paused and self.wire is not None:
            self._paused = True
            self.wire.pause()
        self._wake()

    def finish(self) -> None:
        """The body is whole."""
        if self._paused and self.wire is not None:
            self.wire.resume()
        self._end()

    def fail(self, error: UpstreamError) -> None:
        """Nothing more will come; closes the connection unless the body is already whole."""
        if self._ended:
            return
        self.error = error
        wire = self.wire
        self._end()
        if wire is not None:
            wire.drop()

    def _end(self) -> None:
        self._ended = True
        self.wire = None
        self._watch.discard(self)
        self._hand_over()
        if self.feeder is not None:
            # Behind the handing over: what the feeder may wait for must not be cancelled with it.
            self.feeder.cancel()
        if self._waiter is not None:
            self._wake()

    def _hand_over(self) -> None:
        if not self.head.done():
            self.head.set_result(None)

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def switched(self) -> None:
        """The far side speaks another protocol from here on, and may be silent as it likes."""
        self._begun = True
        self.touched = self._loop.time()
        self.due = min(self.touched + self._deadlines.idle, self._started + self._deadlines.total)

    # ── the feeder's side ────────────────────────────────────────────────────
    def moved(self) -> None:
        """A piece of the request's body came, to be sent."""
        self.touched = self._loop.time()

    def fed(self) -> None:
        """The request's body is sent: it is the far side's turn."""
        if not self.sending:
            return
        self.sending = False
        self._started = self.touched = self._loop.time()
        self.due = self._started + min(self._deadlines.first_byte, self._deadlines.total)
        self._watch.hasten(self.due)

    # ── the watch's side ─────────────────────────────────────────────────────
    def check(self, now: float) -> None:
        """Fail if a deadline has passed, and say when to look again."""
        deadlines = self._deadlines
        end = self._started + deadlines.total
        if self._paused:
            self.touched = now
        if self.sending:
            end = quiet = self.touched + deadlines.idle
            complaint = f"took no byte for {deadlines.idle:g} s (idle deadline)"
        elif self._begun:
            quiet = self.touched + deadlines.idle
            complaint = f"fell silent for {deadlines.idle:g} s (idle deadline)"
        else:
            quiet = self._started + deadlines.first_byte
            complaint = f"sent no byte within {deadlines.first_byte:g} s (first_byte deadline)"
        if end <= quiet and not self.sending:
            complaint = f"did not finish within {deadlines.total:g} s (total deadline)"
        self.due = min(end, quiet)
        if self.due <= now + ROUNDING:
            self.fail(UpstreamTimeout(f"deployment {self.name!r} {complaint}"))
        elif self._begun:
            self._hand_over()
