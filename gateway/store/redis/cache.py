"""Kept replies in Redis: a `ReplyCache` for many replicas.

Whatever is found that is not a reply of ours (another type, half a value, rubbish, too much) is a
miss, and is removed. A put is not waited for: it leaves with the commands of its tick, and what is
under way at once is bounded; beyond that a reply is not kept, and that is counted.

Where a reply will be, there may be a mark before it: who fetches it, for all replicas, and until
when (`flights`). One script looks for the reply and leaves the mark, and the reply takes its place,
so sharing costs no command of its own. To everybody else a mark is a miss.

Refused: raising, and waiting for a store that rests.
"""

import asyncio
from contextlib import ExitStack
from enum import Enum
from functools import partial

from hiredis import ReplyError

from gateway.errors import StoreUnavailable
from gateway.ports import Clock, Kept
from gateway.store.redis import names
from gateway.store.redis.codec import Codec, Corrupt, Entry
from gateway.store.redis.faults import Refused
from gateway.store.redis.link import Link, Script
from gateway.store.redis.posted import Posted
from gateway.store.redis.wire import Answer, Word

MAX_ENTRY = 1 << 20
"""Bytes: about 3 ms of a 3 Gbit/s network, during which nothing else comes in on the same line."""

MAX_PUTS = 1_000
MAX_PUT_BYTES = 32 << 20
"""Under way at once."""

LONGEST_TTL = 365 * 86_400.0
"""Seconds; far from what Redis takes as a number."""

IN_THREAD = 128 << 10
"""Bytes from which packing takes most of a millisecond, and is done beside the loop."""

MARK = b"TGL1"
"""What a mark begins with; a reply of ours begins otherwise."""

# KEYS reply. ARGV mark, its milliseconds, bytes of the largest reply. A full store takes no mark
# and may have the reply all the same; what is of another type is in the way of both.
LEAD = Script(
    """
local function mark()
  return redis.pcall('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
end
local left = mark()
if type(left) == 'table' and left.ok then
  return 1
end
if type(left) == 'table' and not string.find(left.err, 'OOM', 1, true) then
  error(left)
end
local found = redis.pcall('GETRANGE', KEYS[1], 0, ARGV[3])
if type(found) == 'table' then
  redis.call('DEL', KEYS[1])
  left = mark()
  return left.ok and 2 or error(left)
end
return found
"""
)

# KEYS reply. ARGV mark.
UNLEAD = """
if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class Led(Enum):
    """Who fetches what is not kept."""

    HERE = "here"
    ELSEWHERE = "elsewhere"
    UNKNOWN = "unknown"


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

    __slots__ = (
        "_bytes",
        "_codec",
        "_in_flight",
        "_led",
        "_link",
        "_max_entry",
        "_wall",
        "figures",
    )

    def __init__(self, link: Link, clock: Clock, *, max_entry: int = MAX_ENTRY) -> None:
        self._link = link
        self._wall = clock.wall
        self._max_entry = max_entry
        self._codec = Codec(max_entry)
        self._in_flight = 0
        self._bytes = 0
        self._led: dict[bytes, bytes] = {}
        self.figures = CacheFigures()

    async def get(self, key: bytes) -> Kept | None:
        found = await self.find(key)
        return None if found is None else found.kept

    async def find(self, key: bytes) -> Entry | None:
        """The reply kept under a key, and when it ends by the clock of whoever put it.

        Whether it has ended is Redis's to say: the clocks of two replicas are never the same.
        """
        found = await self.follow(key)
        return found if type(found) is Entry else None

    async def follow(self, key: bytes) -> Entry | Led:
        """The same; where there is none, whether somebody elsewhere fetches it."""
        name = names.reply(key)
        try:
            # One byte more than any value of ours has: enough to know one that has too many.
            value = await self._link.run("GETRANGE", name, 0, self._largest())
        except StoreUnavailable as error:
            return self._unread(name, error)
        return await self._read(name, value)

    async def lead(self, key: bytes, mark: bytes, seconds: float) -> Entry | Led:
        """The same; where nobody does it is ours to fetch, for so long, and ends with `put`."""
        name = names.reply(key)
        args = (mark, max(1, int(seconds * 1000)), self._largest())
        try:
            value = await self._link.script(LEAD, (name,), args)
        except StoreUnavailable as error:
            return self._unread(name, error)
        except asyncio.CancelledError:
            # Whoever asked may leave: nobody shall wait for what nobody fetches.
            self._unlead(name, mark)
            raise
        if type(value) is int:
            self.figures.misses += value == 1
            self.figures.corrupt += value != 1
            self._led[key] = mark
            return Led.HERE
        found = await self._read(name, value)
        if found is Led.UNKNOWN and value:
            # What was in the way goes, and our mark takes its place.
            self._link.post("SET", name, *args[:1], "PX", args[1])
            self._led[key] = mark
            return Led.HERE
        return found

    def unlead(self, key: bytes, mark: bytes) -> None:
        """What was to be fetched here is not; nothing where it has been put by now."""
        if self._led.get(key) == mark:
            del self._led[key]
            self._unlead(names.reply(key), mark)

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
            name, value = names.reply(key), await self._encoded(kept, size, self._wall() + ttl)
            self._led.pop(key, None)
            sent = await self._send(name, value, int(ttl * 1000))
            if sent is not None:
                over.pop_all()
                sent.then(partial(self._put, name, size))

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

    async def _read(self, name: Word, value: Answer) -> Entry | Led:
        """What a value is to who looks for a reply."""
        if not value:
            self.figures.misses += 1
            return Led.UNKNOWN
        if value.startswith(MARK):
            self.figures.misses += 1
            return Led.ELSEWHERE
        try:
            entry = await self._decoded(value)
        except Corrupt:
            self._discard(name)
            return Led.UNKNOWN
        self.figures.hits += 1
        return entry

    def _unread(self, name: Word, error: StoreUnavailable) -> Led:
        if isinstance(error, Refused) and error.word == "WRONGTYPE":
            self._discard(name)
        else:
            self.figures.unavailable += 1
        return Led.UNKNOWN

    def _unlead(self, name: Word, mark: bytes) -> None:
        self._link.post_script(name, ("EVAL", UNLEAD, 1, name, mark))

    def _discard(self, name: Word) -> None:
        self.figures.corrupt += 1
        self._link.post("DEL", name)

    def _put(self, name: Word, size: int, sent: Posted) -> None:
        self._done(size)
        if type(sent.reply) is ReplyError:
            # Refused: nobody shall wait for it.
            self._link.post("DEL", name)

    def _done(self, size: int) -> None:
        self._in_flight -= 1
        self._bytes -= size
