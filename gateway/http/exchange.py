"""One routed request and its reply on a client's connection.

Uvicorn's protocol keeps one object per request, its cycle; this is ours, without scope, receive
and send. The fields in the first group are those the protocol reads and writes.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.call import Headers
from gateway.errors import BodyTooLarge, GatewayError
from gateway.flow.flight import Presence
from gateway.http.again import Head
from gateway.http.head import HEALTHY
from gateway.http.tongues import Tongue

if TYPE_CHECKING:
    from gateway.http.protocol import EdgeProtocol

CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
CLOSE = b"connection: close\r\n"
LAST_CHUNK = b"0\r\n\r\n"
KEEP_ALIVE_COMMENT = b": keep-alive\n\n"
# A part costs about 40 bytes beside its own; merging this many costs nothing that can be seen.
MERGED_PARTS = 512


class _NoEvent:
    """Stands where uvicorn wakes a waiting `receive`; here nobody waits."""

    __slots__ = ()

    def set(self) -> None:
        """Nothing to wake."""


NO_EVENT = _NoEvent()


class Exchange:
    """The request's bytes as they come, and the only writer of its reply."""

    __slots__ = (
        "arrived",
        "chunked",
        "comments",
        "complete",
        "disconnected",
        "expects",
        "head",
        "headers",
        "health",
        "http_1_0",
        "keep_alive",
        "last_write",
        "merged",
        "message_event",
        "parts",
        "presence",
        "protocol",
        "response_complete",
        "route",
        "size",
        "streaming",
        "tongue",
        "turn",
    )

    def __init__(
        self,
        protocol: "EdgeProtocol",
        headers: list[tuple[bytes, bytes]],
        route: str,
        *,
        keep_alive: bool,
    ) -> None:
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = keep_alive
        self.message_event = NO_EVENT

        self.protocol = protocol
        self.route = route
        self.tongue: Tongue = protocol.plane.tongue(route)
        self.headers: Headers | list[tuple[bytes, bytes]] = headers
        self.parts: list[bytes] = []
        self.merged = 0
        self.size = 0
        self.expects = False
        self.head: Head | None = None
        self.health = False
        self.complete = False
        self.turn = False
        self.http_1_0 = False
        self.arrived = 0.0
        self.chunked = False
        self.streaming = False
        self.last_write = 0.0
        self.comments: Callable[[], bool] | None = None
        self.presence = Presence(protocol.worker.cancel)

    def start(self) -> None:
        """The request is whole and it is its turn: answer it."""
        protocol = self.protocol
        self.arrived = self.last_write = protocol.plane.now()
        protocol.worker.serve(self)

    @property
    def most(self) -> int:
        """The largest body it may have."""
        return self.protocol.plane.limits.max_body

    def too_large(self) -> BodyTooLarge:
        """What is said of a larger one."""
        return BodyTooLarge(f"The body is over {self.most} bytes.")

    def complete_now(self) -> None:
        """The request is whole: answer it, if it is its turn."""
        self.complete = True
        if self.health:
            self.protocol.transport.write(HEALTHY % (b"" if self.keep_alive else CLOSE))
            self.finish()
        elif self.turn:
            self.start()

    def refused(self) -> bool:
        """What arrives is refused; whether nothing was answered yet."""
        self.parts.clear()
        return True

    def add(self, part: bytes) -> None:
        """More of the body; many small parts become one, or their overhead would outgrow them."""
        parts = self.parts
        parts.append(part)
        if len(parts) - self.merged >= MERGED_PARTS:
            parts[self.merged :] = [b"".join(parts[self.merged :])]
            self.merged += 1

    def body(self) -> bytes:
        """The whole body; its parts are let go."""
        parts, self.parts = self.parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def whole(self, head: bytes, body: bytes) -> None:
        """Write a reply that is complete, in one write."""
        if not self.disconnected:
            closing = b"" if self.keep_alive else CLOSE
            self.protocol.transport.write(
                b"%b%bcontent-length: %d\r\n\r\n%b" % (head, closing, len(body), body)
            )
        self.finish()

    def begin(self, head: bytes, first: bytes) -> None:
        """Write a stream's head and its first bytes, in one write."""
        self.streaming = True
        if self.disconnected:
            return
        if self.http_1_0:
            self.protocol.transport.write(b"%b%b\r\n%b" % (head, CLOSE, first))
            return
        self.chunked = True
        closing = b"" if self.keep_alive else CLOSE
        # A chunk of no bytes would be the last one.
        piece = b"%x\r\n%b\r\n" % (len(first), first) if first else b""
        self.protocol.transport.write(b"%b%b%b%b" % (head, closing, CHUNKED, piece))

    def more(self, data: bytes) -> None:
        """Write more of a stream."""
        if data and not self.disconnected:
            self.protocol.transport.write(
                b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data
            )

    def end(self) -> None:
        """A stream is over."""
        if not self.disconnected and self.chunked:
            self.protocol.transport.write(LAST_CHUNK)
        self.finish()

    def fail(self, error: GatewayError, request_id: str) -> None:
        """Tell the client what went wrong, in a head of its own or inside the stream."""
        if self.streaming:
            self.more(self.tongue.cut(error))
            self.end()
        else:
            plane, date, tongue = self.protocol.plane, self.protocol.date(), self.tongue
            reply = plane.error_reply(error, request_id, self.headers, date=date, tongue=tongue)
            self.whole(*reply)

    def keep_alive_comment(self) -> None:
        """Break a silence, where a comment is safe."""
        if self.comments is not None and self.comments():
            self.more(KEEP_ALIVE_COMMENT)

    def drop(self) -> None:
        """There will be no (further) reply."""
        self.keep_alive = False
        self.finish()

    def finish(self) -> None:
        """The reply is out; the connection goes on to the next request, or closes."""
        if self.response_complete:
            return
        self.response_complete = True
        if not self.keep_alive:
            self.protocol.close_gently()
        self.protocol.on_response_complete()

    def hung_up(self) -> None:
        """The client is gone."""
        self.disconnected = True
        self.presence.leave()
