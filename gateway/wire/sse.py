r"""Event streams as whole frames, each with the very bytes it came in.

A frame ends with an empty line. Lines end with LF, CR or CRLF, and a chunk may end between CR and
LF, so what a lone CR ends is settled by one rule: `\r\r` ends a frame at once, `\n\r` only when
the next byte shows that no `\n` belongs to it. With that the frames do not depend on how the
bytes are split. Empty lines before a frame are part of it. Nothing is decoded or normalised.
"""

import re

from gateway.errors import UpstreamBroken

MAX_FRAME = 1 << 20
"""Bytes. Chunks are far below 1 KiB, tool calls below 100 KiB; more is a broken upstream."""

_LF = 0x0A
_CR = 0x0D
_BOM = b"\xef\xbb\xbf"
_END = re.compile(rb"\n\n|\r\r|\n\r\n|\n\r(?=[^\n])")
# The longest match of _END, with what it looks ahead at, less one.
_OVERLAP = 2
_LINE = re.compile(rb"[^\r\n]++")


class Splitter:
    """Cuts a stream into frames, in linear time however small its chunks.

    `pending` is the frame that has begun and not ended: to look at, not to change.
    """

    __slots__ = ("_largest", "pending")

    def __init__(self, largest: int = MAX_FRAME) -> None:
        self._largest = largest
        self.pending = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames these bytes complete, each with its empty line.

        Raises:
            UpstreamBroken: when a frame is larger than `largest` bytes, complete or not.
        """
        if self.pending or _CR in data or len(data) > self._largest:
            return self._feed_with_care(data)
        if data.find(_LF) == len(data) - 2 and data.endswith(b"\n"):
            return [data]
        *whole, rest = data.split(b"\n\n")
        self.pending += rest
        return [frame + b"\n\n" for frame in whole]

    def rest(self) -> bytes:
        """The bytes of the frame that has begun and not ended."""
        return bytes(self.pending)

    def _feed_with_care(self, data: bytes) -> list[bytes]:
        rest = self.pending
        position = max(len(rest) - _OVERLAP, 0)
        rest += data
        frames: list[bytes] = []
        start = 0
        while end := _END.search(rest, position):
            position = end.end()
            frames.append(bytes(rest[start:position]))
            start = position
        del rest[:start]
        largest = self._largest
        if len(rest) > largest or any(len(frame) > largest for frame in frames):
            message = f"The upstream sent an event of more than {largest} bytes."
            raise UpstreamBroken(message)
        return frames


def plain_data_of(frame: bytes) -> bytes | None:
    """The data of a frame that is `data: `, data, LF, LF and nothing else, as nearly all are."""
    if (
        frame.find(_LF) == len(frame) - 2
        and frame.startswith(b"data: ")
        and frame.endswith(b"\n")
        and _CR not in frame
    ):
        return frame[6:-2]
    return None


def data_of(frame: bytes) -> bytes | None:
    """An event's data, its lines joined by LF; None when it has none, as a comment."""
    plain = plain_data_of(frame)
    if plain is not None:
        return plain
    spans = spans_of(frame, b"data")
    return b"\n".join([frame[start:end] for start, end in spans]) if spans else None


def has_id(frame: bytes) -> bool:
    """Whether the event sets the stream's last event id."""
    return bool(spans_of(frame, b"id"))


def spans_of(frame: bytes, field: bytes) -> list[tuple[int, int]]:
    """Where the values of a field's lines lie in the frame."""
    if frame.startswith(_BOM):
        # As long, and nothing to see: empty lines.
        frame = b"\n" * len(_BOM) + frame[len(_BOM) :]
    spans: list[tuple[int, int]] = []
    named = field + b":"
    for line in _LINE.finditer(frame):
        text = line[0]
        if text.startswith(named):
            start = line.start() + len(named)
            spans.append((start + text.startswith(b" ", len(named)), line.end()))
        elif text == field:
            spans.append((line.end(), line.end()))
    return spans


def cut_from_data(frame: bytes, start: int, end: int) -> bytes:
    """The frame without the bytes `start` to `end` of its data, wherever its lines lie."""
    pieces: list[bytes] = []
    position = offset = 0
    for line_start, line_end in spans_of(frame, b"data"):
        # Bounds in the frame of what goes from this line; offset is where its data starts.
        shift = line_start - offset
        low = min(max(start + shift, line_start), line_end)
        high = min(max(end + shift, line_start), line_end)
        pieces.append(frame[position:low])
        position = high
        offset += line_end - line_start + 1
    pieces.append(frame[position:])
    return b"".join(pieces)
