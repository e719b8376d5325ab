"""What a connection's sweep, about once a second, finds to have waited too long.

    waits for                          since              then
    the rest of a request              its first byte     408 in its turn, lingering close
    a first byte                       connecting         closed without a word
    the next request                   the last reply     closed without a word
    the client to read                 its last reading   cut
    the next piece of a stream         the last write     a comment, where one is safe

Time in which we do not read from the client is not the client's.
"""

from typing import TYPE_CHECKING

from gateway.errors import RequestTimeout
from gateway.http.exchange import Exchange

if TYPE_CHECKING:
    from gateway.http.protocol import EdgeProtocol


class Sweep:
    """One connection's; remembers how much the client had not read the last time."""

    __slots__ = ("_unread", "_unread_since")

    def __init__(self) -> None:
        self._unread = 0
        self._unread_since = 0.0

    def pass_over(self, connection: "EdgeProtocol", now: float) -> None:
        """Look once; `now` is monotonic seconds."""
        unread = connection.transport.get_write_buffer_size()
        if unread:
            self._watch_reader(connection, unread, now)
            return
        self._unread = 0
        if connection.discarding or connection.transport.is_closing():
            return
        limits = connection.plane.limits
        if connection.receiving_since is not None:
            _watch_request(connection, connection.receiving_since, now)
        elif connection.idle_since is not None and now - connection.idle_since > limits.keep_alive:
            connection.transport.close()
        active = connection.active
        if (
            isinstance(active, Exchange)
            and active.streaming
            and not active.response_complete
            and now - active.last_write > limits.silence
        ):
            active.keep_alive_comment()
            active.last_write = now

    def _watch_reader(self, connection: "EdgeProtocol", unread: int, now: float) -> None:
        if unread != self._unread:
            self._unread, self._unread_since = unread, now
        elif now - self._unread_since > connection.plane.limits.stalled:
            connection.transport.abort()


def _watch_request(connection: "EdgeProtocol", since: float, now: float) -> None:
    active = connection.active
    if connection.flow.read_paused:
        connection.receiving_since = now
    elif now - since <= connection.plane.limits.receive_timeout:
        return
    elif connection.head_bytes or (active is not None and not active.response_complete):
        connection.refuse(RequestTimeout("The request did not arrive whole in time."))
    else:
        connection.transport.close()
