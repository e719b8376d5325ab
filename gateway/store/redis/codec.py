"""A kept reply as one value, and back; anything but what was written here is `Corrupt`.

    TGR1 | checksum | form | size | contents, or their zstd frame

The checksum (CRC-32, over all that follows it) is looked at first, so half a value, a value with a
byte turned and somebody else's value never get as far as being read. A value that says it is larger
than allowed is not unpacked, whatever its checksum. The contents keep the pieces of a stream apart:
fixed fields, then all lengths, then all bytes.

Refused: fields larger than their place (a reply with such numbers is not kept), and other versions
(a reply is worth less than a migration).
"""

import struct
from itertools import accumulate, pairwise
from typing import NamedTuple
from zlib import crc32

from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError, frame_content_size

from gateway.call import Usage
from gateway.catalog import Tier
from gateway.money import NanoUSD
from gateway.ports import Kept

MAGIC = b"TGR1"

WORTH_PACKING = 2048
"""Bytes: below, zstd costs 8 µs and saves less than a network packet."""

LEVEL = 1
"""zstd's fastest that is not negative: higher ones save a few per cent more of JSON."""

PLAIN, PACKED = 0, 1

_OUTER = struct.Struct(">4sIBI")
_CHECKED = 8
"""Where the checked part begins."""

_FIXED = struct.Struct(">HBBqqqq?q4dddIII")
"""Status, stream, tier, four counts of tokens, whether they are ours, cost, score and qualities,
when it was made and when it ends, then how long the model's name is and how many headers and
pieces follow."""


class Corrupt(ValueError):
    """The value is none of ours, or not whole."""


class Entry(NamedTuple):
    """A reply and when it ends, epoch seconds."""

    kept: Kept
    ends: float


class Codec:
    """Packs and unpacks at most `max_entry` bytes of contents; for one thread at a time."""

    __slots__ = ("_max_entry", "_pack", "_unpack")

    def __init__(self, max_entry: int) -> None:
        self._max_entry = max_entry
        self._pack = ZstdCompressor(level=LEVEL, write_checksum=False).compress
        self._unpack = ZstdDecompressor().decompress

    def encode(self, kept: Kept, ends: float) -> bytes | None:
        """The value of a reply; None where it is too large, or a number has no room."""
        try:
            contents = _contents(kept, ends)
        except struct.error:
            return None
        if len(contents) > self._max_entry:
            return None
        form, carried = PLAIN, contents
        if len(contents) >= WORTH_PACKING:
            packed = self._pack(contents)
            if len(packed) < len(contents):
                form, carried = PACKED, packed
        tail = struct.pack(">BI", form, len(contents)) + carried
        return MAGIC + crc32(tail).to_bytes(4, "big") + tail

    def decode(self, value: bytes) -> Entry:
        """The reply of a value.

        Raises:
            Corrupt: it is not what `encode` made.
        """
        if len(value) < _OUTER.size:
            message = "too short"
            raise Corrupt(message)
        magic, checksum, form, size = _OUTER.unpack_from(value)
        if magic != MAGIC or crc32(memoryview(value)[_CHECKED:]) != checksum:
            message = "not ours, or damaged"
            raise Corrupt(message)
        if size > self._max_entry:
            message = "too large"
            raise Corrupt(message)
        contents = value[_OUTER.size :]
        if form == PACKED:
            contents = self._unpacked(contents, size)
        if len(contents) != size or form not in (PLAIN, PACKED):
            message = "of another size than it says"
            raise Corrupt(message)
        try:
            return _entry(contents)
        except (struct.error, ValueError, IndexError):
            message = "its parts do not fit"
            raise Corrupt(message) from None

    def _unpacked(self, packed: bytes, size: int) -> bytes:
        try:
            # zstd makes room for what the frame says, before it reads on.
            if frame_content_size(packed) == size:
                return self._unpack(packed, max_output_size=size)
        except ZstdError:
            pass
        message = "no frame of that size"
        raise Corrupt(message)


def _contents(kept: Kept, ends: float) -> bytes:
    model = kept.model.encode("utf-8", "surrogatepass")
    pieces = [piece for field in kept.headers for piece in field]
    pieces.extend(kept.chunks)
    usage = kept.usage
    fixed = _FIXED.pack(
        kept.status,
        kept.stream,
        kept.tier,
        usage.prompt,
        usage.completion,
        usage.cached,
        usage.reasoning,
        usage.estimated,
        kept.cost,
        kept.score,
        *kept.quality,
        kept.stored,
        ends,
        len(model),
        len(kept.headers),
        len(kept.chunks),
    )
    lengths = struct.pack(f">{len(pieces)}I", *map(len, pieces))
    return b"".join((fixed, lengths, model, *pieces))


def _entry(contents: bytes) -> Entry:
    (
        status,
        stream,
        tier,
        prompt,
        completion,
        cached,
        reasoning,
        estimated,
        cost,
        score,
        nano,
        mini,
        full,
        stored,
        ends,
        model_length,
        headers,
        chunks,
    ) = _FIXED.unpack_from(contents)
    lengths = struct.unpack_from(f">{2 * headers + chunks}I", contents, _FIXED.size)
    begin = _FIXED.size + 4 * len(lengths)
    bounds = list(accumulate((model_length, *lengths), initial=begin))
    if bounds[-1] != len(contents):
        message = "the lengths do not add up"
        raise ValueError(message)
    model, *pieces = [contents[start:stop] for start, stop in pairwise(bounds)]
    heads = pieces[: 2 * headers]
    return Entry(
        Kept(
            status=status,
            headers=tuple(zip(heads[::2], heads[1::2], strict=True)),
            chunks=tuple(pieces[2 * headers :]),
            stream=bool(stream),
            tier=Tier(tier),
            model=model.decode("utf-8", "surrogatepass"),
            usage=Usage(prompt, completion, cached, reasoning, estimated),
            cost=NanoUSD(cost),
            score=score,
            quality=(nano, mini, full),
            stored=stored,
        ),
        ends,
    )
