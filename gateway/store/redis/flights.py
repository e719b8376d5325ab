"""One fetch for all replicas: who comes first leads, the others wait for what he keeps.

A lease in Redis says that somebody leads. Followers look for his reply and at his lease, at first
every 20 ms, then less and less often: calls take seconds, and a look is two short commands. Nobody
waits longer than the lease, so a leader that died blocks nobody beyond it; one that failed, or may
not keep its reply, gives the lease back at once.

Three rules: a leader lets its lease go after its reply was put, on the same line, so whoever sees
no lease sees the reply if there is one; whoever takes the lease looks for a reply once more, as the
last leader may have come home since he looked; and where Redis does not answer, everybody leads.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable

from gateway.errors import StoreUnavailable
from gateway.ports import Clock, Kept, Lead, ReplyCache
from gateway.store.redis import names
from gateway.store.redis.link import Link
from gateway.store.redis.wire import Answer

LEASE = 10.0
"""Seconds: nearly every call is answered by then, and no caller waits longer for a dead leader."""

FIRST_LOOK, LAST_LOOK, SLOWER = 0.02, 0.25, 1.5

MARGIN = 0.5
"""Seconds of a lease at whose end it is left alone: it may be somebody else's by now."""


class RedisFlights:
    """A `SharedFlights` in Redis; replies are found in `cache`, which leaders put them in."""

    __slots__ = ("_cache", "_lease", "_link", "_now", "_pause", "_who")

    def __init__(
        self,
        link: Link,
        cache: ReplyCache,
        clock: Clock,
        pause: Callable[[float], Awaitable[None]],
        lease: float = LEASE,
    ) -> None:
        self._link = link
        self._cache = cache
        self._now = clock.now
        self._pause = pause
        self._lease = lease
        self._who = os.urandom(8).hex()

    async def join(self, key: bytes) -> Kept | Lead:
        lead, fetched = await self._lead(key)
        if lead is None:
            return await self._wait(key) or Lead(key, self._now(), backed=False)
        if fetched and (kept := await self._cache.get(key)) is not None:
            self.landed(lead)
            return kept
        return lead

    def landed(self, lead: Lead) -> None:
        if lead.backed and self._now() < lead.since + self._lease - MARGIN:
            self._link.post("DEL", names.flight(lead.key))

    async def _lead(self, key: bytes) -> tuple[Lead | None, bool]:
        """Take the lead, and whether there is a reply all the same; None: somebody else has it."""
        now, name = self._now(), names.flight(key)
        # Both leave in one write, and are done in this order.
        taken = self._link.post("SET", name, self._who, "NX", "PX", max(1, int(self._lease * 1000)))
        if taken is None:
            return Lead(key, now, backed=False), False
        try:
            fetched = await self._link.run("EXISTS", names.reply(key))
        except StoreUnavailable:
            return Lead(key, now, backed=False), False
        except BaseException:
            # Whoever asked has left: nobody shall wait for what nobody fetches.
            taken.add_done_callback(lambda _: self.landed(Lead(key, now, _took(taken) is True)))
            raise
        if _took(taken) is None:
            return None, bool(fetched)
        return Lead(key, now, backed=_took(taken) is True), bool(fetched)

    async def _wait(self, key: bytes) -> Kept | None:
        """The leader's reply; None where there will be none: fetch it alone."""
        due, pause = self._now() + self._lease, FIRST_LOOK
        while True:
            try:
                led = await self._link.run("EXISTS", names.flight(key))
            except StoreUnavailable:
                return None
            kept = await self._cache.get(key)
            left = due - self._now()
            if kept is not None or not led or left <= 0:
                return kept
            await self._pause(min(pause, left))
            pause = min(pause * SLOWER, LAST_LOOK)


def _took(taken: "asyncio.Future[Answer]") -> bool | None:
    """Whether the lease is ours; None: it is somebody else's, False: nobody can tell."""
    if not taken.done() or taken.cancelled() or taken.exception() is not None:
        return False
    return None if taken.result() is None else bool(taken.result() == b"OK")
