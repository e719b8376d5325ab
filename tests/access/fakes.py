"""Stores of keys and money that keep their ports' contracts, in memory, and can be away."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from gateway.access.records import NewKey, created
from gateway.access.token import RANDOM_BYTES
from gateway.errors import StoreUnavailable
from gateway.holds import (
    Account,
    Charge,
    Claim,
    Denial,
    Grant,
    Limited,
    Meter,
    SpendQuery,
    Spent,
    Stand,
    Standing,
)
from gateway.money import FREE, NanoUSD
from gateway.ports import Clock
from gateway.principal import KeyRecord, Level


@dataclass
class Dice:
    """Random bytes that a test can repeat."""

    seed: int = 1

    def __post_init__(self) -> None:
        self._random = Random(self.seed)  # noqa: S311 - a test repeats it

    def __call__(self, count: int) -> bytes:
        return self._random.randbytes(count)


def made(
    name: str = "search-prod", *, seed: int = 1, at: float = 1_000.0, **asked: Any
) -> tuple[KeyRecord, bytes]:
    """A key's record, and the key as a client sends it."""
    record, key = created(NewKey(name, **asked), (), randomness=Dice(seed)(RANDOM_BYTES), now=at)
    return record, key.reveal().encode()


@dataclass
class FakeKeys:
    """Keys in a dictionary; `asked` are the ids that were looked for."""

    records: dict[str, KeyRecord] = field(default_factory=dict)
    away: bool = False
    asked: list[str] = field(default_factory=list)
    listings: int = 0

    async def find(self, key_id: str) -> KeyRecord | None:
        self.asked.append(key_id)
        self._reached()
        return self.records.get(key_id)

    async def put(self, record: KeyRecord, over: KeyRecord | None = None) -> bool:
        self._reached()
        if over is not None and self.records.get(record.id) != over:
            return False
        self.records[record.id] = record
        return True

    async def every(self) -> list[KeyRecord]:
        self.listings += 1
        self._reached()
        return sorted(self.records.values(), key=lambda record: record.created)

    def _reached(self) -> None:
        if self.away:
            raise StoreUnavailable("The store of keys cannot be reached.")


def holding(*records: KeyRecord) -> FakeKeys:
    return FakeKeys({record.id: record for record in records})


@dataclass
class FakeLedger:
    """Money in dictionaries: every window is endless, quotas count and never refill."""

    clock: Clock
    away: bool = False
    settled: dict[str, int] = field(default_factory=dict)
    held: dict[str, Claim] = field(default_factory=dict)
    days: dict[tuple[Any, Account], Spent] = field(default_factory=dict)

    async def hold(self, claim: Claim) -> Grant | Denial:
        self._reached()
        now = await self.standing(claim.root, claim.levels)
        for stand in now.allowances:
            if stand.remaining < claim.amount:
                return Denial(stand.level, Limited.ALLOWANCE, stand.reset, now)
        self.held[claim.id] = claim
        return Grant(claim, self.clock.wall(), await self.standing(claim.root, claim.levels))

    def settle(self, grant: Grant | None, charge: Charge) -> None:
        if grant is not None:
            if self.held.pop(grant.claim.id, None) is None:
                return
            for level in grant.claim.levels:
                self.settled[level.id] = self.settled.get(level.id, 0) + charge.cost
        day = datetime.fromtimestamp(self.clock.wall(), UTC).date()
        before = self.days.get((day, charge.account), Spent(day, charge.account))
        usage = charge.usage
        self.days[day, charge.account] = Spent(
            day,
            charge.account,
            before.calls + 1,
            before.prompt + usage.prompt,
            before.cached + usage.cached,
            before.completion + usage.completion,
            before.reasoning + usage.reasoning,
            NanoUSD(before.cost + charge.cost),
            NanoUSD(before.estimated + (charge.cost if usage.estimated else FREE)),
            NanoUSD(before.saved + charge.saved),
        )

    async def standing(self, root: str, levels: Sequence[Level]) -> Standing:
        self._reached()
        stands = [
            Stand(
                level.id,
                allowance.amount,
                NanoUSD(self.settled.get(level.id, 0)),
                self._held(level.id),
                0.5,
                3_600.0,
            )
            for level in levels
            for allowance in level.allowances
        ]
        limits = [one.requests_per_minute for one in levels if one.requests_per_minute]
        meter = Meter(min(limits), min(limits) - len(self.held), 1.0) if limits else None
        return Standing(requests=meter, allowances=tuple(stands))

    async def spend(self, query: SpendQuery) -> list[Spent]:
        self._reached()
        rows = [
            spent
            for (day, account), spent in self.days.items()
            if query.since <= day <= query.until
            and query.organisation in ("", account.organisation)
            and query.team in ("", account.team)
            and query.key in ("", account.key)
        ]
        return sorted(rows, key=lambda spent: spent.day, reverse=True)[: query.limit]

    def _held(self, level: str) -> NanoUSD:
        claims = self.held.values()
        return NanoUSD(sum(c.amount for c in claims if any(one.id == level for one in c.levels)))

    def _reached(self) -> None:
        if self.away:
            raise StoreUnavailable("The ledger cannot be reached.")


def later(record: KeyRecord, **changes: Any) -> KeyRecord:
    return replace(record, **changes)
