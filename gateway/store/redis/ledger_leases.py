"""Leases of this process's holds, and the end of holds whose process died.

A lease is over when nobody renewed it in time. Its hold is then ended by whoever comes by, in two
steps, so that the script which ends it can name the keys of its levels: look what is due, end each
(the script looks again).
"""

from gateway.budget.records import day_of
from gateway.store.redis.ledger_records import Records
from gateway.store.redis.ledger_scripts import DUE, Scripts
from gateway.store.redis.ledger_shape import MICRO, Shape
from gateway.store.redis.ledger_together import together

ROUNDS = 8
"""How often one looks for more: four hundred dead holds. The rest is for who comes next."""


class Leases:
    """The holds of this process that are alive; `length` of a lease is seconds."""

    def __init__(self, scripts: Scripts, records: Records, length: float) -> None:
        self._scripts = scripts
        self._records = records
        self._due: dict[str, Shape] = {}
        self.length = length
        self.live: dict[str, Shape] = {}

    def note_due(self, shape: Shape) -> None:
        """Somebody saw leases of a root that are over."""
        self._due[shape.root] = shape

    async def renew(self) -> None:
        """Renew the leases of all that is alive.

        Raises:
            StoreUnavailable: not all could be renewed.
        """
        by_root: dict[str, list[str]] = {}
        for claim, shape in self.live.items():
            by_root.setdefault(shape.root, []).append(claim)
        for claims in by_root.values():
            shape = self.live.get(claims[0], shape)
            if await self._scripts.renew(shape, claims, self.length):
                self.note_due(shape)

    async def end_noted(self) -> None:
        """End what was noted.

        Raises:
            StoreUnavailable: not all could be ended.
        """
        for root, shape in list(self._due.items()):
            await self.end_due(shape)
            self._due.pop(root, None)

    async def end_due(self, shape: Shape, rounds: int = ROUNDS) -> None:
        """End the holds of a root whose leases are over.

        Raises:
            StoreUnavailable: not all could be ended.
        """
        for _ in range(rounds):
            dead = await self._scripts.due(shape)
            await together(self._scripts.lapse(shape, one) for one in dead)
            for one in dead:
                self._records.note(shape.root, day_of(one.at / MICRO))
            if len(dead) < DUE:
                return
