"""One level: its state, and its limits over it.

State and limits are kept apart, as many keys share a team and each brings the team's limits along;
what limits change to applies at once, and nothing that was spent is forgotten.
"""

from collections.abc import Iterable
from math import inf, isinf

from gateway.budget.tallies import Clock, Tally
from gateway.budget.windows import MINUTE, SLACK, rated, remaining
from gateway.holds import Claim, Limited, Meter, Stand, Standing
from gateway.money import NanoUSD
from gateway.principal import Allowance, Level

PARALLEL_WAIT = 1.0
"""Seconds after which a call that found all parallel places taken may try again."""

HORIZON = MINUTE + SLACK
"""Seconds ahead of now that a theoretical arrival may lie."""

Refusal = tuple[Limited, float | None]
"""What refused, and how long to wait; None where waiting does not help."""


class Page:
    """The state of a level: tallies, theoretical arrivals of its rates, live holds."""

    __slots__ = ("live", "requests", "tallies", "tokens")

    def __init__(self) -> None:
        self.tallies: dict[Clock, Tally] = {}
        self.requests = 0.0
        self.tokens = 0.0
        self.live = 0

    def tally(self, level: str, allowance: Allowance) -> Tally:
        """The tally of an allowance; two that differ only in amount share it."""
        runs_by = (allowance.period, allowance.rolling)
        found = self.tallies.get(runs_by)
        if found is None:
            found = self.tallies[runs_by] = Tally(level, allowance)
        return found

    def idle(self, now: float) -> bool:
        """Whether it says no more than a new one would."""
        quiet = not self.live and self.requests <= now and self.tokens <= now
        return quiet and all([tally.idle(now) for tally in self.tallies.values()])


class Line:
    """A level's limits, as far as they are set, over its page."""

    __slots__ = ("_parallel", "_requests", "_tokens", "allowances", "level", "page")

    def __init__(self, level: Level, page: Page) -> None:
        self.level = level
        self.page = page
        self.allowances = tuple(
            (allowance.amount, page.tally(level.id, allowance)) for allowance in level.allowances
        )
        self._parallel = inf if level.parallel is None else level.parallel
        self._requests = _share(level.requests_per_minute)
        self._tokens = _share(level.tokens_per_minute)

    def refusal(self, claim: Claim, now: float) -> Refusal | None:
        """Why a claim may not pass; the tallies must have been turned to now."""
        page, share = self.page, self._tokens
        if page.live >= self._parallel:
            return Limited.PARALLEL, PARALLEL_WAIT
        # An arrival in the past leaves the whole minute, and one request is never more than that.
        if self._requests and page.requests + self._requests > now + HORIZON:
            wait = rated(self.level.requests_per_minute or 0, 1, page.requests, now).wait
            return Limited.REQUESTS, None if isinf(wait) else wait
        if share and max(page.tokens, now) + claim.tokens * share > now + HORIZON:
            limit = self.level.tokens_per_minute or 0
            wait = rated(limit, claim.tokens, page.tokens, now).wait
            return Limited.TOKENS, wait if claim.tokens <= limit else None
        for amount, tally in self.allowances:
            if tally.settled + tally.held + claim.amount > amount:
                return self._spent(claim.amount, now)
        return None

    def take(self, tokens: int, now: float) -> None:
        """Let a claim pass the quotas; its money is the buckets' matter."""
        page = self.page
        page.live += 1
        if self._requests:
            page.requests = max(page.requests, now) + self._requests
        if self._tokens:
            page.tokens = max(page.tokens, now) + tokens * self._tokens

    def release(self, excess: int) -> None:
        """Let a hold go that used so many tokens more than it claimed (or, below zero, fewer)."""
        self.page.live -= 1
        if self._tokens:
            self.page.tokens += excess * self._tokens

    def _spent(self, claimed: int, now: float) -> Refusal:
        waits: list[float] = []
        for amount, tally in self.allowances:
            over = tally.settled + tally.held + claimed - amount
            if claimed > amount:
                return Limited.ALLOWANCE, None
            if over > 0:
                waits.append(tally.frees(over, now))
        return Limited.ALLOWANCE, max(waits)


def standing(lines: Iterable[Line], now: float) -> Standing:
    """Where levels stand: the scarcest quotas, every allowance."""
    requests: Meter | None = None
    tokens: Meter | None = None
    stands: list[Stand] = []
    for line in lines:
        level, page = line.level, line.page
        if level.requests_per_minute is not None:
            requests = _scarcer(requests, level.requests_per_minute, page.requests, now)
        if level.tokens_per_minute is not None:
            tokens = _scarcer(tokens, level.tokens_per_minute, page.tokens, now)
        for amount, tally in line.allowances:
            tally.at(now)
            since, until = tally.since, tally.until
            elapsed = 1.0 if tally.runs_by.rolling else (now - since) / (until - since)
            settled, held = NanoUSD(tally.settled), NanoUSD(tally.held)
            stands.append(Stand(tally.level, amount, settled, held, elapsed, until - now))
    return Standing(requests, tokens, tuple(stands))


def _scarcer(before: Meter | None, limit: int, arrival: float, now: float) -> Meter:
    left = remaining(limit, arrival, now)
    if before is not None and before.remaining <= left:
        return before
    return Meter(limit, left, arrival - now if arrival > now else 0.0)


def _share(limit: int | None) -> float:
    """Seconds a unit takes of its minute; 0 where there is no limit."""
    if limit is None:
        return 0.0
    return MINUTE / limit if limit else inf
