"""Notes in Redis: an `Affinities` for many replicas. Names are digested, and never read back."""

from gateway.errors import StoreUnavailable
from gateway.store.redis import names
from gateway.store.redis.faults import Refused
from gateway.store.redis.link import Link

LONGEST = 256
"""Characters of a note; a character is at most four bytes."""

LONGEST_TTL = 365 * 86_400.0


class RedisAffinities:
    """An `Affinities` in Redis. Never raises: a store that is down has no notes."""

    __slots__ = ("_link",)

    def __init__(self, link: Link) -> None:
        self._link = link

    async def get(self, kind: str, name: str) -> str | None:
        where = names.note(kind, name)
        try:
            found = await self._link.run("GETRANGE", where, 0, 4 * LONGEST)
            note = found.decode()
        except UnicodeDecodeError:
            self._link.post("DEL", where)
            return None
        except Refused as refused:
            if refused.word == "WRONGTYPE":
                self._link.post("DEL", where)
            return None
        except StoreUnavailable:
            return None
        return note if 0 < len(note) <= LONGEST else None

    async def put(self, kind: str, name: str, note: str, ttl: float) -> None:
        if not (0 < len(note) <= LONGEST and ttl >= 0.001):
            return
        lasts = int(min(ttl, LONGEST_TTL) * 1000)
        command = ("SET", names.note(kind, name), note, "PX", lasts)
        if self._link.post(*command) is None:
            try:
                await self._link.run(*command)
            except StoreUnavailable:
                return
