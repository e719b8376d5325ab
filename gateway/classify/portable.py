"""Token counting with tiktoken: what `_swift.c` does, for machines where it was not built.

Both give the same tokens for every text; a test compares them. tiktoken's table takes some 50 MB
more.
"""

from array import array
from binascii import a2b_base64
from collections.abc import Sequence

from tiktoken import Encoding

# Copied from tiktoken's public definition of o200k_base; a test keeps them equal.
_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
PATTERN = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        + _CONTRACTION,
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        + _CONTRACTION,
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
SPECIAL_TOKENS = {"<|endoftext|>": 199999, "<|endofprompt|>": 200018}


class Encoder:
    """Encodes o200k_base; never treats `<|endoftext|>` in a text as anything but text.

    Texts are at most `tokens.CHUNK` characters long: the pattern engine gives up, with a panic that
    is no `Exception`, on a million blanks in one piece, and `encode_ordinary` lets that escape.
    """

    __slots__ = ("_encode",)

    def __init__(
        self,
        ranks: bytes,
        classes: bytes,  # noqa: ARG002 - the pattern engine knows them itself
        /,
    ) -> None:
        read = read_ranks(ranks)
        encoding = Encoding(
            "o200k_base", pat_str=PATTERN, mergeable_ranks=read, special_tokens=SPECIAL_TOKENS
        )
        # The compiled encoder has its own copy; this one is 20 MB that only decoding tools read.
        read.clear()
        self._encode = encoding.encode

    def encode(self, text: str, /) -> list[int]:
        """The tokens of a text."""
        return self._encode(text, disallowed_special=())

    def count(self, text: str, /) -> int:
        """How many tokens a text has."""
        return len(self._encode(text, disallowed_special=()))


def total(numbers: "array[int]", places: Sequence[int], /) -> int:
    """The sum of the numbers at these places.

    Raises:
        IndexError: one of them is beyond the end.
    """
    return sum(map(numbers.__getitem__, places))


def read_ranks(lines: bytes) -> dict[bytes, int]:
    """Read the ranks: a line is a token in base64 and its rank, which is the line's number."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(lines.splitlines()):
        # A rank's digits would decode as base64 too, so they are cut off first.
        ranks[a2b_base64(line[: line.index(b" ")])] = number
    return ranks
