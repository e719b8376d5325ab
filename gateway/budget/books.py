"""The ledger's books, pure: every level's windows, rates and live holds.

The law: for every allowance, at every instant, settled + held ≤ its amount. It holds because a
claim passes all its levels or touches none, because what is held is never less than what is
settled for it (under `hold: worst`), and because nothing here waits: one claim is one step.

A hold belongs to the buckets of the instant it was made in, and is settled there, even when the
window has ended by then. What is settled later than its lease corrects what the lapse charged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.budget.windows import MINUTE, rated, remaining, window
from gateway.holds import Claim, Denial, Grant, Limited, Meter, Stand, Standing
from gateway.money import NanoUSD
from gateway.principal import Allowance, Level, Period

PARALLEL_WAIT = 1.0
"""Seconds after which a call that found all parallel places taken may try again."""

Clock = tuple[Period, bool]
"""What an allowance runs by; its amount may change without its spend being forgotten."""

Slot = tuple[str, Period, bool, int]
"""A level's id, what one of its allowances runs by, a bucket of it."""


@dataclass(slots=True)
class Tally:
    """One allowance of one level: settled by bucket, held by bucket."""

    settled: dict[int, int] = field(default_factory=dict)
    held: dict[int, int] = field(default_factory=dict)

    def sums(self, oldest: int) -> tuple[int, int]:
        """What is settled and held from a bucket on; older ones are let go."""
        settled, held = self.settled, self.held
        if len(settled) > 1 or (settled and next(iter(settled)) < oldest):
            for bucket in [b for b in settled if b < oldest]:
                del settled[bucket]
        return sum(settled.values()), sum(n for b, n in held.items() if b >= oldest)


@dataclass(slots=True)
class Page:
    """One level: its tallies, its rates' theoretical arrivals, its live holds."""

    tallies: dict[Clock, Tally] = field(default_factory=dict)
    requests: float = 0.0
    tokens: float = 0.0
    live: int = 0


@dataclass(slots=True)
class Held:
    """A live hold: its claim, when it was made, where it stands."""

    claim: Claim
    at: float
    slots: tuple[Slot, ...]


class Books:
    """All levels of one process. Money is nano-dollars, times epoch seconds."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self.holds: dict[str, Held] = {}

    def hold(self, claim: Claim, now: float) -> Grant | Denial:
        """Pass all levels of a claim, or touch none."""
        pages = [self._page(level.id) for level in claim.levels]
        for level, page in zip(claim.levels, pages, strict=True):
            denied = _denied(level, page, claim, now)
            if denied is not None:
                limited, wait = denied
                return Denial(level.id, limited, wait, self.standing(claim.levels, now))
        slots: list[Slot] = []
        for level, page in zip(claim.levels, pages, strict=True):
            page.live += 1
            if level.requests_per_minute is not None:
                page.requests = rated(level.requests_per_minute, 1, page.requests, now).arrival
            if level.tokens_per_minute is not None:
                limit = level.tokens_per_minute
                page.tokens = rated(limit, claim.tokens, page.tokens, now).arrival
            for allowance in level.allowances:
                bucket = window(allowance, now).bucket
                held = _tally(page, allowance).held
                held[bucket] = held.get(bucket, 0) + claim.amount
                slots.append((level.id, allowance.period, allowance.rolling, bucket))
        self.holds[claim.id] = Held(claim, now, tuple(slots))
        return Grant(claim, now, self.standing(claim.levels, now))

    def settle(self, claim_id: str, cost: NanoUSD, tokens: int | None) -> tuple[Slot, ...]:
        """Release a hold and charge its cost; the slots that changed, none if it is not live.

        `tokens` is what the call used in truth (None: nobody knows, the claim stands).
        """
        held = self.holds.pop(claim_id, None)
        if held is None:
            return ()
        claim = held.claim
        for level in claim.levels:
            page = self._page(level.id)
            page.live -= 1
            if level.tokens_per_minute is not None and tokens is not None:
                page.tokens += (tokens - claim.tokens) * MINUTE / level.tokens_per_minute
        for slot in held.slots:
            tally, bucket = self._tally(slot), slot[3]
            left = tally.held.get(bucket, 0) - claim.amount
            if left > 0:
                tally.held[bucket] = left
            else:
                tally.held.pop(bucket, None)
            self.charge(slot, cost)
        return held.slots

    def charge(self, slot: Slot, cost: int) -> int:
        """Add to what is settled in a slot; its new sum."""
        settled, bucket = self._tally(slot).settled, slot[3]
        settled[bucket] = max(0, settled.get(bucket, 0) + cost)
        return settled[bucket]

    def settled(self, slot: Slot) -> int:
        """What is settled in a slot."""
        return self._tally(slot).settled.get(slot[3], 0)

    def slots(self, levels: Sequence[Level], at: float) -> Iterator[Slot]:
        """Where a charge of an instant belongs."""
        for level in levels:
            for allowance in level.allowances:
                bucket = window(allowance, at).bucket
                yield level.id, allowance.period, allowance.rolling, bucket

    def standing(self, levels: Sequence[Level], now: float) -> Standing:
        """Where levels stand."""
        requests: list[Meter] = []
        tokens: list[Meter] = []
        stands: list[Stand] = []
        for level in levels:
            page = self._page(level.id)
            if level.requests_per_minute is not None:
                requests.append(_meter(level.requests_per_minute, page.requests, now))
            if level.tokens_per_minute is not None:
                tokens.append(_meter(level.tokens_per_minute, page.tokens, now))
            for allowance in level.allowances:
                now_in = window(allowance, now)
                settled, held = _tally(page, allowance).sums(now_in.oldest)
                stands.append(
                    Stand(
                        level.id,
                        allowance.amount,
                        NanoUSD(settled),
                        NanoUSD(held),
                        now_in.elapsed,
                        now_in.reset,
                    )
                )
        return Standing(_scarcest(requests), _scarcest(tokens), tuple(stands))

    def _tally(self, slot: Slot) -> Tally:
        level_id, period, rolling, _ = slot
        return self._page(level_id).tallies.setdefault((period, rolling), Tally())

    def _page(self, level_id: str) -> Page:
        page = self._pages.get(level_id)
        if page is None:
            page = self._pages[level_id] = Page()
        return page


def _denied(
    level: Level, page: Page, claim: Claim, now: float
) -> tuple[Limited, float | None] | None:
    if level.parallel is not None and page.live >= level.parallel:
        return Limited.PARALLEL, PARALLEL_WAIT
    if level.requests_per_minute is not None:
        wait = rated(level.requests_per_minute, 1, page.requests, now).wait
        if wait:
            return Limited.REQUESTS, wait
    if level.tokens_per_minute is not None:
        wait = rated(level.tokens_per_minute, claim.tokens, page.tokens, now).wait
        if wait:
            never = claim.tokens > level.tokens_per_minute
            return Limited.TOKENS, None if never else wait
    for allowance in level.allowances:
        now_in = window(allowance, now)
        settled, held = _tally(page, allowance).sums(now_in.oldest)
        if settled + held + claim.amount > allowance.amount:
            never = claim.amount > allowance.amount
            return Limited.ALLOWANCE, None if never else now_in.reset
    return None


def _tally(page: Page, allowance: Allowance) -> Tally:
    runs_by = (allowance.period, allowance.rolling)
    tally = page.tallies.get(runs_by)
    if tally is None:
        tally = page.tallies[runs_by] = Tally()
    return tally


def _meter(limit: int, arrival: float, now: float) -> Meter:
    return Meter(limit, remaining(limit, arrival, now), max(0.0, arrival - now))


def _scarcest(meters: list[Meter]) -> Meter | None:
    return min(meters, key=lambda meter: meter.remaining, default=None)
