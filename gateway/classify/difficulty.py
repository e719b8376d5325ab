"""Predicts, from a prompt's tokens alone, how well nano, mini and full would answer it.

The model is two numbers a token: what the token says about the *gain* of a larger model and what
it says about the quality of the largest. Both are summed over the prompt, divided by its length
(short prompts lean to the average) and put on a scale of quality by a logistic curve each; a
statement longer than usual for its words gains a little more, within limits (`stretch`). The
numbers come from a linear model over word vectors that was folded into the tokens when it was
trained (`gateway.learn`), so nothing is left to multiply here: one look-up and one sum.

It refuses to be clever: it keeps no list of words that buy a tier, reads no more than the tokens
it is given, and never raises on them, whatever they are. What it cannot know (tools, images,
turns, the whole length) is said by `gateway.classify.signals`. The figures it reached, and its
limits, are in `gateway/data/difficulty.card.md`.

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
from pathlib import Path
from typing import Final

from gateway.classify.encoder import total

ARTEFACT: Final = "difficulty.bin"
NAME: Final = b"tiergate-difficulty"
VERSION: Final = 2

FIELD: Final = 32
"""Bits of the lower number of a packed pair; the upper one has the rest of 64."""

OFFSET: Final = 1 << 15
"""Makes the lower number non-negative, so that sums of pairs never borrow from each other."""

MOST_TOKENS: Final = 16_384
"""Beyond any head and tail of a task; keeps the lower sums far below `FIELD` bits."""

HEAD: Final = 600
TAIL: Final = 200
"""Characters that are read of a task: 1,500 and 500 rank benchmarks no better (within 0.005), and
splitting text into tokens is most of what a decision costs."""

BRIEF: Final = 30
LENGTHY: Final = 150
"""Tokens between which a longer statement is a harder one, among statements of one kind; outside,
length says what is asked for and no longer how hard it is."""

USUAL: Final = 60
"""Tokens at which length says nothing."""


class DamagedModel(ValueError):
    """The packaged difficulty model is not the one that was trained; no estimate would be right."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How sums become quality.

    `gain_step` and `full_step` are what one unit of a token's integers is worth. `lean` is how
    many tokens are added to every prompt, `lean_gain` and `lean_full` what they say. `stretch` is
    what the mean gains by the logarithm of length. A gain is `gain_most` times the logistic of
    `gain_offset + gain_slope * mean`, the quality of the largest tier the logistic of
    `full_offset + full_slope * mean`; mini has `mini_share` of the gain. The three `doubt` figures
    are the constants of `Difficulty.doubt`.
    """

    gain_step: float
    full_step: float
    lean: float
    lean_gain: float
    lean_full: float
    stretch: float
    gain_most: float
    gain_offset: float
    gain_slope: float
    full_offset: float
    full_slope: float
    mini_share: float
    doubt_least: float = 0.0
    doubt_gain: float = 0.0
    doubt_brief: float = 0.0


class Difficulty:
    """The learned model; immutable, safe to share between threads."""

    __slots__ = ("_fixed", "_pairs", "_stretched", "scale")

    def __init__(self, gains: Iterable[int], fulls: Iterable[int], scale: Scale) -> None:
        # Whole numbers, two to a word: one sum gives both, exactly and in any order.
        pairs = zip(gains, fulls, strict=True)
        self._pairs = array("q", [(int(g) << FIELD) + int(f) + OFFSET for g, f in pairs])
        self.scale = scale
        # Offset of the gain's curve by length; the rest as one tuple, unpacked at once.
        self._stretched = [
            scale.gain_offset + scale.gain_slope * scale.stretch * stretch(count)
            for count in range(LENGTHY + 1)
        ]
        self._fixed = (
            scale.lean,
            scale.gain_step * scale.gain_slope,
            scale.lean_gain * scale.gain_slope,
            scale.full_step * scale.full_slope,
            scale.lean_full * scale.full_slope,
            scale.full_offset,
            scale.gain_most,
            1.0 - scale.mini_share,
        )

    @classmethod
    def load(cls, path: Path | None = None) -> "Difficulty":
        """Read a model that was trained; without a path, the one the package carries.

        Raises:
            DamagedModel: when it is not byte for byte what was trained, or of another version.
            OSError: when there is nothing to read.
        """
        return unpack((path or files("gateway.data") / ARTEFACT).read_bytes())

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
        lean, gain_step, lean_gain, full_step, lean_full, offset, most, left = self._fixed
        weight = count + lean
        lower = (summed & ((1 << FIELD) - 1)) - OFFSET * count
        gain = ((summed >> FIELD) * gain_step + lean_gain) / weight
        gain += self._stretched[min(LENGTHY, count)]
        best = logistic(offset + (lower * full_step + lean_full) / weight)
        lost = most * logistic(gain)
        if lost > best:
            lost = best
        return best - lost, best - lost * left, best

    def folded(self) -> tuple["array[int]", "array[float]", "array[float]"]:
        """What `estimate` computes with: numbers by token, offsets by length, the rest in order."""
        return self._pairs, array("d", self._stretched), array("d", self._fixed)

    def doubt(self, gain: float, tokens: int) -> float:
        """How far a predicted gain is to be trusted: what it would move by, on average.

        Measured by leaving out, for each prompt, every benchmark of its kind; brief prompts and
        large gains are less sure. It is about the prediction, not about one answer's luck.
        """
        scale = self.scale
        brief = scale.doubt_brief / (tokens + scale.lean)
        return max(scale.doubt_least + scale.doubt_gain * gain + brief, 0.0)


def excerpt(task: str) -> str:
    """What is read of a task: all of a short one, else its head and tail."""
    return task if len(task) <= HEAD + TAIL else task[:HEAD] + task[-TAIL:]


def stretch(count: int) -> float:
    """The logarithm of a statement's length over the usual one, within limits."""
    return math.log(min(max(count, BRIEF), LENGTHY) / USUAL)


def logistic(x: float) -> float:
    """The logistic curve; saturates instead of overflowing."""
    if x > 60.0:
        return 1.0
    return 1.0 / (1.0 + math.exp(-x)) if x > -60.0 else 0.0


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
        message = f"{ARTEFACT} is damaged or of another version; install or train it again"
        raise DamagedModel(message)
    head, _, numbers = rest.partition(b"\n")
    both = _little_endian(array("h", numbers))
    half = len(both) // 2
    return Difficulty(both[:half], both[half:], Scale(**json.loads(head)))
