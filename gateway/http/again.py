"""Requests whose head is, byte for byte, that of an earlier one on the same connection.

Clients that keep a connection send the same head with every call; only the length of the body
changes. Such a head is not parsed again: what the parser found in it then, it would find now. All
else goes to the parser, which has seen nothing of what was taken here and rests between two
requests. A body may come in as many segments as it likes; what follows it is the parser's again.
"""

import re
from typing import TYPE_CHECKING, NamedTuple

from gateway.call import Headers
from gateway.wire.headers import to_upstream

if TYPE_CHECKING:
    from gateway.http.exchange import Exchange
    from gateway.http.protocol import EdgeProtocol

# Longer heads are rare, and keeping one costs a connection its size.
LONGEST_HEAD = 8 * 1024
# Digits of a body's length: more than any limit of ours has.
MOST_DIGITS = 9
# Heads learnt in a row without one that came again: this client's are never alike.
FRUITLESS = 8

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]{1,9})\r\n", re.IGNORECASE)


class Head(NamedTuple):
    """A head around the digits of its body's length, and what was found in it."""

    before: bytes
    after: bytes
    headers: list[tuple[bytes, bytes]]
    fields: dict[bytes, bytes]
    upstream: Headers
    route: str


class Again:
    """One connection's memory of its latest head."""

    __slots__ = ("_data", "_exchange", "_fruitless", "_head", "_owed")

    def __init__(self) -> None:
        self._data = b""
        self._head: Head | None = None
        self._fruitless = 0
        self._exchange: Exchange | None = None
        self._owed = 0

    def take(self, connection: "EdgeProtocol", data: bytes) -> bool:
        """Take what came, if it is a request like the latest or the rest of one."""
        if self._exchange is not None:
            self._more(connection, self._exchange, data)
            return True
        if connection.receiving_since is not None or not connection.idle():
            return False
        head = self._head
        size, end = _length(head, data) if head is not None else (0, 0)
        if head is None or not 0 < size <= connection.plane.limits.max_body:
            # Perhaps the next one will be like this one.
            self._data = data[:LONGEST_HEAD] if self._fruitless < FRUITLESS else b""
            return False
        self._fruitless, self._owed = 0, size
        self._exchange = connection.begin_again(head)
        self._more(connection, self._exchange, data[end:])
        return True

    def _more(self, connection: "EdgeProtocol", exchange: "Exchange", data: bytes) -> None:
        rest = data[self._owed :]
        if rest:
            data = data[: self._owed]
        self._owed -= len(data)
        if data:
            exchange.size += len(data)
            exchange.add(data)
        if self._owed:
            return
        self._exchange = None
        connection.on_message_complete()
        if rest:
            connection.data_received(rest)

    def learn(self, exchange: "Exchange") -> None:
        """A request was read by the parser: its head may come again."""
        data, self._data = self._data, b""
        end = data.find(_END)
        if end < 0 or not exchange.size or not exchange.keep_alive or exchange.expects:
            return
        lengths = list(_LENGTH.finditer(data, 0, end + 2))
        # A length there is, once, and it is the body's: nothing else frames it.
        if len(lengths) != 1 or int(lengths[0][1]) != exchange.size:
            return
        start, stop = lengths[0].span(1)
        headers, before, after = list(exchange.headers), data[:start], data[stop : end + len(_END)]
        allowed = to_upstream(headers)
        self._head = Head(before, after, headers, dict(headers), allowed, exchange.route)
        self._fruitless += 1


def _length(head: Head, data: bytes) -> tuple[int, int]:
    """The length of the body and where it begins; zeros if the head is another one."""
    start = len(head.before)
    if not data.startswith(head.before):
        return 0, 0
    end = data.find(b"\r", start, start + MOST_DIGITS + 1)
    digits = data[start:end] if end > 0 else b""
    if not digits.isdigit() or not data.startswith(head.after, end):
        return 0, 0
    return int(digits), end + len(head.after)
