"""The ledger that replicas share: each step is one Lua script, and Redis runs one at a time.

The law (settled + held ≤ allowance) holds because a claim passes all its levels in one script or
touches none, however many replicas ask. Its instant is Redis's own clock, so replicas whose clocks
differ agree on windows; a test that turns its clock gives `wall`.

A hold is a lease of half a minute, renewed by `tend` for as long as this process lives. Whoever
comes by a lease that is over ends its hold: it is charged what was expected of it. If the process
lives after all, its settling corrects that. A claim whose answer is lost is voided: whichever of
the two Redis sees first, nothing stays held.

`settle` waits for nothing: it is sent with the other commands of the tick, and what does not arrive
goes to the backlog, which `tend` writes when Redis is back. Each settling has a name that is
remembered, so it counts once, however often it is sent.

A claim without levels holds nothing and asks nobody.

Refused: deciding what becomes of a call when Redis is away; `StoreUnavailable` only says it is.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf
from secrets import token_hex

from gateway.access.directory import NO_ORGANISATION
from gateway.budget.books import account_of
from gateway.budget.records import day_of
from gateway.errors import StoreUnavailable
from gateway.holds import Charge, Claim, Denial, Grant, SpendQuery, Spent, Standing
from gateway.ports import Clock
from gateway.principal import Level
from gateway.store.redis.dial import NotReached
from gateway.store.redis.faults import Refused
from gateway.store.redis.ledger_backlog import Names, Owed
from gateway.store.redis.ledger_leases import Leases
from gateway.store.redis.ledger_records import Records
from gateway.store.redis.ledger_scripts import NOTHING, Scripts
from gateway.store.redis.ledger_shape import MICRO, Shape, Shapes
from gateway.store.redis.ledger_writer import Writer
from gateway.store.redis.link import Link
from gateway.store.redis.wire import Answer

LEASE_SECONDS = 30.0
TICK_SECONDS = 0.25
"""How often `tend` looks when nothing calls it."""

CLOSE_SECONDS = 2.0
"""How long `close` tries to write what is late."""

MAX_PASSED = 10_000
"""Calls that were let pass without a hold and are known to be settled."""

REFUSED, GIVEN_UP = 0, 2
"""The first number of an answer, where nothing is held."""


class RedisLedger:
    """The `Ledger` of all replicas that share a Redis; `tend` is to run beside the server."""

    def __init__(
        self,
        link: Link,
        clock: Clock,
        *,
        wall: Callable[[], float] | None = None,
        lease: float = LEASE_SECONDS,
    ) -> None:
        self._link = link
        self._clock = clock
        self._scripts = Scripts(link, wall)
        self._shapes = Shapes()
        self._names = Names(token_hex(8))
        self._late = asyncio.Event()
        self._stopping = asyncio.Event()
        self._writer = Writer(self._scripts, self._names, self._late.set)
        self._records = Records(link, clock)
        self._leases = Leases(self._scripts, self._records, lease)
        # The server's clock less ours, as far as is known.
        self._ahead = 0.0
        self._passed: dict[str, None] = {}
        self._renew_at = -inf

    async def hold(self, claim: Claim) -> Grant | Denial:
        if not claim.levels:
            return Grant(claim, self._clock.wall() + self._ahead)
        shape = self._shapes.of(claim.root, claim.levels)
        reply = await self._asked(shape, claim)
        if reply[0] == REFUSED and (reply[2] or self._writer.late()):
            # What ought to be over may be what is in the way.
            with suppress(StoreUnavailable):
                await self._leases.end_due(shape, rounds=1)
            await self._writer.flush_some()
            reply = await self._asked(shape, claim)
        if reply[2]:
            self._leases.note_due(shape)
        if reply[0] == REFUSED:
            return shape.denial(reply)
        if reply[0] == GIVEN_UP:
            message = "this claim was given up before"
            raise StoreUnavailable(message)
        at = reply[1] / MICRO
        self._ahead = at - self._clock.wall()
        self._leases.live[claim.id] = shape
        return Grant(claim, at, shape.standing(reply))

    def settle(self, grant: Grant | None, charge: Charge) -> None:
        owed = self._owed(grant, charge)
        if owed is None:
            return
        self._writer.send(owed)
        if self._records.note(owed.shape.root, day_of(owed.at / MICRO)):
            self._late.set()

    async def standing(self, root: str, levels: Sequence[Level]) -> Standing:
        shape = self._shapes.of(root, tuple(levels))
        reply = await self._scripts.standing(shape)
        if reply[2] or self._writer.late():
            await self._leases.end_due(shape)
            await self._writer.flush()
            reply = await self._scripts.standing(shape)
        return shape.standing(reply)

    async def spend(self, query: SpendQuery) -> list[Spent]:
        await self._writer.flush()
        return await self._records.read(query)

    def pending(self) -> int:
        """Settlings that are not written yet."""
        return self._writer.pending()

    def live(self) -> int:
        """Holds of this process that are not settled yet."""
        return len(self._leases.live)

    async def tend(self) -> None:
        """Renew leases, end those that are over, write what is late; until `close`."""
        while not self._stopping.is_set():
            self._late.clear()
            fine = await self._looked_after()
            # While Redis takes nothing, what is late does not ask for another try at once.
            waited_for = self._late if fine else self._stopping
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await waited_for.wait()

    async def close(self) -> None:
        """Write what is not written yet, within a bound; `tend` ends."""
        self._stopping.set()
        self._late.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._writer.write_all()
                await self._looked_after()

    async def _looked_after(self) -> bool:
        """Do what is due; whether all of it could be done."""
        fine = True
        for work in (self._renew, self._write_late, self._records.index, self._leases.end_noted):
            try:
                await work()
            except StoreUnavailable:
                fine = False
        return fine and not self._writer.backlog

    async def _renew(self) -> None:
        now = self._clock.now()
        if now >= self._renew_at:
            await self._leases.renew()
            self._renew_at = now + self._leases.length / 3

    async def _write_late(self) -> None:
        if self._writer.backlog and self._link.usable():
            await self._writer.flush()

    async def _asked(self, shape: Shape, claim: Claim) -> Answer:
        """A claim's answer; what may have been held without one is voided."""
        if not self._link.usable():
            message = "the store rests after failures"
            raise StoreUnavailable(message)
        lost = True
        try:
            reply = await self._scripts.hold(shape, claim, self._leases.length)
            lost = False
        except (NotReached, Refused):
            lost = False
            raise
        finally:
            if lost:
                self._void(shape, claim, self._clock.wall() + self._ahead)
        return reply

    def _void(self, shape: Shape, claim: Claim, at: float) -> None:
        account = account_of(claim.root, claim.levels)
        self._writer.send(
            Owed(
                claim.id,
                "void",
                shape,
                round(at * MICRO),
                0,
                account,
                NOTHING,
                claim.amount,
                claim.tokens,
            )
        )

    def _remember(self, claim_id: str) -> None:
        """What was let pass may be added up before it is written, where its name is lost."""
        self._passed[claim_id] = None
        if len(self._passed) > MAX_PASSED:
            del self._passed[next(iter(self._passed))]

    def _owed(self, grant: Grant | None, charge: Charge) -> Owed | None:
        """What a settling has to write; None where nothing was held and nothing spent."""
        account, usage, cost = charge.account, charge.usage, charge.cost
        sums = (
            1,
            usage.prompt,
            usage.cached,
            usage.completion,
            usage.reasoning,
            cost,
            cost if usage.estimated else 0,
            charge.saved,
        )
        if grant is None:
            shape = self._shapes.of(account.organisation or NO_ORGANISATION, ())
            at = round((self._clock.wall() + self._ahead) * MICRO)
            return Owed(self._names.next(), "charge", shape, at, cost, account, sums)
        claim = grant.claim
        shape = self._shapes.of(claim.root, claim.levels)
        if not grant.backed:
            if claim.id in self._passed:
                return None
            self._remember(claim.id)
            at = round((grant.at + self._ahead) * MICRO)
            # Its claim may have been voided, which is another thing than being charged.
            return Owed(f"{claim.id}~", "charge", shape, at, cost, account, sums)
        self._leases.live.pop(claim.id, None)
        used = usage.prompt + usage.completion or -1
        return Owed(
            claim.id,
            "settle",
            shape,
            round(grant.at * MICRO),
            cost,
            account,
            sums,
            claim.amount,
            claim.tokens,
            used,
        )
