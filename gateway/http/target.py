"""Request targets that are not a path: what they ask for of this server (RFC 9112, 3.2).

A client may write the whole address, as it would to a proxy; the host in it counts for no more here
than the `host` field does, as the gateway serves one place. The other forms (`*`, and the
`host:port` of CONNECT) are left as they are.
"""

from httptools import parse_url


def origin_form(target: bytes) -> bytes:
    """The path and query of a target in absolute form.

    Raises:
        HttpParserError: it is no address.
    """
    if b"://" not in target.partition(b"?")[0]:
        return target
    parsed = parse_url(target)
    path = parsed.path or b"/"
    return path if parsed.query is None else b"%b?%b" % (path, parsed.query)
