"""Keys in Redis: a `Keys` for many replicas, all in one hash, each as JSON.

What was asked is remembered here: for `FRESH` seconds it is simply believed, for `SHOWN` it is
believed while it is asked anew, so that a key in use never waits for Redis; older than that it is
asked first. Only where Redis does not answer is it believed for `STALE` seconds more.

That a key is unknown is remembered too, and the memory is bounded: the least recently used goes.
A record that cannot be read is no unknown key but a broken store.
"""

from collections import OrderedDict
from contextlib import suppress
from typing import NamedTuple

from hiredis import ReplyError

from gateway.errors import StoreUnavailable
from gateway.ports import Clock
from gateway.principal import KeyRecord
from gateway.store.records import from_json, to_json
from gateway.store.redis.link import Link, Script
from gateway.store.redis.names import KEYS
from gateway.store.redis.posted import Posted
from gateway.store.redis.wire import Answer

FRESH = 1.0
SHOWN = 1.875
"""A change shows within two seconds: this and the time of a round trip."""

STALE = 60.0

MAX_REMEMBERED = 20_000
"""About 20 MB of records; an unknown key takes less."""

LONGEST_ID = 128
"""Characters; a longer one is no key of ours, and asking for it would only cost."""

PAGE = 500
"""Records read at once, so that a long list never takes a round trip's budget."""


REPLACE = Script(
    """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""
)


class Remembered(NamedTuple):
    """What Redis said at `at`, monotonic seconds; `asked` is when it was last asked."""

    record: KeyRecord | None
    at: float
    asked: float


class RedisKeys:
    """A `Keys` in Redis."""

    __slots__ = ("_link", "_max_remembered", "_now", "_remembered")

    def __init__(self, link: Link, clock: Clock, max_remembered: int = MAX_REMEMBERED) -> None:
        self._link = link
        self._now = clock.now
        self._max_remembered = max_remembered
        self._remembered: OrderedDict[str, Remembered] = OrderedDict()

    async def find(self, key_id: str) -> KeyRecord | None:
        if len(key_id) > LONGEST_ID:
            return None
        known, now = self._remembered.get(key_id), self._now()
        if known is not None:
            age = now - known.at
            if age < FRESH:
                return known.record
            if age < SHOWN:
                self._ask_again(key_id, known, now)
                return known.record
        try:
            return self._learn(key_id, await self._link.run("HGET", KEYS, key_id), now)
        except StoreUnavailable:
            if known is None or now - known.at >= STALE:
                raise
            return known.record

    async def put(self, record: KeyRecord, over: KeyRecord | None = None) -> bool:
        # Before and after: a reply that is under way may hold the old one.
        self._remembered.pop(record.id, None)
        try:
            return await self._put(record, over)
        finally:
            self._remembered.pop(record.id, None)

    async def _put(self, record: KeyRecord, over: KeyRecord | None) -> bool:
        if over is None:
            await self._link.run("HSET", KEYS, record.id, to_json(record))
            return True
        # Compared is the text that is there: an older gateway may spell the same record otherwise.
        kept = await self._link.run("HGET", KEYS, record.id)
        if kept is None or _read(kept) != over:
            return False
        args = (record.id, kept, to_json(record))
        return bool(await self._link.script(REPLACE, (KEYS,), args))

    async def every(self) -> list[KeyRecord]:
        found: dict[str, KeyRecord] = {}
        cursor: Answer = b"0"
        while True:
            cursor, fields = await self._link.run("HSCAN", KEYS, cursor, "COUNT", PAGE)
            for text in fields[1::2]:
                record = _read(text)
                found[record.id] = record
            if int(cursor) == 0:
                return sorted(found.values(), key=lambda record: record.created)

    def _ask_again(self, key_id: str, known: Remembered, now: float) -> None:
        if now - known.asked < FRESH:
            return
        self._remembered[key_id] = known._replace(asked=now)
        sent = self._link.post("HGET", KEYS, key_id)
        if sent is None:
            return

        def told(answer: Posted) -> None:
            if answer.came and not isinstance(answer.reply, ReplyError):
                with suppress(StoreUnavailable):
                    self._learn(key_id, answer.reply, now)

        sent.then(told)

    def _learn(self, key_id: str, reply: Answer, now: float) -> KeyRecord | None:
        record = None if reply is None else _read(reply)
        remembered = self._remembered
        remembered[key_id] = Remembered(record, now, now)
        remembered.move_to_end(key_id)
        if len(remembered) > self._max_remembered:
            remembered.popitem(last=False)
        return record


def _read(text: bytes) -> KeyRecord:
    try:
        return from_json(text.decode())
    except (ValueError, KeyError, TypeError, AttributeError):
        message = "a key's record cannot be read"
        raise StoreUnavailable(message) from None
