"""Kept replies in two layers: this process's memory before the store that all replicas share.

What is found far is kept near, never longer than it lives far, and never longer than
`NEAR_SECONDS`: a reply removed from the shared store is served by no replica for longer than that.

Refused: more than two layers, and asking the far one when the near one knows.
"""

from typing import Protocol

from gateway.ports import Clock, Kept, ReplyCache

NEAR_SECONDS = 60.0


class Found(Protocol):
    """A reply and when it ends, epoch seconds."""

    @property
    def kept(self) -> Kept:
        """The reply."""
        ...

    @property
    def ends(self) -> float:
        """When it ends."""
        ...


class Far(Protocol):
    """The shared store: a `ReplyCache` that also says when a reply ends."""

    async def find(self, key: bytes) -> Found | None:
        """The reply kept under a key, if it is still alive."""
        ...

    async def put(self, key: bytes, kept: Kept, ttl: float) -> None:
        """As `ReplyCache.put`."""
        ...


class LayeredCache:
    """A `ReplyCache` of two: near, then far; `near_hits` counts what the near one answered."""

    __slots__ = ("_far", "_near", "_near_seconds", "_wall", "near_hits")

    def __init__(
        self, near: ReplyCache, far: Far, clock: Clock, near_seconds: float = NEAR_SECONDS
    ) -> None:
        self._near = near
        self._far = far
        self._near_seconds = near_seconds
        self._wall = clock.wall
        self.near_hits = 0

    async def close_by(self, key: bytes) -> Kept | None:
        """What is kept near."""
        kept = await self._near.get(key)
        if kept is not None:
            self.near_hits += 1
        return kept

    async def get(self, key: bytes) -> Kept | None:
        return await self.close_by(key) or await self.far_away(key)

    async def far_away(self, key: bytes) -> Kept | None:
        """What is kept far; near too from now on."""
        found = await self._far.find(key)
        return None if found is None else await self.keep_near(key, found)

    async def keep_near(self, key: bytes, found: Found) -> Kept:
        """Keep near what was found far."""
        left = min(found.ends - self._wall(), self._near_seconds)
        if left > 0:
            await self._near.put(key, found.kept, left)
        return found.kept

    async def put(self, key: bytes, kept: Kept, ttl: float) -> None:
        await self._near.put(key, kept, min(ttl, self._near_seconds))
        await self._far.put(key, kept, ttl)
