"""A circuit breaker, as a table.

                 success     failure                    cooled
    CLOSED       CLOSED      CLOSED, or OPEN at limit   —
    OPEN         CLOSED      OPEN                       HALF_OPEN
    HALF_OPEN    CLOSED      OPEN                       —

Two rules: an open breaker passes nothing, and a half-open one passes one call at a time, a real
one (no probe is ever paid for). A success that was under way when the breaker opened closes it
again. Time is an argument in monotonic seconds.
"""

from dataclasses import dataclass, replace
from enum import Enum


class State(Enum):
    """The three states of the table."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """One deployment's breaker; every transition returns the next one.

    `limit` failures in a row open it for `cooldown` seconds; `resting`: it is open only because
    the upstream asked for a pause.
    """

    limit: int = 5
    cooldown: float = 2.0
    failures: int = 0
    open_until: float | None = None
    probing: bool = False
    resting: bool = False

    def state(self, now: float) -> State:
        """Where in the table it stands."""
        if self.open_until is None:
            return State.CLOSED
        return State.OPEN if now < self.open_until else State.HALF_OPEN

    def admits(self, now: float, *, named: bool = False) -> bool:
        """Whether a call may pass.

        A pause the upstream asked for turns calls elsewhere; a call that `named` its model has
        nowhere else to go, and gets the upstream's own answer rather than ours.
        """
        if self.open_until is None or (named and self.resting):
            return True
        return now >= self.open_until and not self.probing

    def started(self, now: float) -> "Breaker":
        """A call has passed: in the half-open state it is the probe."""
        if self.state(now) is State.HALF_OPEN:
            return replace(self, probing=True)
        return self

    def succeeded(self) -> "Breaker":
        """A call went well."""
        if not self.failures and self.open_until is None:
            return self
        return replace(self, failures=0, open_until=None, probing=False, resting=False)

    def failed(self, now: float) -> "Breaker":
        """A call went wrong on the far side."""
        failures = self.failures + 1
        if failures < self.limit and (self.open_until is None or self.resting):
            return replace(self, failures=failures)
        until = now + self.cooldown
        return replace(self, failures=failures, open_until=until, probing=False, resting=False)

    def rested(self, until: float) -> "Breaker":
        """The upstream asked for a pause (retry-after, a dead key): open it until then."""
        resting = max(until, self.open_until or 0.0)
        rests = self.open_until is None or self.resting
        return replace(self, open_until=resting, probing=False, resting=rests)

    def released(self) -> "Breaker":
        """A call ended without telling anything (its client left): the next may probe."""
        return replace(self, probing=False) if self.probing else self
