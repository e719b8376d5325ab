"""One fetch for all replicas: who comes first leads, the others wait for what he keeps.

A lease in Redis says that somebody leads. Followers look for his reply and at his lease, at first
every 20 ms, then less and less often: calls take seconds, and a look is two short commands. Nobody
waits longer than the lease, so a leader that died blocks nobody beyond it; one that failed, or may
not keep its reply, gives the lease back at once.

Three rules: a leader lets its lease go after its reply was put, on the same line, so whoever sees
no lease sees the reply if there is one; whoever asks for the lease looks for the reply in the same
write and behind it, so whoever leads has missed none; and where Redis does not answer, everybody
leads.
"""

import os
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Protocol

from gateway.errors import StoreUnavailable
from gateway.ports import Clock, Kept, Lead
from gateway.store.redis import names
from gateway.store.redis.link import Link
from gateway.store.redis.posted import Posted

LEASE = 10.0
"""Seconds: nearly every call is answered by then, and no caller waits longer for a dead leader."""

FIRST_LOOK, LAST_LOOK, SLOWER = 0.02, 0.25, 1.5

MARGIN = 0.5
"""Seconds of a lease at whose end it is left alone: it may be somebody else's by now."""


class Layers(Protocol):
    """Kept replies: those of this process, and those of all."""

    async def close_by(self, key: bytes) -> Kept | None:
        """What is kept here."""
        ...

    async def far_away(self, key: bytes) -> Kept | None:
        """What is kept in Redis."""
        ...


class RedisFlights:
    """A `SharedFlights` in Redis; replies are found in `cache`, which leaders put them in."""

    __slots__ = ("_cache", "_lease", "_link", "_now", "_pause", "_who")

    def __init__(
        self,
        link: Link,
        cache: Layers,
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

    async def look(self, key: bytes) -> Kept | Lead:
        if (kept := await self._cache.close_by(key)) is not None:
            return kept
        now, name = self._now(), names.flight(key)
        # Both leave in one write, and are done in this order.
        taken = self._link.post("SET", name, self._who, "NX", "PX", max(1, int(self._lease * 1000)))
        with ExitStack() as left:
            # Whoever asked may leave: nobody shall wait for what nobody fetches.
            if taken is not None:
                left.callback(taken.then, lambda over: self.landed(_lead(key, now, over)))
            kept = await self._cache.far_away(key)
            left.pop_all()
        lead = _lead(key, now, taken)
        if kept is None:
            return lead
        self.landed(lead)
        return kept

    def landed(self, lead: Lead) -> None:
        if lead.backed and self._now() < lead.since + self._lease - MARGIN:
            self._link.post("DEL", names.flight(lead.key))

    async def wait(self, key: bytes) -> Kept | None:
        due, pause = self._now() + self._lease, FIRST_LOOK
        while True:
            try:
                led = await self._link.run("EXISTS", names.flight(key))
            except StoreUnavailable:
                return None
            kept = await self._cache.far_away(key)
            left = due - self._now()
            if kept is not None or not led or left <= 0:
                return kept
            await self._pause(min(pause, left))
            pause = min(pause * SLOWER, LAST_LOOK)


def _lead(key: bytes, since: float, taken: Posted | None) -> Lead:
    """Who has the lease, by the answer to who asked for it."""
    if taken is None or not taken.came:
        return Lead(key, since)
    answer = taken.reply
    return Lead(key, since, backed=answer == b"OK", follows=answer is None)
