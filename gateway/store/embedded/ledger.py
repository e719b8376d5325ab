"""A `Ledger` in this process: the books decide in memory, the journal remembers.

What was settled, live holds and records of spend are never forgotten, rates nearly never (those of
the last second may be); parallel places are free again after a restart, as whoever had them is
gone. A hold that a killed process left is charged what was expected of it when the next one starts.

One process keeps all roots side by side, as no two of their levels have the same id.
"""

from collections.abc import Sequence
from math import inf
from typing import Final

from gateway.budget.books import Books, Places
from gateway.budget.records import DAY_SECONDS, Record, Records, lapsed, record, taken_back
from gateway.holds import Charge, Claim, Denial, Grant, SpendQuery, Spent, Standing
from gateway.ports import Clock
from gateway.principal import Level
from gateway.store.embedded.journal import Journal
from gateway.store.embedded.spending import Spending

TIDY_SECONDS: Final = 60.0
"""Between two looks for holds that were lost."""

SWEEP_SECONDS: Final = 3_600.0
"""Between two looks for levels of which there is nothing to say: ten milliseconds for 10,000."""

NAMES_TOLD_APART: Final = 10_000
NOWHERE: Final = Places((), inf, -inf)


class Once:
    """Tells whether a name was met before; of the last ten thousand at least, it knows."""

    __slots__ = ("_earlier", "_met")

    def __init__(self) -> None:
        self._met: set[str] = set()
        self._earlier: set[str] = set()

    def first(self, name: str) -> bool:
        """Whether this is the first time."""
        if name in self._met or name in self._earlier:
            return False
        self._met.add(name)
        if len(self._met) >= NAMES_TOLD_APART:
            self._earlier, self._met = self._met, set()
        return True


class EmbeddedLedger:
    """One process's ledger; without a journal it forgets when the process ends."""

    def __init__(self, clock: Clock, books: Books, journal: Journal | None) -> None:
        self._now, self._wall = clock.now, clock.wall
        self._books = books
        self._journal = journal
        self._spending = None if journal is None else Spending(journal)
        self._records = Records()
        self._once = Once()
        self._tidied = self._swept = self._now()

    async def hold(self, claim: Claim) -> Grant | Denial:
        if not claim.levels:
            return Grant(claim, self._wall())
        if self._now() >= self._tidied + TIDY_SECONDS:
            self._tidy()
        answer = self._books.hold(claim, self._wall())
        if self._journal is not None and type(answer) is Grant:
            claim, _, spread, places = self._books.holds[claim.id]
            self._journal.hold(claim.id, claim.expected, places, spread.account)
        return answer

    def settle(self, grant: Grant | None, charge: Charge) -> None:
        told = record(int(self._wall() // DAY_SECONDS), charge)
        if grant is None:
            self._post("", 0, NOWHERE, told)
            return
        claim = grant.claim
        if grant.backed and claim.levels:
            # No usage at all says that nobody knows it.
            tokens = charge.usage.prompt + charge.usage.completion or None
            held = self._books.settle(claim.id, charge.cost, tokens)
            if held is not None:
                self._post(claim.id, charge.cost, held.places, told)
            else:
                self._correct(claim.id, charge, told)
        elif self._once.first(claim.id):
            places = NOWHERE
            if claim.levels:
                places = self._books.charge(grant, charge.cost, self._wall())
            self._post("", charge.cost, places, told)

    async def standing(self, root: str, levels: Sequence[Level]) -> Standing:
        return self._books.standing(root, levels, self._wall())

    async def spend(self, query: SpendQuery) -> list[Spent]:
        if self._spending is not None:
            return await self._spending.spend(query)
        return self._records.find(query)

    def live(self) -> int:
        """Holds that are not settled yet."""
        return len(self._books.holds)

    def _correct(self, claim_id: str, charge: Charge, told: Record) -> None:
        found = self._books.correct(claim_id, charge.cost)
        if found is not None:
            charged = lapsed(found.day, found.account, found.expected)
            more = charge.cost - found.expected
            self._post("", more, found.places, taken_back(charged), told)

    def _post(self, claim_id: str, cost: int, places: Places, *records: Record) -> None:
        if self._journal is not None:
            self._journal.post(claim_id, cost, places, records)
        else:
            self._records.add(records)

    def _tidy(self) -> None:
        now, wall = self._now(), self._wall()
        self._tidied = now
        for one in self._books.lose(wall):
            charged = lapsed(one.day, one.account, one.expected)
            self._post(one.id, one.expected, one.places, charged)
        if now >= self._swept + SWEEP_SECONDS:
            self._swept = now
            self._books.sweep(wall)
