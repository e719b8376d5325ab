"""Replies kept in this process: least recently used goes first, and bytes are the measure.

The promise is the bound: whatever is put in, the bytes held never exceed `max_bytes`. Expired
entries go when they are met, and each put looks at the two oldest, so a cache that is written to
rids itself of the dead without a timer and without a pause.

Refused: surviving a restart, being seen by other processes, and copying: what comes out is the
very object that went in.
"""

from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice

from gateway.ports import Clock, Kept

ENTRY_OVERHEAD = 256
"""The dictionary's slot and links, the entry's tuple, its key and its numbers, in bytes."""

SWEPT = 2
"""Oldest entries looked at per put: more than one, so the dead go faster than the new come."""


@dataclass(frozen=True, slots=True)
class Stats:
    """How full the cache is, and how many live entries it gave up for room so far."""

    bytes: int
    entries: int
    evictions: int


class MemoryCache:
    """A `ReplyCache` in memory, at most `max_bytes` large, no entry above `max_entry` bytes.

    For one event loop: nothing here waits, so nothing here locks. `stats` is safe from any thread.
    """

    __slots__ = ("_bytes", "_entries", "_evictions", "_max_bytes", "_max_entry", "_now")

    def __init__(self, clock: Clock, *, max_bytes: int, max_entry: int) -> None:
        self._now = clock.now
        self._max_bytes = max_bytes
        self._max_entry = min(max_entry, max_bytes)
        self._entries: OrderedDict[bytes, tuple[Kept, float, int]] = OrderedDict()
        self._bytes = 0
        self._evictions = 0

    async def get(self, key: bytes) -> Kept | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if self._now() < entry[1]:
            self._entries.move_to_end(key)
            return entry[0]
        self._bytes -= self._entries.pop(key)[2]
        return None

    async def put(self, key: bytes, kept: Kept, ttl: float) -> None:
        entries = self._entries
        old = entries.pop(key, None)
        if old is not None:
            # Also when the new reply has no room: the old one has been superseded.
            self._bytes -= old[2]
        size = kept.size + len(key) + ENTRY_OVERHEAD
        now = self._now()
        dies = now + ttl
        # Written so that a ttl that is no number, or too short for the clock, keeps nothing.
        if size > self._max_entry or not now < dies:
            return
        if entries and not now < entries[next(iter(entries))][1]:
            self._sweep(now)
        self._bytes += size
        while self._bytes > self._max_bytes:
            self._bytes -= entries.popitem(last=False)[1][2]
            self._evictions += 1
        entries[key] = (kept, dies, size)

    def stats(self) -> Stats:
        """The cache's figures as they are now."""
        return Stats(self._bytes, len(self._entries), self._evictions)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._bytes = 0

    def _sweep(self, now: float) -> None:
        entries = self._entries
        for oldest in tuple(islice(entries, SWEPT)):
            if now < entries[oldest][1]:
                return
            self._bytes -= entries.pop(oldest)[2]
