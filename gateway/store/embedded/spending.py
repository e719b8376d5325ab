"""Records of spend as rows: what `tiergate spend` and the admin API ask for.

Reads only, so another process may do it while a gateway writes.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from gateway.holds import Account, SpendQuery, Spent
from gateway.money import NanoUSD
from gateway.store.embedded.journal import Journal

DAY_SECONDS = 86_400

_SPENT = (
    "SELECT * FROM spend WHERE day BETWEEN ? AND ? AND (? = '' OR organisation = ?) "
    "AND (? = '' OR team = ?) AND (? = '' OR key = ?) ORDER BY day DESC, cost DESC LIMIT ?"
)


class SpendReader:
    """The records of a data directory, and nothing else of its ledger."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def spend(self, query: SpendQuery) -> list[Spent]:
        """The records of spend, newest day first."""
        return read_spend(self._journal, query)


def read_spend(journal: Journal, query: SpendQuery) -> list[Spent]:
    """The records that are written, newest day first."""
    org, team, key = query.organisation, query.team, query.key
    since, until = number_of(query.since), number_of(query.until)
    values = (since, until, org, org, team, team, key, key, query.limit)
    return [spent(row) for row in journal.read(_SPENT, values)]


def number_of(day: date) -> int:
    """A day as days since the epoch."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() // DAY_SECONDS)


def spent(row: Sequence[Any]) -> Spent:
    """A row of the table."""
    day = datetime.fromtimestamp(row[0] * DAY_SECONDS, UTC).date()
    calls, prompt, cached, completion, reasoning, cost, estimated, saved = row[6:]
    return Spent(
        day,
        Account(*row[1:6]),
        calls,
        prompt,
        cached,
        completion,
        reasoning,
        NanoUSD(cost),
        NanoUSD(estimated),
        NanoUSD(saved),
    )
