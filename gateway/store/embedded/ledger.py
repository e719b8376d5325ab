"""A `Ledger` in this process: the books decide in memory, the journal remembers.

Settled sums, live holds and records of spend are rows of the journal, written as absolute values,
so that a batch written twice or half is no harm. Rates and parallel places are not kept: after a
restart they are fresh. A hold that a killed process left is charged what was expected of it when
the next one starts.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from gateway.budget.books import Books, Slot
from gateway.holds import (
    Account,
    Charge,
    Claim,
    Denial,
    Grant,
    SpendQuery,
    Spent,
    Standing,
)
from gateway.ports import Clock
from gateway.principal import Level, Period
from gateway.store.embedded.journal import Journal
from gateway.store.embedded.spending import DAY_SECONDS, number_of, read_spend, spent

KEPT_DAYS = 400
# Accounts told apart on one day; what comes beyond is told as one.
MAX_ACCOUNTS = 20_000
OTHER = "other"
# Holds whose settling is remembered, so that settling them again changes nothing.
MAX_SETTLED = 10_000
# A rolling month is the longest that counts.
OLDEST_SECONDS = 62 * DAY_SECONDS

_SETTLED = "INSERT OR REPLACE INTO settled VALUES (?, ?, ?, ?, ?)"
_HOLD = "INSERT OR REPLACE INTO holds VALUES (?, ?, ?)"
_RELEASE = "DELETE FROM holds WHERE id = ?"
_SPEND = "INSERT OR REPLACE INTO spend VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
Totals = list[int]
"""Calls, prompt, cached, completion, reasoning, cost, estimated, saved."""


class EmbeddedLedger:
    """One process's ledger; without a journal it forgets when the process ends."""

    def __init__(self, clock: Clock, journal: Journal | None) -> None:
        self._wall = clock.wall
        self._journal = journal
        self._books = Books()
        self._settled: OrderedDict[str, None] = OrderedDict()
        self._spend: dict[tuple[int, Account], Totals] = {}
        self._day = self._today()
        if journal is not None:
            self._load(journal)

    async def hold(self, claim: Claim) -> Grant | Denial:
        answer = self._books.hold(claim, self._wall())
        if isinstance(answer, Grant) and self._journal is not None:
            slots = json.dumps([_spelled(slot) for slot in self._books.holds[claim.id].slots])
            row = (claim.id, slots, claim.expected)
            self._journal.put(("hold", claim.id), _HOLD, row)
        return answer

    def settle(self, grant: Grant | None, charge: Charge) -> None:
        if grant is not None:
            if grant.claim.id in self._settled:
                return
            self._remember(grant.claim.id)
            self._release(grant, charge)
        self._record(charge)

    async def standing(self, root: str, levels: Sequence[Level]) -> Standing:
        # One process keeps all roots side by side.
        _ = root
        return self._books.standing(levels, self._wall())

    async def spend(self, query: SpendQuery) -> list[Spent]:
        if self._journal is not None:
            self._journal.flush()
            return read_spend(self._journal, query)
        since, until = number_of(query.since), number_of(query.until)
        found = [
            spent((day, *account, *totals))
            for (day, account), totals in self._spend.items()
            if since <= day <= until and _matches(account, query)
        ]
        found.sort(key=lambda one: (one.day, one.cost), reverse=True)
        return found[: query.limit]

    def live(self) -> int:
        """Holds that are not settled yet."""
        return len(self._books.holds)

    def _release(self, grant: Grant, charge: Charge) -> None:
        books, claim = self._books, grant.claim
        known = charge.usage.prompt + charge.usage.completion
        if grant.backed:
            changed = books.settle(claim.id, charge.cost, known or None)
        else:
            changed = tuple(books.slots(claim.levels, grant.at))
            for slot in changed:
                books.charge(slot, charge.cost)
        if self._journal is not None:
            self._journal.put(("hold", claim.id), _RELEASE, (claim.id,))
            for slot in changed:
                self._write(self._journal, slot)

    def _write(self, journal: Journal, slot: Slot) -> None:
        level, period, rolling, bucket = slot
        row = (level, period.value, int(rolling), bucket, self._books.settled(slot))
        journal.put(("settled", slot), _SETTLED, row)

    def _remember(self, claim_id: str) -> None:
        self._settled[claim_id] = None
        if len(self._settled) > MAX_SETTLED:
            self._settled.popitem(last=False)

    def _record(self, charge: Charge) -> None:
        today = self._today()
        if today != self._day:
            self._turn(today)
        row = (today, charge.account)
        totals = self._spend.get(row)
        if totals is None:
            if len(self._spend) >= MAX_ACCOUNTS:
                row = (today, Account(OTHER, OTHER, OTHER, OTHER, charge.account.tier))
            totals = self._spend.setdefault(row, [0] * 8)
        usage, cost = charge.usage, charge.cost
        totals[0] += charge.calls
        totals[1] += usage.prompt
        totals[2] += usage.cached
        totals[3] += usage.completion
        totals[4] += usage.reasoning
        totals[5] += cost
        totals[6] += cost if usage.estimated else 0
        totals[7] += charge.saved
        if self._journal is not None:
            self._journal.put(("spend", row), _SPEND, (today, *row[1], *totals), urgent=False)

    def _turn(self, today: int) -> None:
        """A new day: its records start anew, the oldest go."""
        self._day = today
        if self._journal is None:
            gone = [row for row in self._spend if row[0] <= today - KEPT_DAYS]
            for row in gone:
                del self._spend[row]
            return
        self._spend = {row: totals for row, totals in self._spend.items() if row[0] == today}
        self._sweep(self._journal, today)

    def _sweep(self, journal: Journal, today: int) -> None:
        oldest = today - KEPT_DAYS
        journal.put(("sweep", "spend"), "DELETE FROM spend WHERE day <= ?", (oldest,))
        past = int(self._wall() - OLDEST_SECONDS)
        calendar = "DELETE FROM settled WHERE rolling = 0 AND bucket < ?"
        journal.put(("sweep", "settled"), calendar, (past,))

    def _load(self, journal: Journal) -> None:
        for level, period, rolling, bucket, settled in journal.read("SELECT * FROM settled"):
            self._books.charge((level, Period(period), bool(rolling), bucket), settled)
        for claim_id, slots, expected in journal.read("SELECT * FROM holds"):
            # The process that made it is gone, as the lock is ours.
            for level, period, rolling, bucket in json.loads(slots):
                slot = (level, Period(period), bool(rolling), bucket)
                self._books.charge(slot, expected)
                self._write(journal, slot)
            journal.put(("hold", claim_id), _RELEASE, (claim_id,))
        for row in journal.read("SELECT * FROM spend WHERE day = ?", (self._day,)):
            self._spend[row[0], Account(*row[1:6])] = list(row[6:])
        self._sweep(journal, self._day)

    def _today(self) -> int:
        return int(self._wall() // DAY_SECONDS)


def _spelled(slot: Slot) -> list[Any]:
    level, period, rolling, bucket = slot
    return [level, period.value, rolling, bucket]


def _matches(account: Account, query: SpendQuery) -> bool:
    return (
        query.organisation in ("", account.organisation)
        and query.team in ("", account.team)
        and query.key in ("", account.key)
    )
