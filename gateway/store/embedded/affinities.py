"""An `Affinities` in this process that survives it: least recently used goes first.

Names may be a caller's own words, so only their digests are kept. Who made a stored object has room
of its own, which many conversations do not fill. A killed process may lose the notes of its last
moment.
"""

from collections import OrderedDict
from hashlib import blake2b
from itertools import islice
from typing import Final

from gateway.ports import Clock
from gateway.store.embedded.journal import Journal

MAX_NOTES: Final = 20_000
"""About 5 MB; a note is a word, mostly."""

LONGEST: Final = 256
"""Characters of a note; a longer one is not kept."""

SWEPT: Final = 2
"""Oldest notes looked at per put: more than one, so the dead go faster than the new come."""

LASTING: Final = "object"
"""The kind of notes that are asked for long after; the length of a digest tells them apart."""

DIGEST_BYTES: Final = 16
LASTING_BYTES: Final = 20

_PUT = "INSERT OR REPLACE INTO notes VALUES (?, ?, ?)"
_DROP = "DELETE FROM notes WHERE name = ?"
_LOAD = "SELECT name, note, dies FROM notes WHERE dies > ? ORDER BY dies DESC LIMIT ?"


class EmbeddedAffinities:
    """Notes of one data directory: at most `max_notes` of what lasts, and as many of the rest."""

    __slots__ = ("_journal", "_lasting", "_max_notes", "_notes", "_wall")

    def __init__(self, clock: Clock, journal: Journal, max_notes: int = MAX_NOTES) -> None:
        self._wall = clock.wall
        self._journal = journal
        self._max_notes = max_notes
        rows = journal.connection.execute(_LOAD, (self._wall(), 2 * max_notes)).fetchall()
        self._notes: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._lasting: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        for name, note, dies in reversed(rows):
            self._room(name)[name] = (note, dies)

    async def get(self, kind: str, name: str) -> str | None:
        digest = _digest(kind, name)
        notes = self._room(digest)
        found = notes.get(digest)
        if found is None:
            return None
        if self._wall() < found[1]:
            notes.move_to_end(digest)
            return found[0]
        self._drop(digest)
        return None

    async def put(self, kind: str, name: str, note: str, ttl: float) -> None:
        digest, now = _digest(kind, name), self._wall()
        notes, dies = self._room(digest), now + ttl
        # Written so that a ttl that is no number keeps nothing.
        if len(note) > LONGEST or not now < dies:
            if digest in notes:
                self._drop(digest)
            return
        notes[digest] = (note, dies)
        notes.move_to_end(digest)
        self._journal.row(("note", digest), _PUT, (digest, note, dies))
        for oldest in tuple(islice(notes, SWEPT)):
            if not now < notes[oldest][1]:
                self._drop(oldest)
        if len(notes) > self._max_notes:
            self._drop(next(iter(notes)))

    def _room(self, digest: bytes) -> OrderedDict[bytes, tuple[str, float]]:
        return self._lasting if len(digest) > DIGEST_BYTES else self._notes

    def _drop(self, digest: bytes) -> None:
        del self._room(digest)[digest]
        self._journal.row(("note", digest), _DROP, (digest,))


def _digest(kind: str, name: str) -> bytes:
    size = LASTING_BYTES if kind == LASTING else DIGEST_BYTES
    return blake2b(f"{kind}\0{name}".encode("utf-8", "replace"), digest_size=size).digest()
