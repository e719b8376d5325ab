"""Predicts, from a prompt's tokens alone, how well nano, mini and full would answer it.

The model is two numbers a token: what the token says about the *gain* of a larger model and what
it says about the quality of the largest. Both are summed over the prompt, divided by its length
(short prompts lean to the average) and put on a scale of quality by a logistic curve each. The
numbers come from a linear model over word vectors that was folded into the tokens when it was
trained (`gateway.learn`), so nothing is left to multiply here: one look-up and one sum.

It refuses to be clever: it keeps no list of words that buy a tier, reads no more than the tokens
it is given, and never raises on them, whatever they are. What it cannot know (tools, images,
turns, length) is said by `gateway.classify.signals`. The figures it reached, and its limits, are
in `gateway/data/difficulty.card.md`.

The artefact is one file: a line with a name, a version and the SHA-256 of all that follows; a line
of JSON (`Scale`'s fields); then two blocks of little-endian 16-bit integers, one per number.
"""

import hashlib
import json
import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Final

from gateway.classify.encoder import total

ARTEFACT: Final = "difficulty.bin"
NAME: Final = b"tiergate-difficulty"
VERSION: Final = 1

FIELD: Final = 32
"""Bits of the lower number of a packed pair; the upper one has the rest of 64."""

OFFSET: Final = 1 << 15
"""Makes the lower number non-negative, so that sums of pairs never borrow from each other."""

MOST_TOKENS: Final = 16_384
"""Beyond any head and tail of a task; keeps the lower sums far below `FIELD` bits."""


class DamagedModel(Exception):
    """The packaged difficulty model is not the one that was trained; no estimate would be right."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How sums become quality.

    `gain_step` and `full_step` are what one unit of a token's integers is worth. `lean` is how
    many tokens are added to every prompt, `lean_gain` and `lean_full` what they say. A gain is
    `gain_most` times the logistic of `gain_offset + gain_slope * mean`, the quality of the largest
    tier the logistic of `full_offset + full_slope * mean`; mini has `mini_share` of the gain.
    """

    gain_step: float
    full_step: float
    lean: float
    lean_gain: float
    lean_full: float
    gain_most: float
    gain_offset: float
    gain_slope: float
    full_offset: float
    full_slope: float
    mini_share: float


class Difficulty:
    """The learned model; immutable, safe to share between threads."""

    __slots__ = ("_pairs", "scale")

    def __init__(self, gains: Iterable[int], fulls: Iterable[int], scale: Scale) -> None:
        # Whole numbers, two to a word: one sum gives both, exactly and in any order.
        pairs = zip(gains, fulls, strict=True)
        self._pairs = array("q", [(int(g) << FIELD) + int(f) + OFFSET for g, f in pairs])
        self.scale = scale

    @classmethod
    def load(cls) -> "Difficulty":
        """Read the model the package carries.

        Raises:
            DamagedModel: when it is not byte for byte what was trained, or of another version.
        """
        return unpack((files("gateway.data") / ARTEFACT).read_bytes())

    def estimate(
        self,
        ids: Sequence[int],
        task: str,  # noqa: ARG002 - part of the seam; nothing beyond the tokens proved useful
    ) -> tuple[float, float, float]:
        """Predicted quality of nano, mini and full, each 0-1 and never falling.

        Args:
            ids: o200k tokens of the task's head and tail; ids beyond the last count as the last.
            task: the text they came from.
        """
        kept = ids if len(ids) <= MOST_TOKENS else ids[:MOST_TOKENS]
        count = len(kept)
        try:
            summed = total(self._pairs, kept)
        except IndexError:
            last = len(self._pairs) - 1
            summed = sum([self._pairs[min(max(i, 0), last)] for i in kept])
        scale = self.scale
        weight = count + scale.lean
        lower = (summed & ((1 << FIELD) - 1)) - OFFSET * count
        gain = ((summed >> FIELD) * scale.gain_step + scale.lean_gain) / weight
        full = (lower * scale.full_step + scale.lean_full) / weight
        best = logistic(scale.full_offset + scale.full_slope * full)
        lost = min(best, scale.gain_most * logistic(scale.gain_offset + scale.gain_slope * gain))
        return best - lost, best - lost * (1.0 - scale.mini_share), best


def logistic(x: float) -> float:
    """The logistic curve; saturates instead of overflowing."""
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, x))))


def _little_endian(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def pack(gains: Iterable[int], fulls: Iterable[int], scale: Scale) -> bytes:
    """The artefact's bytes; the same model always gives the same bytes."""
    head = json.dumps(asdict(scale), sort_keys=True).encode()
    both = [_little_endian(array("h", [int(n) for n in block])) for block in (gains, fulls)]
    rest = head + b"\n" + both[0].tobytes() + both[1].tobytes()
    return b"%s %d %s\n" % (NAME, VERSION, hashlib.sha256(rest).hexdigest().encode()) + rest


def unpack(artefact: bytes) -> Difficulty:
    """Read an artefact.

    Raises:
        DamagedModel: when its checksum or version is not the expected one.
    """
    first, _, rest = artefact.partition(b"\n")
    if first != b"%s %d %s" % (NAME, VERSION, hashlib.sha256(rest).hexdigest().encode()):
        message = f"the packaged {ARTEFACT} is damaged or of another version; install again"
        raise DamagedModel(message)
    head, _, numbers = rest.partition(b"\n")
    both = _little_endian(array("h", numbers))
    half = len(both) // 2
    return Difficulty(both[:half], both[half:], Scale(**json.loads(head)))
