"""The way to one server: at most one wire, dialled when it is needed, behind a breaker.

The breaker's table is `gateway.route.breaker`'s. What counts as a failure here is the end of a
wire, or a dial in vain: whoever waited on the same wire failed of the same cause. Three in a row
open it, a time-out at once: each further one would cost a caller the whole budget. A dial is not
over before the server has answered a command on the new wire, so a dial that went well closes it.

Two rules: while the breaker is open there is no wire and nobody waits; and when somebody tends the
lane, it is his probes that close the breaker, never a caller.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from math import inf

from hiredis import ReplyError

from gateway.errors import StoreUnavailable
from gateway.ports import Clock
from gateway.route.breaker import Breaker
from gateway.store.redis.dial import Dialer, NotReached, told
from gateway.store.redis.faults import LOST, READ_ONLY, TIMEOUT, Then, fault_of, word_of
from gateway.store.redis.topology import Place
from gateway.store.redis.wire import Wire, pack

FAILURES = 3
"""In a row, until the breaker opens."""

PROBE_SECONDS = 0.5
"""Between two probes: recovery is noticed within twice that, and a dead server is not hammered."""

STALL_SECONDS = 0.1
"""Before the first probe of a server that had been steady: it may only have been held up."""

STEADY_SECONDS = 10.0
"""Without a failure: what makes a server steady."""

PATIENCE = 1.0
"""Seconds for a dial that nobody waits for: a far server's TLS takes longer than a call may."""

PING = pack(("PING",))
WRITE = pack(("SET", "tg:proof", "", "PX", "1000"))
"""What proves a server: any answer, or a write where the last one said it was read-only."""

Find = Callable[[float], Awaitable[Place]]
"""Where the server is now, found within so many seconds."""


class Lane:
    """The way to one server; `find` says where it is each time it is dialled.

    `seconds` is how long the last probe's round trip took.
    """

    __slots__ = (
        "_clock",
        "_closed",
        "_dialer",
        "_dialling",
        "_failed_at",
        "_find",
        "_probe_at",
        "_proof",
        "_why",
        "breaker",
        "place",
        "seconds",
        "tended",
        "wire",
    )

    def __init__(self, find: Find, dialer: Dialer, clock: Clock) -> None:
        self._find = find
        self._dialer = dialer
        self._clock = clock
        self._closed = False
        self._dialling: asyncio.Future[None] | None = None
        self._failed_at = -inf
        self._probe_at = -inf
        self._proof = PING
        self._why = ""
        self.seconds = 0.0
        self.breaker = Breaker(limit=FAILURES, cooldown=PROBE_SECONDS)
        self.tended = False
        self.place: Place | None = None
        self.wire: Wire | None = None

    def admits(self) -> bool:
        """Whether a caller's command may try its luck."""
        if self.breaker.open_until is None:
            return not self._closed
        return not (self.tended or self._closed) and self.breaker.admits(self._clock.now())

    async def connect(self, limit: float) -> Wire:
        """The wire, dialled if there is none; those who ask meanwhile wait for the same dial.

        Raises:
            StoreUnavailable: the breaker is open, or the dial was in vain.
        """
        while self.wire is None:
            if not self.admits():
                why = "the link to it is closed" if self._closed else told(self._why)
                message = f"the store is not asked now: {why}"
                raise StoreUnavailable(message)
            await self._dialled(limit)
        return self.wire

    def due(self) -> bool:
        """Whether it is time for a probe."""
        return self._clock.now() >= self._probe_at

    async def probe(self) -> None:
        """Dial where there is no wire, else ask for a sign of life. Never raises."""
        self._probe_at = self._clock.now() + PROBE_SECONDS
        with suppress(StoreUnavailable):
            if self.wire is not None:
                await self._prove(self.wire, PING)
            elif not self._closed:
                await self._dialled(PATIENCE)

    def drop(self, wire: Wire, why: str) -> None:
        """The server of this wire cannot serve: hang up when it has answered the rest."""
        if wire is self.wire:
            self.wire = None
            self._failed(why)
            wire.retire()

    def close(self) -> None:
        """Hang up for good."""
        self._closed = True
        self._hang_up()

    def _hang_up(self) -> None:
        wire, self.wire = self.wire, None
        if wire is not None:
            wire.end("")

    async def _dialled(self, limit: float) -> None:
        """Dial, or wait for the dial that is under way."""
        if self._dialling is None:
            await self._dial(limit)
        elif not (await asyncio.wait([self._dialling], timeout=limit))[0]:
            raise NotReached(TIMEOUT)

    async def _dial(self, limit: float) -> None:
        dialling = self._dialling = asyncio.get_running_loop().create_future()
        self.breaker = self.breaker.started(self._clock.now())
        wire = None
        try:
            async with asyncio.timeout(limit):
                self.place = await self._find(limit)
                wire = await self._dialer.open(self.place, self._ended, limit)
                await self._prove(wire, self._proof)
                await self._dialer.verify(wire)
            self.breaker, self._proof = self.breaker.succeeded(), PING
            if not self._closed:
                self.wire, wire = wire, None
        except NotReached as error:
            self._failed(error.why)
            raise
        except TimeoutError:
            self._failed(TIMEOUT)
            raise NotReached(TIMEOUT) from None
        finally:
            # Also when whoever dialled was cancelled: the next one may dial, and no wire is left.
            if wire is not None:
                wire.end("")
            self.breaker = self.breaker.released()
            self._dialling = None
            dialling.set_result(None)

    async def _prove(self, wire: Wire, proof: bytes) -> None:
        began = self._clock.now()
        try:
            reply = await wire.send(proof)
        except StoreUnavailable:
            raise NotReached(wire.why or LOST) from None
        if isinstance(reply, ReplyError):
            fault = fault_of(word_of(reply))
            # A user who may not do even this, or a full server: it answers all the same.
            if fault.then is not Then.REFUSE:
                self.drop(wire, fault.kind)
                raise NotReached(fault.kind)
        self.seconds = self._clock.now() - began

    def _ended(self, wire: Wire, why: str) -> None:
        if wire is self.wire:
            self.wire = None
            if why:
                self._failed(why)

    def _failed(self, why: str) -> None:
        now, self._why = self._clock.now(), why
        self._dialer.tally.failed(why)
        if why == READ_ONLY:
            self._proof = WRITE
        if why == TIMEOUT:
            # As if it were the last of several: a lane that waits for the third would cost three.
            self.breaker = replace(self.breaker, failures=FAILURES)
        self.breaker = self.breaker.failed(now)
        steady, self._failed_at = now - self._failed_at > STEADY_SECONDS, now
        self._probe_at = now + (STALL_SECONDS if steady else PROBE_SECONDS)
        if self.breaker.open_until is not None:
            self._hang_up()
