"""One HTTP/1.1 connection: bytes in, one reply at a time out.

Two rules. A connection carries one exchange at a time and returns to its pool only when the reply
is whole, wants to be kept alive, and nothing follows it: a second reply sent behind the first must
never reach the next caller. And whatever is odd ends the connection: the parser (llhttp) runs
without leniencies, so conflicting lengths, bad chunks and bare line feeds are errors.
"""

import asyncio
import select
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway.errors import UpstreamBroken, UpstreamTruncated, UpstreamUnreachable
from gateway.upstream.reply import FRAMING_LIMIT, PooledReply

# Larger bodies are not copied behind the head; the transport takes both.
COPY_LIMIT = 64 * 1024
# A kept-alive connection that was already dead shows it within a round trip. One that is lost
# later may have died working on the request, which must then not be sent twice.
STALE_WITHIN = 2.0
# Heads before the reply proper (100 Continue, 103 Early Hints) are skipped.
INTERIM = range(100, 200)
SWITCHING = 101


class Home(Protocol):
    """Where a connection goes when it is done."""

    def release(self, connection: "Connection") -> None:
        """It can carry another exchange."""
        ...

    def forget(self, connection: "Connection") -> None:
        """It is closed."""
        ...


class OddReply(Exception):
    """Raised inside the parser's callbacks: stop parsing, this is no reply we take."""


class Connection(asyncio.Protocol):
    """A connection of a pool. The `on_…` methods are the parser's callbacks."""

    __slots__ = (
        "_chunks",
        "_drained",
        "_fields",
        "_headed",
        "_home",
        "_keep",
        "_loop",
        "_parser",
        "_poll",
        "_raw",
        "_reply",
        "_served",
        "_transport",
        "_whole",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, home: Home) -> None:
        self._loop = loop
        self._home = home
        self._parser = HttpResponseParser(self)
        self._reply: PooledReply | None = None
        self._fields: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._headed = self._whole = self._keep = self._raw = False
        self._served = 0
        self._drained: asyncio.Future[None] | None = None

    @property
    def closing(self) -> bool:
        """Whether it is closed or about to be."""
        return self._transport.is_closing()

    def spoke_out_of_turn(self) -> bool:
        """Whether bytes have come, or the end, that the event loop has not yet told of."""
        return bool(self._poll.poll(0))

    def shut(self) -> None:
        """Close at once; a reply in flight fails."""
        if self._reply is not None:
            self._reply.fail(UpstreamUnreachable("the client is closed"))
        self._transport.abort()

    def send(self, reply: PooledReply, head: bytes, body: bytes) -> None:
        """Begin an exchange."""
        transport = self._transport
        reply.wire = self
        self._served += 1
        self._reply = reply
        self._fields = []
        self._chunks = reply.chunks
        self._headed = self._whole = self._keep = False
        if len(body) > COPY_LIMIT:
            transport.writelines((head, body))
        else:
            transport.write(head + body)

    async def write(self, data: bytes) -> None:
        """Send more of what an exchange has to say, once what was said before is on its way."""
        while self._drained is not None:
            await self._drained
        # Nothing can be written to a connection that is lost, and its reply says so.
        if not self._transport.is_closing():
            self._transport.write(data)

    # ── what a reply may ask for ─────────────────────────────────────────────
    def pause(self) -> None:
        # Closing is told a turn later than it happens, and uvloop refuses to pause what is closed.
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def drop(self) -> None:
        self._reply = None
        self._transport.abort()

    # ── what the transport says ──────────────────────────────────────────────
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        reply = self._reply
        if reply is None:
            # Nobody asked. Whatever it is, the next caller must not get it.
            self._transport.abort()
            return
        reply.unread += len(data)
        if self._raw:
            self._chunks.append(data)
            reply.progress()
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._keep = False
            if self._raw and isinstance(error, HttpParserUpgrade):
                self._chunks += [rest] if (rest := data[error.args[0] :]) else []
            elif not self._whole:
                reply.fail(_broken(reply, error))
                return
        if not self._whole:
            reply.progress()
            return
        self._reply = None
        sent = not reply.sending
        reply.finish()
        if self._keep and sent:
            self._home.release(self)
        else:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._home.forget(self)
        # The parser holds this object and this object the parser.
        del self._parser
        self.resume_writing()
        reply, self._reply = self._reply, None
        if reply is None:
            return
        reply.wire = None
        if not reply.status:
            quick = self._loop.time() - reply.touched <= STALE_WITHIN
            reply.stale = self._served > 1 and quick and not reply.unread
            message = f"the connection to deployment {reply.name!r} was lost before a reply"
            reply.fail(UpstreamUnreachable(message))
        elif exc is None and (self._raw or _ends_with_connection(reply)):
            reply.finish()
        else:
            message = f"the reply of deployment {reply.name!r} ended before it was whole"
            reply.fail(UpstreamTruncated(message))

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    # ── what the parser says ─────────────────────────────────────────────────
    def on_message_begin(self) -> None:
        if self._whole:
            raise OddReply

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        fields, self._fields = self._fields, []
        status = self._parser.get_status_code()
        reply = cast("PooledReply", self._reply)
        if status == SWITCHING and reply.upgrade and self._parser.should_upgrade():
            self._raw = True
            reply.switched()
        elif status < INTERIM.stop:
            if status not in INTERIM or status == SWITCHING:
                message = f"status {status}"
                raise OddReply(message)
            return
        codings = [value for name, value in fields if name == b"transfer-encoding"]
        if codings and (len(codings) > 1 or codings[0].lower() != b"chunked"):
            message = "a transfer coding nobody asked for"
            raise OddReply(message)
        if reply.unread > FRAMING_LIMIT and _size(fields) > FRAMING_LIMIT:
            message = "its head is too large"
            raise OddReply(message)
        self._keep = self._parser.should_keep_alive() and not reply.bodyless
        reply.headers = tuple(fields)
        reply.status = status
        self._headed = True
        # What follows the head of a reply to HEAD is not its body, whatever its length says.
        self._whole = reply.bodyless

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        # An interim head is a message of its own, and one that ends HTTP has no end.
        self._whole = self._headed and not self._raw


def _broken(reply: PooledReply, error: Exception) -> UpstreamBroken:
    # The parser wraps what its callbacks raise; its own words quote nothing the upstream sent.
    cause = error.__context__ if isinstance(error.__context__, OddReply) else error
    return UpstreamBroken(f"deployment {reply.name!r} sent no valid reply: {cause}")


def _size(fields: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in fields)


def _ends_with_connection(reply: PooledReply) -> bool:
    """Whether the end of the connection is the end of the body: nothing else says its length."""
    return not any(name in {b"content-length", b"transfer-encoding"} for name, _ in reply.headers)
