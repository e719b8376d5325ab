"""What one allowance of one level has settled and held, by bucket.

Sums of the buckets that count are kept, so that a claim need not add them up. A bucket that has
ceased to count is let go, and whoever still holds it may settle into it without changing anything.
"""

from math import inf
from typing import Self

from gateway.budget.windows import let_go, window
from gateway.principal import Allowance, Period

Clock = tuple[Period, bool]
"""What an allowance runs by; its amount may change without its spend being forgotten."""


class Bucket:
    """What is settled and held in one stretch of time; `tally` is None once it was let go."""

    __slots__ = ("held", "level", "number", "runs_by", "settled", "tally")

    def __init__(self, tally: "Tally", number: int) -> None:
        self.tally: Tally | None = tally
        self.level = tally.level
        self.runs_by: Clock = (tally.runs_by.period, tally.runs_by.rolling)
        self.number = number
        self.settled = 0
        self.held = 0

    def hold(self, amount: int) -> None:
        """Hold an amount, or less than nothing: release it."""
        self.held += amount
        if self.tally is not None:
            self.tally.held += amount

    def settle(self, cost: int) -> None:
        """Settle a cost, or less than nothing: correct it."""
        self.settled += cost
        if self.tally is not None:
            self.tally.settled += cost

    def let_go(self) -> Self:
        """It does not count any more."""
        self.tally = None
        return self


class Tally:
    """The buckets of an allowance that count, and their sums, as of `since` until `until`."""

    __slots__ = (
        "_buckets",
        "_current",
        "_oldest",
        "held",
        "level",
        "runs_by",
        "settled",
        "since",
        "until",
    )

    def __init__(self, level: str, allowance: Allowance) -> None:
        self.level = level
        self.runs_by = allowance
        self.settled = 0
        self.held = 0
        self.since = inf
        self.until = -inf
        self._buckets: dict[int, Bucket] = {}
        self._current = Bucket(self, 0)
        self._oldest = 0

    def at(self, now: float) -> Bucket:
        """The bucket of an instant; those that no longer count are let go."""
        if not self.since <= now < self.until:
            self._turn(now)
        return self._current

    def find(self, moment: float, now: float) -> Bucket:
        """The bucket of a moment before now; one that does not count any more is nobody's."""
        self.at(now)
        number = window(self.runs_by, moment).bucket
        if number >= self._oldest:
            return self._buckets.setdefault(number, Bucket(self, number))
        return Bucket(self, number).let_go()

    def restore(self, number: int, settled: int) -> Bucket:
        """Take up a bucket as it was kept; `at` decides whether it counts."""
        bucket = self._buckets.setdefault(number, Bucket(self, number))
        bucket.settle(settled)
        self.since, self.until = inf, -inf
        return bucket

    def frees(self, amount: int, now: float) -> float:
        """Seconds until so much is let go, if nothing more is claimed."""
        gone = self.until
        for number in sorted(self._buckets):
            bucket = self._buckets[number]
            gone = let_go(self.runs_by, number)
            amount -= bucket.settled + bucket.held
            if amount <= 0:
                break
        return gone - now

    def idle(self, now: float) -> bool:
        """Whether nothing is settled or held."""
        self.at(now)
        return not self.settled and not self.held

    def _turn(self, now: float) -> None:
        seen = window(self.runs_by, now)
        for number in [n for n in self._buckets if not seen.oldest <= n <= seen.bucket]:
            bucket = self._buckets.pop(number).let_go()
            self.settled -= bucket.settled
            self.held -= bucket.held
        current = self._buckets.get(seen.bucket)
        if current is None:
            current = self._buckets[seen.bucket] = Bucket(self, seen.bucket)
        self._current, self._oldest = current, seen.oldest
        self.since, self.until = seen.start, seen.end
