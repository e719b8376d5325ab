"""The ledger's books, pure: every level's windows, rates and live holds.

The law: for every allowance, at every instant, settled + held ≤ its amount. It holds because a
claim passes all its levels or touches none, because what is held is never less than what is
settled for it (under `hold: worst`), and because nothing here waits: one claim is one step.

A hold counts in the buckets of the instant it was made in, and is settled there, even when their
windows have ended by then. A hold that nobody will settle any more lapses: it is charged what was
expected of it. If it is settled after all, that corrects the charge, once.

Time does not run backwards: when the clock is put back, windows wait for it. Only when it is put
back by more than an hour was it wrong before, and is believed now.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import islice
from math import inf
from typing import NamedTuple

from gateway.budget.levels import Line, Page, standing
from gateway.budget.records import day_of
from gateway.budget.tallies import Bucket
from gateway.holds import Account, Claim, Denial, Grant, Standing
from gateway.money import FREE
from gateway.principal import Allowance, Level, Period

WRONG_BY = 3_600.0
"""Seconds a clock may be put back by without having been wrong."""

LOST_SECONDS = 7_200.0
"""After so long a hold is taken for lost; calls end, or are ended, long before."""

MAX_LAPSED = 10_000
"""Lapsed holds whose late settling still corrects what they were charged."""

LAPSED_AT_ONCE = 100
"""Lost holds charged in one step; there are none unless something is broken."""

NAMES = {"key": 2, "team": 1, "org": 0}
"""Which field of an account a level's id fills."""


class Slot(NamedTuple):
    """A bucket, as it is kept."""

    level: str
    period: Period
    rolling: bool
    bucket: int


class Places:
    """The buckets that a claim's levels have from `since` until `until`.

    `spelt` is for whoever keeps them, to write them once for all claims of that time.
    """

    __slots__ = ("buckets", "since", "spelt", "until")

    def __init__(self, buckets: tuple[Bucket, ...], since: float, until: float) -> None:
        self.buckets = buckets
        self.since = since
        self.until = until
        self.spelt: object = None


class Spread:
    """The levels that are claimed together, and where they are now."""

    __slots__ = ("account", "levels", "lines", "places")

    def __init__(self, root: str, levels: tuple[Level, ...], lines: tuple[Line, ...]) -> None:
        self.levels = levels
        self.lines = lines
        self.account = account_of(root, levels)
        self.places = Places((), inf, -inf)

    def at(self, now: float) -> Places:
        """The buckets of an instant."""
        places = self.places
        if places.since <= now < places.until:
            return places
        tallies = [tally for line in self.lines for _, tally in line.allowances]
        buckets = tuple([tally.at(now) for tally in tallies])
        since = max([tally.since for tally in tallies], default=-inf)
        until = min([tally.until for tally in tallies], default=inf)
        self.places = Places(buckets, since, until)
        return self.places


class Held(NamedTuple):
    """A live hold: its claim, when it was made, where it counts."""

    claim: Claim
    at: float
    spread: Spread
    places: Places


class Lapsed(NamedTuple):
    """A hold that was charged what was expected of it, on a day and an account."""

    id: str
    expected: int
    account: Account
    day: int
    places: Places


class Books:
    """All levels of one process. Money is nano-dollars, times epoch seconds."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._spreads: dict[str, Spread] = {}
        self._lapsed: OrderedDict[str, Lapsed] = OrderedDict()
        self._latest = -inf
        self.holds: dict[str, Held] = {}

    def hold(self, claim: Claim, now: float) -> Grant | Denial:
        """Pass all levels of a claim, or touch none; an id that is held already holds once."""
        now = self._instant(now)
        spread = self._spread(claim.root, claim.levels)
        places, lines = spread.at(now), spread.lines
        before = self.holds.get(claim.id)
        if before is not None:
            return Grant(before.claim, before.at, standing(lines, now))
        for line in lines:
            refused = line.refusal(claim, now)
            if refused is not None:
                return Denial(line.level.id, *refused, standing(lines, now))
        for line in lines:
            line.take(claim.tokens, now)
        for bucket in places.buckets:
            bucket.hold(claim.amount)
        self.holds[claim.id] = Held(claim, now, spread, places)
        return Grant(claim, now, standing(lines, now))

    def settle(self, claim_id: str, cost: int, tokens: int | None) -> Held | None:
        """Release a hold and charge its cost; None if it is not live.

        `tokens` is what the call used in truth (None: nobody knows, the claim stands).
        """
        held = self.holds.pop(claim_id, None)
        if held is None:
            return None
        claim = held.claim
        excess = 0 if tokens is None else tokens - claim.tokens
        for line in held.spread.lines:
            line.release(excess)
        for bucket in held.places.buckets:
            bucket.hold(-claim.amount)
            bucket.settle(cost)
        return held

    def charge(self, grant: Grant, cost: int, now: float) -> Places:
        """Charge levels that held nothing, in the buckets of the instant they were let pass."""
        now, claim = self._instant(now), grant.claim
        lines = self._spread(claim.root, claim.levels).lines
        tallies = [tally for line in lines for _, tally in line.allowances]
        buckets = tuple([tally.find(grant.at, now) for tally in tallies])
        for bucket in buckets:
            bucket.settle(cost)
        return Places(buckets, grant.at, grant.at)

    def correct(self, claim_id: str, cost: int) -> Lapsed | None:
        """Put right what a lapsed hold was charged; None if there is no such."""
        lapsed = self._lapsed.pop(claim_id, None)
        if lapsed is not None:
            for bucket in lapsed.places.buckets:
                bucket.settle(cost - lapsed.expected)
        return lapsed

    def lapse(self, lapsed: Lapsed) -> None:
        """Remember a hold that has lapsed."""
        self._lapsed[lapsed.id] = lapsed
        if len(self._lapsed) > MAX_LAPSED:
            self._lapsed.popitem(last=False)

    def lose(self, now: float) -> list[Lapsed]:
        """Let holds lapse that nobody can be about to settle any more; the oldest come first."""
        oldest = islice(self.holds.values(), LAPSED_AT_ONCE)
        lost = [held for held in oldest if held.at < now - LOST_SECONDS]
        lapsed: list[Lapsed] = []
        for claim, _, spread, places in lost:
            self.settle(claim.id, claim.expected, None)
            day = day_of(now)
            lapsed.append(Lapsed(claim.id, claim.expected, spread.account, day, places))
            self.lapse(lapsed[-1])
        return lapsed

    def standing(self, root: str, levels: Sequence[Level], now: float) -> Standing:
        """Where levels stand."""
        return standing(self._spread(root, tuple(levels)).lines, self._instant(now))

    def restore(self, slot: Slot, settled: int) -> Bucket:
        """Take up what was settled in a bucket as it was kept."""
        allowance = Allowance(FREE, slot.period, slot.rolling)
        return self._page(slot.level).tally(slot.level, allowance).restore(slot.bucket, settled)

    def rates(self) -> list[tuple[str, float, float]]:
        """Theoretical arrivals of requests and tokens, by level; for any thread."""
        return [(level, page.requests, page.tokens) for level, page in list(self._pages.items())]

    def restore_rates(self, rates: Iterable[tuple[str, float, float]]) -> None:
        """Take up theoretical arrivals."""
        for level, requests, tokens in rates:
            page = self._page(level)
            page.requests, page.tokens = requests, tokens

    def sweep(self, now: float) -> None:
        """Forget levels of which there is nothing to say."""
        now = self._instant(now)
        self._spreads.clear()
        for level in [level for level, page in self._pages.items() if page.idle(now)]:
            del self._pages[level]

    def _instant(self, now: float) -> float:
        if now >= self._latest:
            self._latest = now
            return now
        if now >= self._latest - WRONG_BY:
            return self._latest
        self._latest = now
        self._spreads.clear()
        return now

    def _spread(self, root: str, levels: tuple[Level, ...]) -> Spread:
        innermost = levels[0].id if levels else ""
        found = self._spreads.get(innermost)
        if found is not None and (found.levels is levels or found.levels == levels):
            return found
        lines = tuple([Line(level, self._page(level.id)) for level in levels])
        made = self._spreads[innermost] = Spread(root, levels, lines)
        return made

    def _page(self, level: str) -> Page:
        page = self._pages.get(level)
        if page is None:
            page = self._pages[level] = Page()
        return page


def account_of(root: str, levels: Iterable[Level]) -> Account:
    """Who is charged for a call that nobody can tell about: as much as its levels say."""
    # A root that is no name stands for those of no organisation.
    fields = [root if root[:1].isalnum() else "", "", "", "", "none"]
    for level in levels:
        rank, _, name = level.id.partition(":")
        if rank in NAMES:
            fields[NAMES[rank]] = name
    return Account(*fields)
