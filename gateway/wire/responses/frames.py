r"""Event streams as whole frames, as `gateway.wire.sse.Splitter` cuts them, but far larger ones.

The events that begin and end a response repeat the request's instructions and tools, and those of
images carry them: a frame may be as large as a request or a reply.
"""

import re

from gateway.errors import UpstreamBroken

MAX_EVENT = 64 << 20
"""Bytes; twice the largest request that is taken in by default."""

# The same rule, and for the same reasons: `\n\r` ends a frame only when no `\n` belongs to it.
_END = re.compile(rb"\n\n|\r\r|\n\r\n|\n\r(?=[^\n])")
_OVERLAP = 2
_CR = 0x0D


class Frames:
    """Cuts a stream into frames, in linear time however small its chunks."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames these bytes complete, each with its empty line.

        Raises:
            UpstreamBroken: when more than `MAX_EVENT` bytes have come of a frame without its end.
        """
        rest = self._rest
        if rest or _CR in data:
            frames = self._feed_with_care(data)
        else:
            *whole, tail = data.split(b"\n\n")
            rest += tail
            frames = [frame + b"\n\n" for frame in whole]
        if len(rest) > MAX_EVENT:
            message = f"The upstream sent an event of more than {MAX_EVENT} bytes."
            raise UpstreamBroken(message)
        return frames

    def _feed_with_care(self, data: bytes) -> list[bytes]:
        rest = self._rest
        position = max(len(rest) - _OVERLAP, 0)
        rest += data
        frames: list[bytes] = []
        start = 0
        while end := _END.search(rest, position):
            position = end.end()
            frames.append(bytes(rest[start:position]))
            start = position
        del rest[:start]
        return frames
