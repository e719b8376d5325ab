"""Kept replies in Redis: a `ReplyCache` for many replicas.

Whatever is found that is not a reply of ours (another type, half a value, rubbish, too much) is a
miss, and is removed. A put is not waited for: it leaves with the commands of its tick, and what is
under way at once is bounded; beyond that a reply is not kept, and that is counted.

Refused: raising, and waiting for a store that rests.
"""

import asyncio
from contextlib import ExitStack
from functools import partial

from gateway.errors import StoreUnavailable
from gateway.ports import Clock, Kept
from gateway.store.redis import names
from gateway.store.redis.codec import Codec, Corrupt, Entry
from gateway.store.redis.faults import Refused
from gateway.store.redis.link import Link
from gateway.store.redis.posted import Posted
from gateway.store.redis.wire import Word

MAX_ENTRY = 1 << 20
"""Bytes: about 3 ms of a 3 Gbit/s network, during which nothing else comes in on the same line."""

MAX_PUTS = 1_000
MAX_PUT_BYTES = 32 << 20
"""Under way at once."""

LONGEST_TTL = 365 * 86_400.0
"""Seconds; far from what Redis takes as a number."""

IN_THREAD = 128 << 10
"""Bytes from which packing takes most of a millisecond, and is done beside the loop."""


class CacheFigures:
    """What became of gets and puts, counted."""

    __slots__ = ("corrupt", "dropped", "hits", "misses", "puts", "unavailable")

    def __init__(self) -> None:
        self.hits = 0
        self.misses = 0
        self.puts = 0
        self.corrupt = 0
        self.dropped = 0
        self.unavailable = 0


class RedisCache:
    """A `ReplyCache` in Redis, no entry above `max_entry` bytes."""

    __slots__ = ("_bytes", "_codec", "_in_flight", "_link", "_max_entry", "_wall", "figures")

    def __init__(self, link: Link, clock: Clock, *, max_entry: int = MAX_ENTRY) -> None:
        self._link = link
        self._wall = clock.wall
        self._max_entry = max_entry
        self._codec = Codec(max_entry)
        self._in_flight = 0
        self._bytes = 0
        self.figures = CacheFigures()

    async def get(self, key: bytes) -> Kept | None:
        found = await self.find(key)
        return None if found is None else found.kept

    async def find(self, key: bytes) -> Entry | None:
        """The reply kept under a key, and when it ends by the clock of whoever put it.

        Whether it has ended is Redis's to say: the clocks of two replicas are never the same.
        """
        figures, name = self.figures, names.reply(key)
        try:
            # One byte more than any value of ours has: enough to know one that has too many.
            value = await self._link.run("GETRANGE", name, 0, self._largest())
        except Refused as refused:
            if refused.word == "WRONGTYPE":
                self._discard(name)
            else:
                figures.unavailable += 1
            return None
        except StoreUnavailable:
            figures.unavailable += 1
            return None
        if not value:
            figures.misses += 1
            return None
        try:
            entry = await self._decoded(value)
        except Corrupt:
            self._discard(name)
            return None
        figures.hits += 1
        return entry

    async def put(self, key: bytes, kept: Kept, ttl: float) -> None:
        # Written so that a ttl that is no number keeps nothing.
        if not ttl >= 0.001:
            return
        ttl = min(ttl, LONGEST_TTL)
        size = kept.size
        if self._in_flight >= MAX_PUTS or self._bytes + size > MAX_PUT_BYTES:
            self.figures.dropped += 1
            return
        self._bytes += size
        self._in_flight += 1
        with ExitStack() as over:
            over.callback(self._done, size)
            value = await self._encoded(kept, size, self._wall() + ttl)
            sent = await self._send(names.reply(key), value, int(ttl * 1000))
            if sent is not None:
                over.pop_all()
                sent.then(partial(self._done, size))

    async def _send(self, name: Word, value: bytes | None, milliseconds: int) -> Posted | None:
        # The old reply has been superseded also where the new one has no room.
        command: tuple[Word, ...] = ("DEL", name)
        if value is not None:
            command = ("SET", name, value, "PX", milliseconds)
        sent = self._link.post(*command)
        if sent is None:
            # No connection yet: the one that is needed now is worth its time once.
            try:
                await self._link.run(*command)
            except StoreUnavailable:
                self.figures.dropped += 1
                return None
        self.figures.puts += value is not None
        return sent

    def _largest(self) -> int:
        return self._max_entry + 64

    async def _decoded(self, value: bytes) -> Entry:
        if len(value) < IN_THREAD:
            return self._codec.decode(value)
        # A codec is for one thread at a time, and a new one costs nothing beside such a value.
        return await asyncio.to_thread(Codec(self._max_entry).decode, value)

    async def _encoded(self, kept: Kept, size: int, ends: float) -> bytes | None:
        if size > self._max_entry:
            return None
        if size < IN_THREAD:
            return self._codec.encode(kept, ends)
        return await asyncio.to_thread(Codec(self._max_entry).encode, kept, ends)

    def _discard(self, name: Word) -> None:
        self.figures.corrupt += 1
        self._link.post("DEL", name)

    def _done(self, size: int, _sent: Posted | None = None) -> None:
        self._in_flight -= 1
        self._bytes -= size
