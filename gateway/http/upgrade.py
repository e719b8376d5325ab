"""Requests that offer another protocol.

WebSocket to an area that speaks it is passed on as a tunnel; every other offer is declined, which
HTTP allows, and the request served.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from httptools import HttpRequestParser

from gateway.http.asked import PASSED_ROUTE
from gateway.http.passage import Passage
from gateway.wire.surface import ROOT, TUNNELLED

if TYPE_CHECKING:
    from gateway.http.protocol import EdgeProtocol

WEBSOCKET = "websocket"


def answer_offer(connection: "EdgeProtocol", rest: bytes) -> None:
    """The head is in, and `rest` is what came behind it."""
    if _tunnels(connection):
        _begin_tunnel(connection, rest)
        return
    head = without_offer(connection.parser, connection.url, connection.headers)
    connection.parser = type(connection.parser)(connection)
    connection.parser.set_dangerous_leniencies(lenient_data_after_close=True)
    connection.data_received(head + rest)


def without_offer(
    parser: HttpRequestParser, url: bytes, headers: Iterable[tuple[bytes, bytes]]
) -> bytes:
    """The head of the request that was parsed last, without its offer.

    The parser takes what follows such a head for the other protocol, its body too; clients that
    offer HTTP/2 with every request (Java's) would have their bodies executed.
    """
    method, version = parser.get_method(), parser.get_http_version().encode()
    fields = [b"%b: %b\r\n" % field for field in headers if field[0] != b"upgrade"]
    return b"%b %b HTTP/%b\r\n%b\r\n" % (method, url, version, b"".join(fields))


def _begin_tunnel(connection: "EdgeProtocol", rest: bytes) -> None:
    connection.offers_upgrade = False
    connection.receiving_since = None
    tunnel = cast("Passage", connection.begin_exchange(PASSED_ROUTE))
    tunnel.upgrade, tunnel.keep_alive = WEBSOCKET, False
    connection.tunnel = tunnel
    if rest:
        tunnel.add(rest)


def _tunnels(connection: "EdgeProtocol") -> bool:
    offered = dict(connection.headers).get(b"upgrade", b"").lower()
    path = connection.url.partition(b"?")[0]
    first = path[len(ROOT) :].partition(b"/")[0].decode("latin-1")
    return (
        offered == WEBSOCKET.encode()
        and connection.parser.get_method() == b"GET"
        and path.startswith(ROOT)
        and first in TUNNELLED
        and connection.plane.passing.rules.enabled
        and connection.idle()
    )
