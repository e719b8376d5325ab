"""What passes over a connection that httpcore drives, seen from the socket's side.

httpcore keeps to itself three things that decide whether a connection may be used again and whether
a request may be sent again: that bytes followed the reply (it puts the connection back with those
bytes unread, and the next caller is handed them as its own reply), that the far side closed, and
that no byte of a reply had come by then. So the bytes are read along here. Nothing is changed,
delayed or kept.
"""

import ssl
from collections.abc import Iterable
from typing import cast

import httpcore
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

INTERIM_END = 200


class OutOfTurn(Exception):
    """Raised inside the parser's callbacks: something follows the reply."""


class Tap(httpcore.AsyncNetworkBackend):
    """Opens one connection at a time and says what passed over it since `begin`.

    `fresh`: it is a new one. `heard`: bytes came. `ended`: the far side closed. `clean`: one
    whole reply came and nothing else, so another request may follow.
    """

    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()
        self._parser: HttpResponseParser | None = None
        self._whole = self._odd = False
        self.fresh = self.heard = self.ended = False

    @property
    def clean(self) -> bool:
        """Whether the connection may carry another exchange."""
        # HTTP/2 frames say themselves which exchange they belong to.
        return not self.ended and (self._parser is None or (self._whole and not self._odd))

    def begin(self) -> None:
        """A request is about to be sent."""
        self._whole = self._odd = False
        self.fresh = self.heard = self.ended = False

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.fresh = True
        stream = await self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        return self.opened(stream, framed=False)

    def opened(
        self, stream: httpcore.AsyncNetworkStream, *, framed: bool
    ) -> httpcore.AsyncNetworkStream:
        """Read along from here on; `framed`: this is HTTP/2."""
        self._whole = self._odd = False
        self._parser = None if framed else HttpResponseParser(self)
        return TappedStream(stream, self)

    def received(self, data: bytes) -> None:
        """These bytes came; none: the far side closed."""
        if not data:
            self.ended = True
            return
        self.heard = True
        if self._parser is None or self._odd:
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            # Whether the reply is in order is for httpcore to say; the connection has served.
            self._odd = True

    # ── what the parser says ─────────────────────────────────────────────────
    def on_message_begin(self) -> None:
        if self._whole:
            raise OutOfTurn

    def on_message_complete(self) -> None:
        parser = cast("HttpResponseParser", self._parser)
        self._whole = parser.get_status_code() >= INTERIM_END


class TappedStream(httpcore.AsyncNetworkStream):
    """A network stream that tells its tap what it receives."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, tap: Tap) -> None:
        self._stream = stream
        self._tap = tap

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 the signature is httpcore's
    ) -> bytes:
        try:
            data = await self._stream.read(max_bytes, timeout)
        except httpcore.ReadError:
            self._tap.received(b"")
            raise
        self._tap.received(data)
        return data

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 the signature is httpcore's
    ) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 the signature is httpcore's
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        protocol = stream.get_extra_info("ssl_object").selected_alpn_protocol()
        return self._tap.opened(stream, framed=protocol == "h2")

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
