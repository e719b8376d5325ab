"""Records of spend: eight sums for each account and day, bounded.

A day is one in UTC, counted from the epoch; a call is told on the day it was settled. Records are
kept for 400 days. When there are too many, what is spent on accounts that have no record yet on
that day is told as one for each organisation and tier, so that sums stay whole.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from operator import add
from typing import Any

from gateway.holds import Account, Charge, SpendQuery, Spent
from gateway.money import NanoUSD

DAY_SECONDS = 86_400
KEPT_DAYS = 400
MAX_RECORDS = 100_000
"""Records of all days: some 20 MB."""

OTHER = "other"

Record = tuple[Any, ...]
"""What is to be added: a day, the five names of an account, and the eight sums calls, prompt,
cached, completion, reasoning, cost, estimated, saved. Not a named tuple: each call makes one."""

NAMED = 6
"""What of a record says whose it is."""


def day_of(at: float) -> int:
    """The day of an instant, as days since the epoch."""
    return int(at // DAY_SECONDS)


def day_number(day: date) -> int:
    """A day, as days since the epoch."""
    return (day - date(1970, 1, 1)).days


def date_of(day: int) -> date:
    """Days since the epoch, as a day."""
    return datetime.fromtimestamp(day * DAY_SECONDS, UTC).date()


def record(day: int, charge: Charge) -> Record:
    """What a charge adds."""
    account, cost, usage, saved = charge
    prompt, completion, cached, reasoning, estimated = usage[:5]
    tokens = (prompt, cached, completion, reasoning)
    return (day, *account, 1, *tokens, cost, cost if estimated else 0, saved)


def lapsed(day: int, account: Account, expected: int) -> Record:
    """What a hold adds that was charged what was expected of it; nobody counted its tokens."""
    return (day, *account, 1, 0, 0, 0, 0, expected, expected, 0)


def taken_back(one: Record) -> Record:
    """What takes a record's sums back."""
    return (*one[:NAMED], *[-number for number in one[NAMED:]])


def other(named: Record) -> Record:
    """Where spend is told when there are too many accounts: under its day, organisation, tier."""
    day, organisation, *_, tier = named
    return (day, organisation, OTHER, OTHER, OTHER, tier)


def spent(one: Record) -> Spent:
    """A record, as it is told."""
    return told(date_of(one[0]), Account(*one[1:NAMED]), one[NAMED:])


def told(day: date, account: Account, sums: Sequence[int]) -> Spent:
    """An account's sums of a day, in the order that records keep them."""
    calls, prompt, cached, completion, reasoning, cost, estimated, saved = sums
    return Spent(
        day,
        account,
        calls,
        prompt,
        cached,
        completion,
        reasoning,
        NanoUSD(cost),
        NanoUSD(estimated),
        NanoUSD(saved),
    )


class Records:
    """Records in memory, at most `most` and those of `other`."""

    def __init__(self, most: int = MAX_RECORDS) -> None:
        self._most = most
        self._sums: dict[Record, Record] = {}
        self._day = 0

    def add(self, records: Iterable[Record]) -> None:
        """Add to the sums."""
        for one in records:
            if one[0] > self._day:
                self._turn(one[0])
            named, sums = one[:NAMED], one[NAMED:]
            before = self._sums.get(named)
            if before is None and len(self._sums) >= self._most:
                named = other(named)
                before = self._sums.get(named)
            self._sums[named] = sums if before is None else tuple(map(add, before, sums))

    def find(self, query: SpendQuery) -> list[Spent]:
        """The records asked for, newest day first, and the dearest first in a day."""
        since, until = day_number(query.since), day_number(query.until)
        found = [
            spent((*named, *sums))
            for named, sums in self._sums.items()
            if since <= named[0] <= until and _matches(named, query)
        ]
        found.sort(key=lambda one: (one.day, one.cost), reverse=True)
        return found[: query.limit]

    def _turn(self, day: int) -> None:
        self._day = day
        for named in [named for named in self._sums if named[0] <= day - KEPT_DAYS]:
            del self._sums[named]


def _matches(named: Record, query: SpendQuery) -> bool:
    _, organisation, team, key, *_ = named
    return (
        query.organisation in ("", organisation)
        and query.team in ("", team)
        and query.key in ("", key)
    )
