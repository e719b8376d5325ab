"""Requests that offer another protocol: the offer is declined and the request served."""

from collections.abc import Iterable

from httptools import HttpRequestParser


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
