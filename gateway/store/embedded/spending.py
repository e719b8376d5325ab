"""Records of spend in the database: what `tiergate spend` and the admin API ask for.

Reads only, so another process may do it while a gateway writes.
"""

from gateway.budget.records import day_number, spent
from gateway.holds import SpendQuery, Spent
from gateway.store.embedded.database import Connection
from gateway.store.embedded.journal import Desk

_FIND = (
    "SELECT * FROM spend WHERE day BETWEEN ? AND ? AND (? = '' OR organisation = ?) "
    "AND (? = '' OR team = ?) AND (? = '' OR key = ?) ORDER BY day DESC, cost DESC LIMIT ?"
)


class Spending:
    """The records of a data directory, and nothing else of its ledger."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def spend(self, query: SpendQuery) -> list[Spent]:
        """The records of spend, newest day first, and the dearest first in a day.

        Raises:
            StoreUnavailable: the database cannot be read in time.
        """
        org, team, key = query.organisation, query.team, query.key
        since, until = day_number(query.since), day_number(query.until)
        values = (since, until, org, org, team, team, key, key, query.limit)

        def find(connection: Connection) -> list[Spent]:
            return [spent(row) for row in connection.execute(_FIND, values)]

        return await self._desk.ask(find)
