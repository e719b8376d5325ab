"""Counts o200k_base tokens, with no download and no text that can bring it down.

The ranks travel in the package, byte for byte those that tiktoken pins by hash. A text is counted
piecewise, and where the cuts lie decides whether the sum is exact:

- before a space that follows a non-space, no token of this encoding reaches over the cut, because
  a space may only begin a token unless it follows white space;
- the same holds between a letter or digit and a line end or common punctuation, and between a
  letter and a digit, which keeps texts written without spaces (Chinese, base64, packed code) exact.

Where no such place exists for 64 K characters (a run of blanks or of one letter), the run is cut
hard. Only merges beside that seam can differ, so a seam is counted with a margin: the sum is then
an upper bound and `Tally.exact` says so. Short pieces are also what keeps tiktoken's pattern engine
alive (`gateway.classify.portable`).
"""

import gzip
import hashlib
import re
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import NamedTuple, Protocol

from gateway.classify.encoder import Encoder

RANKS_SHA256 = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"

LONGEST_TOKEN = 128
"""Bytes of the longest token of the encoding (a run of blanks)."""

CHUNK = 65_536
"""Characters counted at once: about 2 ms of work, and far below the pattern engine's limit."""

NEAR = 1_024
"""Characters searched at a time for a cut, from the end; prose has one in the last ten.

One search holds the interpreter, so it must stay far below a millisecond.
"""

SEAM = 128
"""Margin in tokens for a hard cut: a merge that reaches over it spans at most so many bytes."""

# Letters old enough to be letters for every Unicode version that may meet here.
_LETTER = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0410-\u044f\u3041-\u3096\u30a1-\u30fa"
_LETTER += "\u4e00-\u9fa5\uac00-\ud7a3"
_CUT = re.compile(
    rf"(?<=\S) |(?<=[{_LETTER}0-9])[\r\n.,;:!?()=\"\u3001\u3002\uff0c\uff1a\uff1b\uff01\uff1f]"
    rf"|(?<=[{_LETTER}])[0-9]"
)


class Tally(NamedTuple):
    """A count of tokens; not `exact`, it is an upper bound."""

    tokens: int
    exact: bool


class DamagedRanks(Exception):
    """The packaged ranks are not those of o200k_base; no count would be right."""


class Encodes(Protocol):
    """One of the two encoders (`gateway.classify.encoder`)."""

    def encode(self, text: str, /) -> list[int]:
        """The tokens of a text."""
        ...

    def count(self, text: str, /) -> int:
        """How many tokens a text has."""
        ...


class Tokenizer:
    """The o200k_base tokenizer. Loading takes up to a third of a second: construct it once.

    Counting releases the interpreter, so long texts belong in a thread.
    """

    __slots__ = ("_count", "_encode", "encoder")

    def __init__(self, encoder: Callable[[bytes, bytes], Encodes] = Encoder) -> None:
        data = files("gateway.data")
        self.encoder = encoder(
            _ranks((data / "o200k_base.tiktoken.gz").read_bytes()),
            gzip.decompress((data / "o200k_classes.gz").read_bytes()),
        )
        self._encode, self._count = self.encoder.encode, self.encoder.count

    def ids(self, text: str) -> list[int]:
        """The tokens of a text, as `count` counts them (without the margin of hard cuts)."""
        if len(text) <= CHUNK:
            return self._encode(text)
        return [token for chunk in self.chunks(text) for token in self.ids(chunk)]

    def count(self, text: str) -> int:
        """How many tokens a text has: exact, or an upper bound where it had to be cut hard."""
        return self._count(text) if len(text) <= CHUNK else self.tally(text).tokens

    def tally(self, text: str) -> Tally:
        """Count a text and say whether the count is exact."""
        tokens, exact = 0, True
        for start, end, clean in _spans(text):
            tokens += self._count(text[start:end])
            if not clean:
                tokens, exact = tokens + SEAM, False
        return Tally(tokens, exact)

    def count_bounded(self, text: str, stop_above: int) -> int:
        """Count until the sum exceeds `stop_above`; what is returned then is only a part of it."""
        tokens = 0
        for start, end, clean in _spans(text):
            tokens += self._count(text[start:end])
            tokens += 0 if clean else SEAM
            if tokens > stop_above:
                break
        return tokens

    @staticmethod
    def chunks(text: str) -> Iterator[str]:
        """The text in pieces of at most 64 K characters, cut where the sum of counts is exact."""
        return (text[start:end] for start, end, _ in _spans(text))

    @staticmethod
    def bounds(text_bytes: int) -> tuple[int, int]:
        """The fewest and the most tokens that so many bytes of UTF-8 can be."""
        return -(-text_bytes // LONGEST_TOKEN), text_bytes


def _spans(text: str) -> Iterator[tuple[int, int, bool]]:
    """Starts and ends of pieces, each with whether its end is an exact cut."""
    start, length = 0, len(text)
    while length - start > CHUNK:
        end = start + CHUNK
        cut = _last_cut(text, start + 1, end)
        yield start, cut or end, bool(cut)
        start = cut or end
    yield start, length, True


def _last_cut(text: str, start: int, end: int) -> int:
    """The last place to cut at, or 0."""
    for right in range(end, start, -NEAR):
        last = 0
        for found in _CUT.finditer(text, max(start, right - NEAR), right):
            last = found.start()
        if last:
            return last
    return 0


def _ranks(packed: bytes) -> bytes:
    """The ranks as published: a line each, a token in base64 and its rank."""
    lines = gzip.decompress(packed)
    if hashlib.sha256(lines).hexdigest() != RANKS_SHA256:
        message = "the packaged o200k_base ranks are damaged; install the package again"
        raise DamagedRanks(message)
    return lines
