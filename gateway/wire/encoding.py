"""Reading compressed reply bodies, in bounded steps; the bytes passed on stay as they came."""

import zlib

from gateway.errors import UpstreamBroken

# gzip and zlib headers are told apart by zlib itself.
AUTO_DETECT = zlib.MAX_WBITS | 32
DECODABLE = frozenset({b"gzip", b"x-gzip", b"deflate"})


def decoded(body: bytes, encoding: bytes, limit: int) -> bytes:
    """The body as a reader sees it, at most `limit` bytes.

    Raises:
        UpstreamBroken: an encoding nobody asked for, broken data, or a bomb.
    """
    if not encoding or encoding == b"identity":
        return body
    if encoding not in DECODABLE:
        message = "The upstream compressed its reply in a way nobody asked for."
        raise UpstreamBroken(message)
    engine = zlib.decompressobj(AUTO_DETECT)
    try:
        plain = engine.decompress(body, limit)
    except zlib.error as error:
        message = "The upstream's compressed reply cannot be read."
        raise UpstreamBroken(message) from error
    if engine.unconsumed_tail or not engine.eof:
        message = "The upstream's compressed reply is cut, or larger than it may be."
        raise UpstreamBroken(message)
    return plain
