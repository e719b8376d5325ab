"""What a batch cost: charged once, when a reply first tells that it is done and what it used.

Nobody knows the price of a batch when it is made: its calls lie in a file. Its own description says
in the end how many tokens it took of which model; whoever asks for that first is charged, at the
price of batches. That it was charged is noted for as long as such descriptions are kept.

Refused: reading the files of calls and answers.
"""

from collections.abc import Mapping
from typing import Any

from gateway.call import NO_USAGE, Usage
from gateway.flow.passage import Books
from gateway.flow.tolls import Tolls
from gateway.holds import Account, Charge, Claim, Grant
from gateway.money import FREE, NanoUSD
from gateway.ports import Affinities, Clock, Ledger
from gateway.wire.usage import any_usage

KIND = "batch"
SERVICE = "batch"
NOTED_SECONDS = 90 * 86_400.0
OVER = frozenset(("completed", "expired", "cancelled", "failed"))
LONGEST_ID = 200


class Batches:
    """Charges each batch once."""

    def __init__(self, tolls: Tolls, affinities: Affinities, ledger: Ledger, clock: Clock) -> None:
        self._tolls = tolls
        self._affinities = affinities
        self._ledger = ledger
        self._wall = clock.wall

    async def told(self, books: Books, reply: Mapping[str, Any]) -> None:
        """Charge whoever asked what a batch took that is over, unless somebody was before."""
        name, usage = reply.get("id"), _taken(reply)
        if usage is None or not isinstance(name, str) or not 0 < len(name) <= LONGEST_ID:
            return
        bill = self._tolls.priced(str(reply.get("model")))
        if bill.price is None or await self._affinities.get(KIND, name) is not None:
            return
        cost = usage.cost(bill.price)
        books.usage, books.cost, books.model, books.apart = usage, cost, bill.priced, True
        self._charge(books, name, cost, usage)
        await self._affinities.put(KIND, name, bill.priced, NOTED_SECONDS)

    def _charge(self, books: Books, name: str, cost: NanoUSD, usage: Usage) -> None:
        who = books.wanted.principal
        # Two replies at once name the same claim, and a claim is settled once.
        claim = Claim(f"{KIND}:{name}", who.root, who.levels, cost, cost, 0)
        account = Account(who.organisation, who.team, who.key, books.model)
        grant = Grant(claim, self._wall(), backed=False)
        self._ledger.settle(grant, Charge(account, cost, usage))

    @staticmethod
    def own(books: Books) -> tuple[NanoUSD, Usage]:
        """What a request costs itself, beside the batch it told about."""
        return (FREE, NO_USAGE) if books.apart else (books.cost, books.usage)


def _taken(reply: Mapping[str, Any]) -> Usage | None:
    """What a batch took, if it is over and says so."""
    if reply.get("object") != "batch" or reply.get("status") not in OVER:
        return None
    usage = any_usage(reply.get("usage"), SERVICE)
    return usage if usage is not None and (usage.prompt or usage.completion) else None
