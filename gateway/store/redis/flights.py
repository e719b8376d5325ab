"""One fetch for all replicas: who comes first leads, the others wait for what he keeps.

A mark where the reply will be says that somebody leads. Followers look for his reply, at first
every 20 ms, then less and less often: calls take seconds, and a look is one short command. Nobody
waits longer than a mark lives, so a leader that died blocks nobody beyond it; one that failed, or
may not keep its reply, takes his mark away at once.

Three rules: the reply takes the mark's place, so whoever sees no mark sees the reply if there is
one; the mark is left by the very look that found no reply, so whoever leads has missed none; and
where Redis does not answer, everybody leads.
"""

import os
from collections.abc import Awaitable, Callable

from gateway.ports import Clock, Kept, Lead
from gateway.store.layered import LayeredCache
from gateway.store.redis.cache import MARK, Led, RedisCache
from gateway.store.redis.codec import Entry

LEASE = 10.0
"""Seconds: nearly every call is answered by then, and no caller waits longer for a dead leader."""

FIRST_LOOK, LAST_LOOK, SLOWER = 0.02, 0.25, 1.5


class RedisFlights:
    """A `SharedFlights` in Redis; what leaders keep is put in `far`, by way of `layers`."""

    __slots__ = ("_far", "_given", "_layers", "_lease", "_mark", "_now", "_pause")

    def __init__(
        self,
        far: RedisCache,
        layers: LayeredCache,
        clock: Clock,
        pause: Callable[[float], Awaitable[None]],
        lease: float = LEASE,
    ) -> None:
        self._far = far
        self._layers = layers
        self._now = clock.now
        self._pause = pause
        self._lease = lease
        self._mark = MARK + os.urandom(8).hex().encode()
        self._given = 0

    async def look(self, key: bytes) -> Kept | Lead:
        if (kept := await self._layers.close_by(key)) is not None:
            return kept
        self._given += 1
        mark = b"%b.%d" % (self._mark, self._given)
        found = await self._far.lead(key, mark, self._lease)
        if type(found) is Entry:
            return await self._layers.keep_near(key, found)
        if found is Led.HERE:
            return Lead(key, mark)
        return Lead(key, follows=found is Led.ELSEWHERE)

    def landed(self, lead: Lead) -> None:
        if lead.mark:
            self._far.unlead(lead.key, lead.mark)

    async def wait(self, key: bytes) -> Kept | None:
        due, pause = self._now() + self._lease, FIRST_LOOK
        while True:
            found = await self._far.follow(key)
            if type(found) is Entry:
                return await self._layers.keep_near(key, found)
            left = due - self._now()
            if found is not Led.ELSEWHERE or left <= 0:
                return None
            await self._pause(min(pause, left))
            pause = min(pause * SLOWER, LAST_LOOK)
