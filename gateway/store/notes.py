"""Notes kept in this process: least recently used goes first, and their number is the measure.

Refused: surviving a restart, and being seen by other processes.
"""

from collections import OrderedDict

from gateway.ports import Clock

MAX_NOTES = 20_000
"""About 5 MB; a note is a name and a word."""


class MemoryAffinities:
    """An `Affinities` in memory, at most `max_notes` large."""

    __slots__ = ("_max_notes", "_notes", "_now")

    def __init__(self, clock: Clock, max_notes: int = MAX_NOTES) -> None:
        self._now = clock.now
        self._max_notes = max_notes
        self._notes: OrderedDict[tuple[str, str], tuple[str, float]] = OrderedDict()

    async def get(self, kind: str, name: str) -> str | None:
        found = self._notes.get((kind, name))
        if found is None:
            return None
        if self._now() < found[1]:
            self._notes.move_to_end((kind, name))
            return found[0]
        del self._notes[kind, name]
        return None

    async def put(self, kind: str, name: str, note: str, ttl: float) -> None:
        notes = self._notes
        notes[kind, name] = (note, self._now() + ttl)
        notes.move_to_end((kind, name))
        if len(notes) > self._max_notes:
            notes.popitem(last=False)
