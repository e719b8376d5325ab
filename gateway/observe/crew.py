"""The figures of all workers of one gateway, from any of them.

Each worker shows its own once a second; a page is made of its own as they are and the others' as
shown last. What a worker counted does not end with it: its supervisor adds it to the figures of
those that have ended. Until then its place still shows it, and whoever reads both is told by its
life which of the two to take.
"""

import logging
from collections.abc import Iterable
from typing import Final, NamedTuple

from prometheus_client.metrics_core import Metric

from gateway.observe.board import Board, Shown
from gateway.observe.summing import join, lasting, pack, unpack

LOG: Final = logging.getLogger("tiergate.metrics")

SHOWN_SECONDS: Final = 1.0
"""Between two showings: what a worker that is killed takes along, at most."""


class Ended(NamedTuple):
    """Whose figures are in those of the ended, and these figures."""

    lives: frozenset[int]
    metrics: list[Metric]


class Crew:
    """The figures of `workers` processes; made before them, in their supervisor."""

    __slots__ = ("_board", "_ended")

    def __init__(self, workers: int) -> None:
        self._board = Board(workers + 1)
        # The last place belongs to the supervisor.
        self._ended = workers

    def show(self, worker: int, life: int, metrics: Iterable[Metric]) -> None:
        """Show a worker's figures to the others."""
        if not self._board.show(worker, Shown(life, pack(metrics))):
            LOG.warning("this worker's metrics are too many to be added to the others'")

    def together(self, worker: int, metrics: Iterable[Metric]) -> list[Metric]:
        """A worker's own figures and all the others'."""
        # In this order: whoever is buried between the two looks is seen twice, not missed.
        others = [one for one in self._board.every() if one[0] not in (worker, self._ended)]
        ended = self._buried()
        living = [unpack(shown.packed) for _, shown in others if shown.life not in ended.lives]
        return join([list(metrics), *living, ended.metrics])

    def bury(self, worker: int, life: int) -> None:
        """A worker has ended: add what it counted to the figures of those that have."""
        shown = self._board.look(worker)
        ended = self._buried()
        if shown is None or shown.life != life or life in ended.lives:
            return
        counted = join([ended.metrics, lasting(unpack(shown.packed))])
        # Every place shows one life at most, so no others need be known.
        seen = {there.life for place, there in self._board.every() if place != self._ended}
        lives = (ended.lives & seen) | {life}
        head = b" ".join(str(one).encode() for one in sorted(lives))
        self._board.show(self._ended, Shown(1, head + b"\n" + pack(counted)))

    def _buried(self) -> Ended:
        shown = self._board.look(self._ended)
        if shown is None:
            return Ended(frozenset(), [])
        head, _, packed = shown.packed.partition(b"\n")
        return Ended(frozenset(map(int, head.split())), unpack(packed))
