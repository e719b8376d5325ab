"""What the edge is given: a head, first bytes, and more as they come.

Streaming is the general case; a reply that is not streamed is one piece.
"""

from collections.abc import Callable

from gateway.call import Headers
from gateway.errors import GatewayError
from gateway.flow.flight import Flight
from gateway.flow.journey import Journey


class Answer:
    """One caller's view of an answer.

    `headers` are the upstream's that a client may see. `first` is the first piece; `rest()` gives
    the others when `stream` is true. `close()` must be called exactly once, however it ended.
    """

    __slots__ = ("_at", "_closed", "_flight", "first", "headers", "journey", "status", "stream")

    def __init__(
        self,
        journey: Journey,
        status: int,
        headers: Headers,
        first: bytes,
        *,
        flight: Flight | None = None,
        closed: Callable[[Journey], None],
    ) -> None:
        self.journey = journey
        self.status = status
        self.headers = headers
        self.first = first
        self.stream = flight is not None
        self._flight = flight
        self._closed = closed
        self._at = 1
        if flight is not None:
            flight.readers += 1
        journey.status = status

    async def rest(self) -> bytes:
        """The next bytes; `b""` at the end.

        Raises:
            GatewayError: the answer was cut; the client must be told so inside the stream.
        """
        if self._flight is None:
            return b""
        try:
            data, self._at = await self._flight.after(self._at)
        except GatewayError as error:
            self.journey.outcome = error.kind
            raise
        return data

    def sequence(self) -> int:
        """The number of its last event, where events are numbered; else -1."""
        return self._flight.source.sequence() if self._flight is not None else -1

    def may_comment(self) -> bool:
        """Whether a `:` comment is safe: never beside `id:` lines, some clients die of it."""
        return self._flight is not None and self._flight.source.comments_allowed()

    def close(self, *, left: bool = False) -> None:
        """The edge is done with it; `left` says that the client was gone before the end."""
        if self._flight is not None:
            self._flight.left()
        if left and not self.journey.outcome:
            self.journey.outcome = "caller_left"
        self._closed(self.journey)
