"""The latest decisions and what became of them: a bounded ring in memory.

A call leaves what it made anyway (its choice, its assessment, its closing entry) and nothing that
holds a prompt or an answer; rows are spelled when somebody asks. Whoever watches looks at the ring
itself: watching costs a call nothing, and a watcher that falls behind is told how many it missed.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from gateway.call import Assessment, Wishes
from gateway.ended import Ended
from gateway.principal import Principal
from gateway.route.reasons import Choice


class Decision(NamedTuple):
    """One finished call: `at` is epoch seconds; `deployment` answered ("": none did).

    `adapted` are the words on what was changed for its model.
    """

    ended: Ended
    at: float
    api: str
    deployment: str
    principal: Principal
    wishes: Wishes
    seen: Assessment | None
    choice: Choice | None
    adapted: tuple[str, ...] = ()


class Mark(NamedTuple):
    """How many decisions came here, and how many were made that nobody told of."""

    came: int = 0
    missed: int = 0


class Seen(NamedTuple):
    """What a watcher gets: new decisions, oldest first, how many it missed, where it is now."""

    decisions: tuple[Decision, ...]
    missed: int
    at: Mark


class Decisions:
    """The ring; `count` is how many decisions there have been. One loop, no lock."""

    __slots__ = ("_add", "_missed", "_ring", "count", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._ring: deque[Decision] = deque(maxlen=limit)
        self._add = self._ring.append
        self._missed = 0
        self.count = 0

    def add(self, decision: Decision) -> None:
        """A call is over."""
        self.count += 1
        self._add(decision)

    def miss(self, decisions: int) -> None:
        """So many were made that are not told."""
        self._missed += decisions

    def newest_first(self, before: str = "") -> Iterator[Decision]:
        """The decisions, or those older than the one of an id; what it forgot had no older ones."""
        found = reversed(self._ring)
        if before:
            for decision in found:
                if decision.ended.id == before:
                    break
        return found

    def find(self, call_id: str) -> Decision | None:
        """The decision of a call, if it is still here."""
        return next((d for d in reversed(self._ring) if d.ended.id == call_id), None)

    def mark(self) -> Mark:
        """Where it is now."""
        return Mark(self.count, self._missed)

    def since(self, at: Mark, most: int) -> Seen:
        """What came after a mark, the newest `most` of it."""
        new = self.count - at.came
        taken = min(new, most, len(self._ring))
        newest = tuple(islice(reversed(self._ring), taken))
        missed = new - taken + self._missed - at.missed
        return Seen(newest[::-1], missed, self.mark())
