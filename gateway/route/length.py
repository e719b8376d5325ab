"""How long an answer will be, learnt online from what the classifier expects.

    tokens = expected × exp(shape + tier + history)

The classifier's expectation (what is asked, a stated length, a schema) is the prior. A *shape* is
the size of that prior, of the prompt, and whether a schema, tools or a limit come along; a *tier*
has its own talkativeness; a *history* is whatever the caller repeats: a conversation, a system
prompt. All three are corrected after every answer, the latest counting most. An answer that its
limit cut only says that it would have been at least as long.

One look-up in each table per prediction; histories are bounded and forget the longest unused.
Nothing here reads a prompt.
"""

from collections import OrderedDict
from math import exp, log
from typing import NamedTuple

from gateway.call import Assessment
from gateway.catalog import Capability, Tier
from gateway.route.track import HIGH_Z, Track, error_of

MOST_HISTORIES = 4_096
# Answers of one kind differ by a factor of two from the middle; a history by less than half that.
FIRST_SPREAD, HISTORY_SPREAD = 0.7, 0.3
# What the classifier expects is a mean; half of the answers are shorter than this.
_FIRST_LEVEL = -(FIRST_SPREAD**2) / 2
# No correction exceeds a factor of twenty.
HIGHEST = log(20.0)
# How many answers a history needs before its own spread is believed.
TELLING = 4
# A tier's talkativeness and the mean's correction are learnt over some fifty answers.
TIER_RATE, BIAS_RATE = 0.03, 0.02
_LEAST_BIAS, _MOST_BIAS = 0.5, 2.0
_LOUDEST = log(3.0)
# exp(σ²/2) of a wider spread is not the mean of anything that was seen.
_MOST_HALF_VARIANCE = 0.5

_NO_NEEDS = Capability.NONE
_SCHEMA = Capability.JSON_SCHEMA.value
_TOOLS = Capability.TOOLS.value

ByTier = tuple[float, float, float]


class Length(NamedTuple):
    """Tokens of an answer on nano, mini and full: the mean, and what 19 of 20 stay below.

    `spread` is the standard deviation of the logarithm.
    """

    expected: ByTier
    high: ByTier
    spread: float


class Lengths:
    """What is known of lengths; `predict` and `learnt` take the same assessment and history."""

    __slots__ = ("_biases", "_factors", "_histories", "_levels", "_shapes", "limit")

    def __init__(self, limit: int = MOST_HISTORIES) -> None:
        self.limit = limit
        self._shapes: dict[int, Track] = {}
        self._histories: OrderedDict[str, Track] = OrderedDict()
        self._levels = [0.0, 0.0, 0.0]
        self._biases = [1.0, 1.0, 1.0]
        self._factors = (1.0, 1.0, 1.0)

    def predict(self, seen: Assessment, history: str | None = None) -> Length:
        """The length to expect on each tier, within the caller's own limit."""
        track = self._shapes.get(shape_of(seen))
        level, spread, width = (
            (_FIRST_LEVEL, FIRST_SPREAD, 1.0)
            if track is None
            else (track.level, track.spread, track.width)
        )
        if history is not None and (own := self._histories.get(history)) is not None:
            level += own.level
            if own.seen >= TELLING:
                spread, width = own.spread, own.width
        middle = seen.completion_tokens * exp(level)
        mean = middle * exp(min(spread * spread / 2, _MOST_HALF_VARIANCE))
        most = middle * exp(HIGH_Z * spread * width)
        nano, mini, full = self._factors
        one, two, three = self._biases
        limit = seen.max_completion
        expected = (mean * nano * one, mean * mini * two, mean * full * three)
        high = (most * nano, most * mini, most * full)
        if limit is not None and (most >= limit or max(high) > limit):
            expected = (
                min(limit, expected[0]),
                min(limit, expected[1]),
                min(limit, expected[2]),
            )
            high = min(limit, high[0]), min(limit, high[1]), min(limit, high[2])
        return Length(expected, high, spread * width)

    def learnt(self, seen: Assessment, tier: Tier, tokens: int, history: str | None = None) -> None:
        """An answer of a tier had so many tokens; they include those of all choices."""
        shape = shape_of(seen)
        track = self._shapes.get(shape)
        if track is None:
            track = self._shapes[shape] = Track(FIRST_SPREAD, HIGHEST)
            track.level = _FIRST_LEVEL
        own = self._history(history)
        level = track.level + self._levels[tier]
        if own is not None:
            level += own.level
        middle = max(1.0, seen.completion_tokens) * exp(level)
        error, limit = error_of(tokens, middle), seen.max_completion
        if limit is None or tokens < limit:
            self._correct(tier, tokens, middle, track if own is None else own)
        elif error < 0.0:
            return
        if own is not None:
            own.moved(error)
        track.moved(error)
        loud = self._levels[tier] + TIER_RATE * error
        self._levels[tier] = max(-_LOUDEST, min(_LOUDEST, loud))
        nano, mini, full = self._levels
        self._factors = (exp(nano), exp(mini), exp(full))

    def _history(self, history: str | None) -> Track | None:
        """A history's track, now the latest used."""
        if history is None:
            return None
        own = self._histories.pop(history, None) or Track(HISTORY_SPREAD, HIGHEST)
        self._histories[history] = own
        if len(self._histories) > self.limit:
            self._histories.popitem(last=False)
        return own

    def _correct(self, tier: Tier, tokens: int, middle: float, track: Track) -> None:
        """Let the mean, which a few long answers make, be right in the long run."""
        mean = middle * exp(min(track.spread * track.spread / 2, _MOST_HALF_VARIANCE))
        ratio = min(4.0, tokens / (mean * self._biases[tier]))
        bias = self._biases[tier] * (1.0 + BIAS_RATE * (ratio - 1.0))
        self._biases[tier] = max(_LEAST_BIAS, min(_MOST_BIAS, bias))


def shape_of(seen: Assessment) -> int:
    """The call's class, a small number: calls of one class have answers of one kind."""
    tokens, needs = seen.text_tokens, seen.needs
    size = (tokens > 500) + (tokens > 4_000) + (tokens > 32_000)
    shape = (seen.completion_tokens.bit_length() << 5) | (size << 3)
    if needs is not _NO_NEEDS:
        bits = needs.value
        shape |= ((bits & _SCHEMA != 0) << 2) | ((bits & _TOOLS != 0) << 1)
    return shape | (seen.max_completion is not None)
