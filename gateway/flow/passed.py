"""A reply that passes: the upstream's bytes as they come, and what they say of themselves.

Two things are not passed on: an upstream that refuses our key answers whoever called with 502 and
nothing of its own words, and a text that quotes what we called it with loses that.
"""

from collections.abc import Awaitable, Callable

from gateway.call import Headers
from gateway.catalog import Deployment
from gateway.errors import UpstreamError, UpstreamTruncated
from gateway.flow.hiding import hidden
from gateway.flow.opening import MAX_ERROR_BYTES, UNAUTHORIZED, header
from gateway.flow.passage import Books
from gateway.ports import Reply
from gateway.route.plan import upstream_outcome
from gateway.wire.encoding import decoded
from gateway.wire.envelope import envelope
from gateway.wire.frames import Frames
from gateway.wire.observed import ANY_END, ENDINGS, Observed
from gateway.wire.surface import passed_to_client

UNAUTHORIZED_STATUS = 401
SWITCHING = 101
OK = 200
JSON_FIELD = (b"content-type", b"application/json")
# Replies that have no body, whatever their fields say.
BODYLESS = frozenset({204, 304})
EVENTS = b"text/event-stream"
Landed = Callable[["Passed"], Awaitable[None]]


class Passed:
    """One reply on its way; `length` is its bytes in all, None where nobody knows yet.

    `close()` must be called exactly once, however it ended.
    """

    __slots__ = (
        "_closed",
        "_first",
        "_landed",
        "_reply",
        "books",
        "headers",
        "length",
        "observed",
        "status",
        "whole",
    )

    def __init__(
        self, books: Books, reply: Reply, landed: Landed, closed: Callable[["Passed"], None]
    ) -> None:
        self.books = books
        self.status = reply.status
        self.headers: Headers = passed_to_client(reply.headers, tunnel=self.switched)
        self.length = _length(reply.headers)
        self.whole = False
        self._first = b""
        self._reply = reply
        self._landed = landed
        self._closed = closed
        if books.wanted.method == "HEAD" or self.status in BODYLESS:
            self.whole = True
        for name, value in reply.headers:
            if name == b"x-request-id":
                books.upstream_id = value.decode("latin-1")
        events = EVENTS in header(reply.headers, b"content-type")
        books.stream = self.switched or events
        endings = ENDINGS.get(books.area, ANY_END) if events and self.status == OK else ANY_END
        self.observed = Frames() if self.switched else Observed(endings)

    @property
    def switched(self) -> bool:
        """Whether this is another protocol from here on."""
        return self.status == SWITCHING

    def located(self) -> dict[str, str]:
        """The id at the end of the address of what was made, where only a field tells it."""
        where = dict(self.headers).get(b"location", b"").decode("latin-1")
        name = where.partition("?")[0].rpartition("/")[2]
        return {"id": name} if name else {}

    async def refused(self, deployment: Deployment) -> None:
        """Look at an error reply before anything of it goes on.

        Raises:
            UpstreamError: it cannot be read.
        """
        self.books.outcome = upstream_outcome(self.status)
        if self.status == UNAUTHORIZED_STATUS:
            self._reply.abort()
            self.status, self._first = UpstreamError.status, envelope(UpstreamError(UNAUTHORIZED))
            kept = [field for field in self.headers if not field[0].startswith(b"content-")]
            self.headers = (*kept, JSON_FIELD)
        elif not self.whole:
            body = await self._reply.read(MAX_ERROR_BYTES)
            if encoding := header(self.headers, b"content-encoding"):
                body = decoded(body, encoding, MAX_ERROR_BYTES)
                self.headers = tuple(f for f in self.headers if f[0] != b"content-encoding")
            self._first = hidden(body, deployment)
        self.whole = True
        self.length = len(self._first) if self._first else self.length

    async def chunk(self) -> bytes:
        """The next bytes; `b""` at the end.

        Raises:
            UpstreamError: the reply was cut.
        """
        if self._first:
            first, self._first = self._first, b""
            return first
        if self.whole:
            return b""
        try:
            data = await self._reply.chunk()
        except UpstreamError as error:
            self.books.outcome = error.kind
            raise
        if data:
            self.observed.see(data)
            return data
        if isinstance(self.observed, Observed) and not self.observed.ended:
            self.books.outcome = UpstreamTruncated.kind
            message = "The upstream's stream ended before it was finished."
            raise UpstreamTruncated(message)
        self.whole = True
        await self._landed(self)
        return b""

    def close(self, *, left: bool = False) -> None:
        """Whoever reads it is done; `left` says that the client was gone before the end."""
        self._reply.abort()
        if left and not self.whole and not self.books.outcome and not self.switched:
            self.books.outcome = "caller_left"
        self._closed(self)


def _length(fields: Headers) -> int | None:
    stated = header(fields, b"content-length")
    return int(stated) if stated.isdigit() else None
