"""How many calls of an allowance's window are still to come, judged by those that came.

Calls of a calendar window are counted by parts, so that the hours in which earlier windows had
theirs are expected again, as far as that proved right before. What is coming is this shape at the
level of about the latest quarter of a window. A rolling window has no end: what is coming is what
came in the last period.

`elapsed` is the share of a window that is over; times are epoch seconds. Both are arguments.
"""

from itertools import accumulate
from math import exp, log

# Parts of a window in which arrivals are counted.
PARTS = 24
# Earlier windows count as so many calls when this one is judged; shapes are renewed by half.
LIKE_BEFORE, SHAPE_RATE = 100.0, 0.5
# A part's calls are spread over its neighbours and mixed with an even share: bursts are no hours.
EVEN = 0.05
# The present level of arrivals is that of about the latest quarter of a window.
RECENT = 0.25
# Without an earlier window, so many calls and so much of one are watched before steering.
FIRST_LOOK, FIRST_SHARE = 20, 0.02
# Less of a window than this says nothing about windows; nearly all of it must be seen for a shape.
HALF, NEARLY_ALL = 0.5, 0.9
# A shape that was never tried is half believed; one trial says most of what is to be known.
_FIRST_TRUST, TRUST_RATE = 0.5, 0.75


class Arrivals:
    """The calls of one calendar window after another; `usual` is how many one has.

    A window takes about `seconds`.
    """

    __slots__ = (
        "_before",
        "_counts",
        "_ends",
        "_faded",
        "_now",
        "_seconds",
        "_seen",
        "_shape",
        "_share",
        "_since",
        "_trust",
        "usual",
    )

    def __init__(self, seconds: float) -> None:
        self.usual = 0.0
        self._seconds = seconds
        self._now = self._since = 0.0
        self._seen = self._faded = self._share = 0.0
        self._counts = [0.0] * PARTS
        self._trust = _FIRST_TRUST
        self._shape: list[float] | None = None
        self._before = _cumulated([1.0 / PARTS] * PARTS)
        self._ends: float | None = None

    def came(self, elapsed: float, ends: float) -> None:
        """A call comes to the window that `ends` then."""
        if self._ends is None:
            self._begin(elapsed)
        elif ends - self._ends > self._seconds * HALF:
            self._end()
            self._begin(0.0 if self.usual else elapsed)
        self._ends = ends
        self._advance(max(elapsed, self._now))
        self._faded += 1.0
        self._seen += 1.0
        self._counts[min(PARTS - 1, int(elapsed * PARTS))] += 1.0

    def coming(self) -> float | None:
        """Calls still to come in this window, at least one; None while nothing is known."""
        usual = self.usual
        if not usual and (self._seen < FIRST_LOOK or self._now - self._since < FIRST_SHARE):
            return None
        known, share = (LIKE_BEFORE, LIKE_BEFORE / usual) if usual else (0.0, 1e-9)
        level = (self._faded + known) / (self._share + share)
        return max(1.0, level * (1.0 - self._until(self._now)))

    def _until(self, elapsed: float) -> float:
        """The share of a window's calls that come before."""
        place = min(max(elapsed, 0.0), 1.0) * PARTS
        whole = min(PARTS - 1, int(place))
        before = self._before
        return before[whole] + (before[whole + 1] - before[whole]) * (place - whole)

    def _advance(self, elapsed: float) -> None:
        passed = self._until(elapsed) - self._until(self._now)
        fade = exp(-passed / RECENT)
        self._faded *= fade
        self._share = self._share * fade + passed
        self._now = elapsed

    def _begin(self, elapsed: float) -> None:
        self._now = self._since = elapsed
        self._seen = self._faded = self._share = 0.0
        self._counts = [0.0] * PARTS

    def _end(self) -> None:
        """A window is over; what was seen of it is how the next one is expected to be."""
        watched = 1.0 - self._until(self._since)
        if watched < HALF:
            return
        total = self._seen / watched
        self.usual = (self.usual + total) / 2 if self.usual else total
        if watched < NEARLY_ALL:
            return
        seen = _smooth(self._counts)
        if self._shape is None:
            self._shape = seen
        else:
            self._judge(self._shape)
            pairs = zip(self._shape, seen, strict=True)
            self._shape = [old + SHAPE_RATE * (new - old) for old, new in pairs]
        even = (1.0 - self._trust) / PARTS
        self._before = _cumulated([self._trust * part + even for part in self._shape])

    def _judge(self, shape: list[float]) -> None:
        """Would the shape have foretold this window better than an even one?"""
        pairs = zip(self._counts, shape, strict=True)
        better = sum([count * log(part * PARTS) for count, part in pairs]) > 0.0
        self._trust += TRUST_RATE * (better - self._trust)


class Trailing:
    """The calls of the last period, which takes `seconds`."""

    __slots__ = ("_calls", "_part", "_seconds", "_since")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._calls = [0.0] * PARTS
        self._part = 0
        self._since: float | None = None

    def came(self, now: float) -> None:
        """A call comes."""
        part = int(now / self._seconds * PARTS)
        if self._since is None:
            self._since, self._part = now, part
        for gone in range(self._part + 1, min(part, self._part + PARTS) + 1):
            self._calls[gone % PARTS] = 0.0
        self._part = max(part, self._part)
        self._calls[part % PARTS] += 1.0

    def watched(self, now: float) -> float:
        """The share of the last period that was watched."""
        since = now if self._since is None else self._since
        return min(1.0, (now - since) / self._seconds)

    def coming(self, now: float) -> float | None:
        """Calls a period; None while nothing is known."""
        calls, watched = sum(self._calls), self.watched(now)
        if watched < 1.0 and (calls < FIRST_LOOK or watched < FIRST_SHARE):
            return None
        return max(1.0, calls / watched)


def _smooth(counts: list[float]) -> list[float]:
    """Counts as shares of their sum; none is zero."""
    padded = [counts[0], *counts, counts[-1]]
    spread = [padded[n] + 2 * padded[n + 1] + padded[n + 2] for n in range(PARTS)]
    whole = sum(spread) or 1.0
    return [(part / whole + EVEN / PARTS) / (1.0 + EVEN) for part in spread]


def _cumulated(parts: list[float]) -> list[float]:
    return [0.0, *accumulate(parts)]
