"""The latest decisions of all processes of one gateway, from any of them.

Each process tells the others what it decided a few times a second, beside its calls; the latest are
kept where all can read them, and a process reads what is new there when somebody looks. So looking
shows the same wherever it is done, and not looking costs nothing.

Who decides more than can be told says how many were left out. While the others cannot be reached
the view goes on with this process's own; the latest of those are told again, until somebody says
that they were. So a decision may be told twice, and is shown once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from gateway.errors import StoreUnavailable
from gateway.flow.decisions import Decision, Decisions
from gateway.flow.packing import pack, unpack
from gateway.ports import Bulletin, Clock

EVERY_SECONDS: Final = 0.25
"""Between two tellings: live for people, and nothing for the process."""

MOST_TOLD: Final = 64
"""Of one telling. Packing one takes 15 µs: never more than half a percent of a process."""

PAGE: Final = 64
"""Read at once: 100 kB, and a millisecond or two to unpack."""

FRESH_SECONDS: Final = 0.2
"""Watchers that look at the same time share a look."""


class Together:
    """A view of `own` decisions and, through a `bulletin`, of the others' (None: there are none).

    `limit` is how many it shows.
    """

    __slots__ = (
        "_again",
        "_bulletin",
        "_ids",
        "_looking",
        "_missed",
        "_now",
        "_own",
        "_read",
        "_seen",
        "_telling",
        "_told",
        "ring",
    )

    def __init__(
        self, own: Decisions, clock: Clock, limit: int, bulletin: Bulletin | None = None
    ) -> None:
        self._own = own
        self._bulletin = bulletin
        self._now = clock.now
        self.ring = own if bulletin is None else Decisions(limit)
        self._told = own.mark()
        self._read = ""
        self._seen = float("-inf")
        self._looking = asyncio.Lock()
        self._telling = asyncio.Lock()
        # What is being told, or may not have been; and how many before it are not.
        self._again: tuple[Decision, ...] = ()
        self._missed = 0
        # What the view shows, by the calls' ids, oldest first.
        self._ids: dict[str, None] = {}

    async def look(self) -> Decisions:
        """Everybody's decisions as they are now."""
        await self.tell()
        self._seen = float("-inf")
        return await self.glance()

    async def glance(self) -> Decisions:
        """Everybody's decisions, as a look a moment ago found them."""
        if self._bulletin is None:
            return self.ring
        async with self._looking:
            if self._now() - self._seen >= FRESH_SECONDS:
                await self._catch_up(self._bulletin)
                self._seen = self._now()
        return self.ring

    async def find(self, call_id: str) -> Decision | None:
        """The decision of a call, whoever made it, if it is still known."""
        found = self._own.find(call_id) or self.ring.find(call_id)
        return found or (await self.look()).find(call_id)

    async def tell(self) -> None:
        """Tell the others what is new here."""
        if self._bulletin is None:
            return
        async with self._telling:
            seen = self._own.since(self._told, MOST_TOLD)
            self._told = seen.at
            new = (*self._again, *seen.decisions)
            self._again = new[-MOST_TOLD:]
            self._missed += seen.missed + len(new) - len(self._again)
            if self._again:
                await self._tell(self._bulletin)

    async def _tell(self, bulletin: Bulletin) -> None:
        missed = [self._missed] + [0] * len(self._again)
        try:
            await bulletin.tell(list(map(pack, self._again, missed)))
        except StoreUnavailable:
            for decision in self._again:
                self._show(decision)
        else:
            self._again, self._missed = (), 0

    @asynccontextmanager
    async def kept_up(self, pause: Callable[[float], Awaitable[None]]) -> AsyncIterator[None]:
        """Tell the others, a few times a second, for as long as this lasts."""
        if self._bulletin is None:
            yield
            return
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(self._go_on(pause))
            try:
                yield
            finally:
                telling.cancel()
        await self.tell()

    async def _go_on(self, pause: Callable[[float], Awaitable[None]]) -> None:
        while True:
            await pause(EVERY_SECONDS)
            await self.tell()

    async def _catch_up(self, bulletin: Bulletin) -> None:
        try:
            # Others go on telling meanwhile: what they add is read the next time.
            for _ in range(self._pages()):
                notes = await bulletin.heard(self._read, PAGE)
                for note in notes:
                    self._read = note.mark
                    self._take(note.packed)
                if len(notes) < PAGE:
                    break
        except StoreUnavailable:
            return

    def _pages(self) -> int:
        """How many may be read at a time: all that is kept, and as much again."""
        return 2 * self.ring.limit // PAGE + 2

    def _take(self, packed: bytes) -> None:
        told = unpack(packed)
        if told is None:
            return
        self.ring.miss(told.missed)
        self._show(told.decision)

    def _show(self, decision: Decision) -> None:
        call_id = decision.ended.id
        if call_id in self._ids:
            return
        self._ids[call_id] = None
        if len(self._ids) > self.ring.limit:
            del self._ids[next(iter(self._ids))]
        self.ring.add(decision)
