"""Notes kept in this process: least recently used goes first, and their number is the measure.

Each kind has room of its own: many conversations do not crowd out who made a file.

Refused: surviving a restart, and being seen by other processes.
"""

from collections import OrderedDict

from gateway.ports import Clock

MAX_NOTES = 20_000
"""About 5 MB; a note is a name and a word."""


class MemoryAffinities:
    """An `Affinities` in memory, at most `max_notes` of each kind."""

    __slots__ = ("_kinds", "_max_notes", "_now")

    def __init__(self, clock: Clock, max_notes: int = MAX_NOTES) -> None:
        self._now = clock.now
        self._max_notes = max_notes
        self._kinds: dict[str, OrderedDict[str, tuple[str, float]]] = {}

    async def get(self, kind: str, name: str) -> str | None:
        notes = self._kinds.get(kind)
        found = None if notes is None else notes.get(name)
        if notes is None or found is None:
            return None
        if self._now() < found[1]:
            notes.move_to_end(name)
            return found[0]
        del notes[name]
        return None

    async def put(self, kind: str, name: str, note: str, ttl: float) -> None:
        notes = self._kinds.get(kind)
        if notes is None:
            notes = self._kinds[kind] = OrderedDict()
        notes[name] = (note, self._now() + ttl)
        notes.move_to_end(name)
        if len(notes) > self._max_notes:
            notes.popitem(last=False)
