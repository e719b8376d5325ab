"""Feeds that a test fills, and requests that have one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from gateway.ports import Deadlines, Request
from tests.upstream.far_end import FarEnd, a_request

MEGABYTE = b"m" * (1 << 20)
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
Piece = bytes | Exception | Callable[[], Awaitable[object]]


@dataclass
class Spring:
    """A feed out of pieces; a piece may be an error to raise or an awaitable to wait for."""

    pieces: deque[Piece]
    length: int | None = None
    taken: int = 0
    dry: asyncio.Event = field(default_factory=asyncio.Event)

    async def chunk(self) -> bytes:
        while self.pieces:
            piece = self.pieces.popleft()
            if isinstance(piece, Exception):
                raise piece
            if not isinstance(piece, bytes):
                await piece()
                continue
            self.taken += len(piece)
            return piece
        self.dry.set()
        return b""


def spring(*pieces: Piece, length: int | None = None) -> Spring:
    return Spring(deque(pieces), length)


def feeding(far: FarEnd, feed: Spring, deadlines: Deadlines = Deadlines()) -> Request:  # noqa: B008 frozen
    kind = ((b"content-type", b"multipart/form-data; boundary=x"),)
    asked = a_request(far, headers=kind, body=b"", deadlines=deadlines, path="/files?a=1")
    return asked._replace(feed=feed)


def switching(far: FarEnd, feed: Spring) -> Request:
    asked = a_request(far, stream=True, body=b"", headers=((b"sec-websocket-key", b"k"),))
    return asked._replace(method="GET", feed=feed, upgrade="websocket")
