"""An exchange that is passed on: its body goes up while it arrives, its reply comes as it is.

It is answered from its head on, and is itself the feed of the request upstream. What the client
sends faster than the upstream takes it waits in the client: at most `BUFFERED` bytes, and what one
reading brought, lie here.
"""

import asyncio
from typing import TYPE_CHECKING

from gateway.errors import GatewayError
from gateway.http.exchange import CHUNKED, CLOSE, Exchange

if TYPE_CHECKING:
    from gateway.http.protocol import EdgeProtocol

BUFFERED = 256 * 1024


class Passage(Exchange):
    """The `Feed` of its own request; `length` is what its head says."""

    __slots__ = ("_held", "_waiter", "length", "method", "target", "upgrade")

    def __init__(
        self,
        protocol: "EdgeProtocol",
        headers: list[tuple[bytes, bytes]],
        route: str,
        *,
        keep_alive: bool,
    ) -> None:
        super().__init__(protocol, headers, route, keep_alive=keep_alive)
        self.method = protocol.parser.get_method().decode("latin-1")
        self.target = protocol.url
        self.length = _length(headers)
        self.upgrade = ""
        self._held = 0
        self._waiter: asyncio.Future[None] | None = None

    @property
    def most(self) -> int:
        """The largest body it may have."""
        return self.protocol.plane.passing.rules.max_upload

    # ── the request ──────────────────────────────────────────────────────────

    def add(self, part: bytes) -> None:
        """More of the body; the client waits while much of it does."""
        self.parts.append(part)
        self._held += len(part)
        protocol = self.protocol
        if protocol.receiving_since is not None:
            # An upload may take as long as it goes on.
            protocol.receiving_since = protocol.plane.now()
        if self._held > BUFFERED:
            protocol.flow.pause_reading()
        self._wake()

    def complete_now(self) -> None:
        """The request is whole."""
        self.complete = True
        self._wake()

    def refused(self) -> bool:
        """What arrives is refused: give up what was begun; whether nothing was answered yet."""
        self.hung_up()
        self.parts.clear()
        return not self.streaming

    async def chunk(self) -> bytes:
        """The next bytes of the body; `b""` once it was whole."""
        while not self.parts:
            if self.complete:
                return b""
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        self._held = 0
        protocol = self.protocol
        current: object = protocol.cycle
        if not self.complete and current is self:
            # Else the next request waits for its turn, or the body is all here.
            protocol.flow.resume_reading()
        return self.body()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # ── the reply ────────────────────────────────────────────────────────────

    def whole(self, head: bytes, body: bytes) -> None:
        """Write a reply that is complete; what is left of the request is not waited for."""
        self.keep_alive = self.keep_alive and self.complete
        super().whole(head, body)

    def pass_head(self, head: bytes, length: int | None, *, bodyless: bool) -> None:
        """Write the head of the upstream's reply, framed as that was."""
        self.streaming = True
        if self.disconnected:
            return
        stated = b"" if length is None else b"content-length: %d\r\n" % length
        self.chunked = length is None and not bodyless and not self.http_1_0
        # An early reply does not wait for the rest of its request.
        framed = length is not None or not self.http_1_0
        self.keep_alive = self.keep_alive and self.complete and framed
        closing = b"" if self.keep_alive else CLOSE
        framing = CHUNKED if self.chunked else b"%b\r\n" % stated
        self.protocol.transport.write(b"%b%b%b" % (head, closing, framing))

    def switch(self, head: bytes) -> None:
        """Both sides speak another protocol from here on."""
        self.streaming = True
        self.keep_alive = False
        self.protocol.transport.write(b"%b\r\n" % head)

    def fail(self, error: GatewayError, request_id: str) -> None:
        """Tell the client what went wrong, where nothing was said yet; else cut the reply."""
        if self.streaming:
            self.drop()
        else:
            super().fail(error, request_id)


def _length(headers: list[tuple[bytes, bytes]]) -> int | None:
    """How long the body is; None where it comes in chunks."""
    fields = dict(headers)
    if b"transfer-encoding" in fields:
        return None
    stated = fields.get(b"content-length", b"0")
    return int(stated) if stated.isdigit() else 0
