"""A reply that httpx brings.

httpx loses the rest of a body when whoever reads it is cancelled, and closes only when awaited. So
each piece is pulled by a task of its own: a reader that stops waiting loses nothing, and `abort`
works from anywhere. No piece is pulled before it is asked for, which is what pauses the upstream.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import httpcore
import httpx

from gateway.call import Feed, Headers
from gateway.errors import (
    GatewayError,
    UpstreamBroken,
    UpstreamError,
    UpstreamTimeout,
    UpstreamTruncated,
    UpstreamUnreachable,
)
from gateway.ports import Request
from gateway.upstream.httpx_errors import translate
from gateway.upstream.lanes import Lane, Lanes

SWITCHING = 101
RAW_BYTES = 64 * 1024


class HttpxReply:
    """The `Reply` of the httpx adapter; `foreign` are the errors that httpx may raise."""

    __slots__ = (
        "_begun",
        "_deadlines",
        "_ended",
        "_error",
        "_feeder",
        "_foreign",
        "_lane",
        "_lanes",
        "_loop",
        "_name",
        "_piece",
        "_pieces",
        "_pull",
        "_response",
        "_started",
        "_timer",
        "headers",
        "status",
    )

    def __init__(
        self,
        request: Request,
        response: httpx.Response,
        place: tuple[Lanes, Lane],
        foreign: tuple[type[Exception], ...],
        started: float,
    ) -> None:
        self.status = response.status_code
        self.headers: Headers = tuple((name.lower(), value) for name, value in response.headers.raw)
        self._name = request.deployment.name
        self._deadlines = request.deadlines
        self._started = started
        self._response = response
        self._pieces = cast("httpx.AsyncByteStream", response.stream).__aiter__()
        self._lanes, self._lane = place
        self._foreign = foreign
        self._loop = asyncio.get_running_loop()
        self._pull: asyncio.Task[None] | None = None
        self._piece = b""
        self._error: UpstreamError | None = None
        self._begun = self.status == SWITCHING
        self._ended = False
        self._feeder: asyncio.Task[None] | None = None
        if self._begun and request.feed is not None:
            stream = response.extensions["network_stream"]
            self._pieces = _raw(stream)
            self._feeder = self._lanes.spawn(self._carry(stream, request.feed))
        self._lanes.closers.add(self._shut)
        # For the reply that nobody reads: its connection must not be held for ever.
        self._timer = self._loop.call_at(started + self._deadlines.total, self._overdue)

    async def chunk(self) -> bytes:
        if not self._piece and not self._ended:
            if self._pull is None:
                self._pull = self._lanes.spawn(self._next())
            await asyncio.wait({self._pull})
        piece, self._piece = self._piece, b""
        if not piece and self._error is not None:
            raise self._error
        return piece

    async def read(self, limit: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := await self.chunk():
            size += len(piece)
            if size > limit:
                self.abort()
                message = f"deployment {self._name!r} sent more than {limit} bytes"
                raise UpstreamBroken(message)
            pieces.append(piece)
        return b"".join(pieces)

    def abort(self) -> None:
        self._fail(UpstreamTruncated(f"the reply of deployment {self._name!r} was given up"))

    async def _carry(self, stream: httpcore.AsyncNetworkStream, feed: Feed) -> None:
        """Send what comes from the caller, once the far side has switched protocols."""
        try:
            while piece := await feed.chunk():
                await stream.write(piece)
        except httpcore.NetworkError as error:
            self._fail(
                UpstreamTruncated(f"deployment {self._name!r} closed ({type(error).__name__})")
            )
        except GatewayError:
            self.abort()

    async def _next(self) -> None:
        """Pull one piece, or end."""
        error = await self._pulled()
        self._pull = None
        if error is not None:
            self._fail(error)
        elif not self._piece:
            self._end()
            await self._response.aclose()
            if self.status == SWITCHING:
                self._lane.drop()
            else:
                self._lane.done()

    async def _pulled(self) -> UpstreamError | None:
        deadlines = self._deadlines
        if self._begun:
            due = self._loop.time() + deadlines.idle
            complaint = f"fell silent for {deadlines.idle:g} s (idle deadline)"
        else:
            due = self._started + deadlines.first_byte
            complaint = f"sent no byte within {deadlines.first_byte:g} s (first_byte deadline)"
        try:
            async with asyncio.timeout_at(due):
                self._piece = await _filled(self._pieces)
        except TimeoutError:
            return UpstreamTimeout(f"deployment {self._name!r} {complaint}")
        except self._foreign as error:
            return translate(error, self._name, begun=True, ended=self._lane.tap.ended)
        self._begun = True
        return None

    def _fail(self, error: UpstreamError) -> None:
        if self._ended:
            return
        self._end()
        self._error = error
        if self._pull is not None:
            self._pull.cancel()
        self._lane.drop()

    def _end(self) -> None:
        self._ended = True
        self._timer.cancel()
        if self._feeder is not None:
            self._feeder.cancel()
        self._lanes.closers.discard(self._shut)

    def _shut(self) -> None:
        self._fail(UpstreamUnreachable("the client is closed"))

    def _overdue(self) -> None:
        total = self._deadlines.total
        message = f"deployment {self._name!r} did not finish within {total:g} s (total deadline)"
        self._fail(UpstreamTimeout(message))


async def _raw(stream: httpcore.AsyncNetworkStream) -> AsyncIterator[bytes]:
    """What comes over a connection that speaks HTTP no more."""
    try:
        while piece := await stream.read(RAW_BYTES):
            yield piece
    except httpcore.NetworkError as error:
        raise httpx.ReadError(type(error).__name__) from None


async def _filled(pieces: AsyncIterator[bytes]) -> bytes:
    """The next piece that is not empty; nothing at the end."""
    async for piece in pieces:
        if piece:
            return piece
    return b""
