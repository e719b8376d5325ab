"""What the flow counts beside the calls themselves, for whoever makes a page of metrics.

Plain numbers that one loop adds to and any thread may read: a reader is at most one call behind.
Every word that counts as a name here is of a closed set.
"""

from typing import Final

from gateway.catalog import Tier
from gateway.holds import Denial, Limited

STAGES: Final = ("read", "remember", "assess", "choose", "hold", "send")
READ, REMEMBER, ASSESS, CHOOSE, HOLD, SEND = range(len(STAGES))

RANKS: Final = {"key": "key", "team": "team", "org": "organisation"}
"""What the parts of an account are called, by how the ids of their levels begin."""

OTHER: Final = "other"

NEW, KEPT, UP, DOWN = "new", "kept", "up", "down"


class Tallies:
    """One process's: money held now, refusals, stages' seconds, turns of conversations.

    `held` is nano-dollars; `stages` is seconds by stage, waiting for others excluded.
    """

    __slots__ = ("held", "limited", "stages", "turns")

    def __init__(self) -> None:
        self.held = 0
        self.limited = {
            (rank, limit.value): 0 for rank in (*RANKS.values(), OTHER) for limit in Limited
        }
        self.stages = [0.0] * len(STAGES)
        self.turns = dict.fromkeys((NEW, KEPT, UP, DOWN), 0)

    def refused(self, denial: Denial) -> None:
        """A limit refused a call."""
        self.limited[rank_of(denial.level), denial.limited.value] += 1

    def turned(self, before: Tier | None, now: Tier) -> None:
        """A conversation's turn goes to a tier; None: it is the first."""
        if before is None:
            self.turns[NEW] += 1
        elif now is before:
            self.turns[KEPT] += 1
        else:
            self.turns[UP if now > before else DOWN] += 1


def rank_of(level: str) -> str:
    """What a level's id says it is, without whose."""
    return RANKS.get(level.partition(":")[0], OTHER)
