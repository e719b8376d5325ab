"""One upstream answer, read by one caller or by several identical ones at once.

Theory: there is no task that pumps. Whoever wants more than has arrived, and finds nobody fetching
it, fetches it for all; when its client leaves, the next in need takes over. So a slow or vanished
reader never holds up the others, a lone reader pays for nothing, and when the last one leaves the
upstream is let go at once.

Two rules: pieces are handed out in order to everyone, and what follows the last piece (the end or
the error) is the same for everyone. Readers that fall more than `LAG_BYTES` behind a long answer
are cut off rather than served from unbounded memory.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import islice
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from gateway.errors import GatewayError, UpstreamError, UpstreamsExhausted, UpstreamTruncated

# A whole 32k-token stream is about 8 MB; behind that, a reader may lag this much.
KEPT_BYTES = 8 * 1024 * 1024
LAG_BYTES = 256 * 1024

# What failed the leader would fail its followers; any other error may be its own.
SHARED_FAILURES = (UpstreamError, UpstreamsExhausted)

T = TypeVar("T")


class Source(Protocol):
    """Where pieces come from."""

    async def piece(self) -> bytes:
        """The next bytes for the client; `b""` at the end; raises a `GatewayError` if cut.

        Cancelling loses nothing: the next call goes on where this one was.
        """
        ...

    def abandon(self) -> None:
        """Nobody reads any more."""
        ...

    def comments_allowed(self) -> bool:
        """Whether a `:` comment may be put between pieces."""
        ...

    def sequence(self) -> int:
        """The number of the last event; -1 where events have none."""
        ...


class Flight:
    """The pieces so far, and who reads them.

    `landed` is called once, when the last piece is in or the source failed.
    """

    __slots__ = (
        "_base",
        "_bytes",
        "_fetching",
        "_pieces",
        "_waiters",
        "error",
        "keeps",
        "landed",
        "over",
        "readers",
        "source",
    )

    def __init__(
        self,
        source: Source,
        *,
        first: bytes,
        keeps: bool,
        landed: Callable[[], Awaitable[None]],
    ) -> None:
        self.source = source
        self.keeps = keeps
        self.landed = landed
        self.readers = 0
        self.over = False
        self.error: GatewayError | None = None
        self._pieces: deque[bytes] = deque((first,))
        self._base = 0
        self._bytes = len(first)
        self._fetching = False
        self._waiters: list[asyncio.Future[None]] = []

    def joinable(self) -> bool:
        """Whether one more reader could still have it from its first byte on."""
        return self.keeps and (self.readers > 0 or self.over)

    def whole(self) -> tuple[bytes, ...] | None:
        """Every piece, when all were kept and the end was reached."""
        if not self.over or self.error is not None or self._base or not self.keeps:
            return None
        return tuple(self._pieces)

    async def after(self, at: int) -> tuple[bytes, int]:
        """The bytes behind a reader's place, and its new place; `b""` at the end."""
        while True:
            have = self._base + len(self._pieces)
            if at < have:
                return self._since(at), have
            if self.over:
                if self.error is not None:
                    raise self.error
                return b"", at
            if self._fetching:
                await self._wait()
            else:
                await self._fetch()

    def left(self) -> None:
        """A reader is gone; the last one takes the source with it."""
        self.readers -= 1
        if self.readers <= 0 and not self.over:
            self.source.abandon()
            self.landed = _nowhere

    def _since(self, at: int) -> bytes:
        index = at - self._base
        if index < 0:
            message = "This client read too slowly to go on sharing a long answer."
            raise UpstreamTruncated(message)
        pieces = self._pieces
        if index == len(pieces) - 1:
            return pieces[-1]
        return b"".join(islice(pieces, index, None))

    async def _fetch(self) -> None:
        self._fetching = True
        try:
            piece = await self.source.piece()
        except GatewayError as error:
            self.over, self.error = True, error
            # Where it was our reading that failed, the upstream is still sending.
            self.source.abandon()
            await self._land()
        else:
            if piece:
                self._append(piece)
            else:
                self.over = True
                await self._land()
        finally:
            self._fetching = False
            if self._waiters:
                self._wake()

    async def _land(self) -> None:
        landed, self.landed = self.landed, _nowhere
        await landed()

    def _append(self, piece: bytes) -> None:
        pieces = self._pieces
        pieces.append(piece)
        self._bytes += len(piece)
        if self.keeps:
            if self._bytes <= KEPT_BYTES:
                return
            self.keeps = False
        limit = LAG_BYTES if self.readers > 1 else 0
        while len(pieces) > 1 and self._bytes > limit:
            self._bytes -= len(pieces.popleft())
            self._base += 1

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


async def _nowhere() -> None:
    """Stands where `landed` was: what it holds holds this flight, and would stay with it."""


class Presence:
    """Who still waits for a call: its own client, and identical calls that joined it.

    When nobody does, the work is cancelled.
    """

    __slots__ = ("_cancel", "_waiting")

    def __init__(self, cancel: Callable[[], object]) -> None:
        self._cancel = cancel
        self._waiting = 1

    def join(self) -> None:
        """One more waits."""
        self._waiting += 1

    def leave(self) -> None:
        """One has left, or got what it waited for."""
        self._waiting -= 1
        if not self._waiting:
            self._cancel()


class Takeoff(Generic[T]):
    """A call on its way to its head, which identical calls may wait for.

    Resolves to whatever the leader opened, or to how the upstreams failed it; whatever else stopped
    it (it was cancelled, its key has no money left) resolves to None, and the followers start
    afresh. As a context manager it is found under its key for so long, and resolved however that
    ends. (Not by `contextlib`: every call has one.)
    """

    __slots__ = ("_among", "_future", "_key", "_presence")

    def __init__(self, presence: Presence, key: bytes, among: dict[bytes, "Takeoff[T]"]) -> None:
        self._presence = presence
        self._key = key
        self._among = among
        self._future: asyncio.Future[T | GatewayError | None] | None = None

    def __enter__(self) -> Self:
        self._among[self._key] = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del self._among[self._key]
        self.resolve(error if isinstance(error, SHARED_FAILURES) else None)

    async def wait(self) -> T | None:
        """Wait for the leader's head; raises the error of the upstreams that failed it."""
        if self._future is None:
            self._future = asyncio.get_running_loop().create_future()
        self._presence.join()
        try:
            result = await asyncio.shield(self._future)
        finally:
            self._presence.leave()
        if isinstance(result, GatewayError):
            raise result
        return result

    def resolve(self, result: T | GatewayError | None) -> None:
        """The head is in, or there will be none."""
        if self._future is not None and not self._future.done():
            self._future.set_result(result)
