"""`python -m tests.classify.letters FILE`: writes what tiktoken's pattern engine takes for what.

The packaged `o200k_classes.gz` has a byte for each code point: which class of the encoding's
pattern it is in. It is made by asking the engine itself, so that both agree on Unicode's version.
"""

import gzip
import sys
from pathlib import Path

from tiktoken import Encoding

CODE_POINTS = 0x110000
STEP = 0x4000
SURROGATES = range(0xD800, 0xE000)
# In the order of the constants of `_swift.c`; what is in none is 0.
CLASSES = (
    r"[\p{Lu}\p{Lt}]",
    r"\p{Ll}",
    r"[\p{Lm}\p{Lo}]",
    r"\p{M}",
    r"\p{N}",
    r"\s",
    r"[\r\n]",
)


def observed() -> bytes:
    """The class of every code point, as the engine sees it."""
    classes = bytearray(CODE_POINTS)
    for number, pattern in enumerate(CLASSES, 1):
        for code in _matching(pattern):
            classes[code] = number
    return bytes(classes)


def _matching(pattern: str) -> list[int]:
    """The code points that a pattern matches: it finds nothing else, and bytes are tokens."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    encoding = Encoding("probe", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    found: list[int] = []
    for start in range(0, CODE_POINTS, STEP):
        text = "".join(chr(c) for c in range(start, start + STEP) if c not in SURROGATES)
        found += map(ord, bytes(encoding.encode(text, disallowed_special=())).decode())
    return found


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(gzip.compress(observed(), 9, mtime=0))
