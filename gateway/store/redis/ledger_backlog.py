"""What is settled and not written yet, kept in memory while Redis cannot take it.

Two kinds, and why neither grows without bound:

- what ends a hold, and what was sent without an answer, is kept one by one, to be written once
  whatever happens; there is at most one for each call that was under way when Redis went away,
  as nothing is held while it is away;
- what was spent without a hold is added up by levels, account and minute; when there are too many
  sums the minutes become hours, then days.

Nothing is ever dropped.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.holds import Account
from gateway.store.redis.ledger_records import Sums
from gateway.store.redis.ledger_shape import MICRO, Shape

GRAINS = (60, 3_600, 86_400)
"""Seconds that are added up: the shortest window, then longer ones."""

MAX_SUMS = 4_096
"""Sums before the grain grows; about two megabytes."""


class Owed(NamedTuple):
    """What a settling writes.

    `name` makes it happen once. `how` is `settle` (a hold), `charge` (without one), `void` (a hold
    that may have been made, and that nobody waits for) or `lapse`. `at` is microseconds; `amount`
    and `claimed` are the claim's, `used` its tokens in truth (-1: unknown). `sent`: before, without
    an answer.
    """

    name: str
    how: str
    shape: Shape
    at: int
    cost: int
    account: Account
    sums: Sums
    amount: int = 0
    claimed: int = 0
    used: int = -1
    sent: bool = False


@dataclass(slots=True)
class Sum:
    """Charges added up; `at` is the latest of them."""

    shape: Shape
    account: Account
    at: int
    cost: int = 0
    sums: list[int] = field(default_factory=lambda: [0] * 8)


Place = tuple[str, bytes, Account, int]


class Backlog:
    """Settlings to be written, oldest first."""

    def __init__(self) -> None:
        self._single: dict[str, Owed] = {}
        self._sums: dict[Place, Sum] = {}
        self._grain = 0

    def __len__(self) -> int:
        return len(self._single) + len(self._sums)

    def keep(self, owed: Owed) -> None:
        """Keep a settling until it can be written."""
        if owed.how == "charge" and not owed.sent:
            self._add(Sum(owed.shape, owed.account, owed.at, owed.cost, list(owed.sums)))
        else:
            self._single[owed.name] = owed

    def take(self, most: int, names: "Names") -> list[Owed]:
        """Take some out to be written; what fails is to be kept again."""
        taken = [self._single.pop(name) for name in list(self._single)[:most]]
        for place in list(self._sums)[: most - len(taken)]:
            one = self._sums.pop(place)
            name, sums = names.next(), tuple(one.sums)
            taken.append(Owed(name, "charge", one.shape, one.at, one.cost, one.account, sums))
        if not self._sums:
            self._grain = 0
        return taken

    def _add(self, one: Sum) -> None:
        shape = one.shape
        place = (shape.root, shape.described, one.account, one.at // (GRAINS[self._grain] * MICRO))
        before = self._sums.get(place)
        if before is None:
            self._sums[place] = one
            if len(self._sums) > MAX_SUMS:
                self._coarsen()
            return
        before.at = max(before.at, one.at)
        before.cost += one.cost
        before.sums = [a + b for a, b in zip(before.sums, one.sums, strict=True)]

    def _coarsen(self) -> None:
        if self._grain + 1 < len(GRAINS):
            self._grain += 1
            sums, self._sums = self._sums, {}
            for one in sums.values():
                self._add(one)


class Names:
    """Names that no other process gives."""

    __slots__ = ("_given", "_mine")

    def __init__(self, mine: str) -> None:
        self._mine = mine
        self._given = 0

    def next(self) -> str:
        """A new one."""
        self._given += 1
        return f"{self._mine}.{self._given}"
