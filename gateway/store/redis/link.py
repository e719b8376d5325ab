"""The link to Redis: commands in, replies out, `StoreUnavailable` within the budget otherwise.

Everything kept in Redis goes through one link. It finds the server for a key, sends, and decides
what an error reply means (`faults`); the connection is a `Wire`, reconnecting is a `Lane`'s.

A command is tried once. It is tried again only where the first server said that it did nothing
(READONLY, MOVED, ASK, NOSCRIPT): a command whose reply was lost may have been done.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha1
from typing import NamedTuple

from hiredis import ReplyError

from gateway.errors import StoreUnavailable
from gateway.ports import Clock
from gateway.store.redis.cluster import Alone, Cluster, Routes
from gateway.store.redis.dial import Dialer, Verify
from gateway.store.redis.faults import Refused, Then, fault_of, word_of
from gateway.store.redis.lane import PATIENCE, Lane
from gateway.store.redis.posted import Posted
from gateway.store.redis.topology import Shape, Topology
from gateway.store.redis.wire import Answer, Tally, Wire, Word, pack

BUDGET = 0.05
"""Seconds a round trip may take."""

MOVING = {"MOVED", "ASK"}

TICK_SECONDS = 0.1
"""How often `tend` looks whether a probe is due."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, known to the server by the digest of its source."""

    source: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = sha1(self.source.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", digest)


class Figures(NamedTuple):
    """A link's figures now; `errors` by kind, `seconds` is the last probe's round trip."""

    commands: int
    round_trips: int
    errors: dict[str, int]
    waiting: int
    open_breakers: int
    seconds: float


class Link:
    """Commands to Redis; making one connects to nothing.

    `verify` looks at each server that is reached before it is used.

    Raises:
        OSError: a file of the topology's TLS options cannot be read.
        ValueError: it holds no certificate or key.
    """

    __slots__ = ("_one", "_routes", "_stopping", "_tally", "budget", "topology")

    def __init__(
        self,
        topology: Topology,
        clock: Clock,
        *,
        budget: float = BUDGET,
        verify: Verify | None = None,
    ) -> None:
        self.topology = topology
        self.budget = budget
        self._tally = Tally()
        self._stopping = asyncio.Event()
        dialer = Dialer(topology, budget, self._tally, verify)
        clustered = topology.shape is Shape.CLUSTER
        self._routes: Routes = Cluster(dialer, clock, budget) if clustered else Alone(dialer, clock)
        # The way of nearly every command, without a look at the routes.
        self._one = self._routes.lane if isinstance(self._routes, Alone) else None

    async def run(self, *command: Word) -> Answer:
        """Do a command; its second word is its key, if it has one. Strings come back as bytes.

        Raises:
            StoreUnavailable: there is no answer in time, or the store may not be asked now.
            Refused: (one of those) the answer is an error; `word` says which.
        """
        lane = self._one or await self._routes.find(command[1] if len(command) > 1 else b"")
        wire = lane.wire or await lane.connect(self.budget)
        packed = pack(command)
        reply = await wire.send(packed)
        if type(reply) is ReplyError:
            return await self._again(lane, wire, packed, reply)
        return reply

    async def script(
        self, script: Script, keys: Sequence[bytes | str], args: Sequence[Word] = ()
    ) -> Answer:
        """Run a script, all of whose keys share a hash tag.

        Raises:
            StoreUnavailable: as `run`.
        """
        lane = self._one or await self._routes.find(keys[0])
        wire = lane.wire or await lane.connect(self.budget)
        packed = pack(("EVALSHA", script.sha, len(keys), *keys, *args))
        reply = await wire.send(packed)
        if type(reply) is not ReplyError:
            return reply
        try:
            return await self._again(lane, wire, packed, reply)
        except Refused as refused:
            if refused.word != "NOSCRIPT":
                raise
        # The server has forgotten it (a restart, a failover): tell it the whole script once.
        lane = self._one or await self._routes.find(keys[0])
        wire = lane.wire or await lane.connect(self.budget)
        packed = pack(("EVAL", script.source, len(keys), *keys, *args))
        reply = await wire.send(packed)
        return await self._again(lane, wire, packed, reply) if type(reply) is ReplyError else reply

    def post(self, *command: Word) -> Posted | None:
        """Send a command nobody waits for; None where there is no connection to send it on.

        What comes back need not be looked at. An error reply is its reply, not its error.
        """
        return self.post_script(command[1] if len(command) > 1 else b"", command)

    def post_script(self, key: Word, command: tuple[Word, ...]) -> Posted | None:
        """As `post`, for a command whose key is elsewhere in it."""
        lane = self._one or self._routes.known(key)
        if lane is None or (wire := lane.wire) is None:
            return None
        try:
            return wire.post(pack(command), lambda posted: self._posted(lane, wire, posted))
        except StoreUnavailable:
            return None

    def usable(self) -> bool:
        """Whether a command would be tried now."""
        lanes = self._routes.lanes()
        return not lanes or any(lane.admits() for lane in lanes)

    async def tend(self) -> None:
        """Probe the servers until `close`: recovery is noticed here, and no caller pays for it."""
        while not self._stopping.is_set():
            await self._probe([lane for lane in self._routes.lanes() if lane.due()])
            await self._routes.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._stopping.wait()

    async def reach(self) -> None:
        """Connect, with more patience than a call has (for start, readiness and doctor).

        Raises:
            StoreUnavailable: there is no connection.
        """
        lane = await self._routes.find(b"")
        await lane.connect(PATIENCE)

    async def close(self) -> None:
        """Hang up; `tend` ends."""
        self._stopping.set()
        for lane in self._routes.lanes():
            lane.close()

    def figures(self) -> Figures:
        """The figures as they are now."""
        lanes, tally = self._routes.lanes(), self._tally
        return Figures(
            commands=tally.commands,
            round_trips=tally.round_trips,
            errors=dict(tally.errors),
            waiting=sum(lane.wire.waiting() for lane in lanes if lane.wire is not None),
            open_breakers=sum(lane.breaker.open_until is not None for lane in lanes),
            seconds=max((lane.seconds for lane in lanes), default=0.0),
        )

    async def _probe(self, lanes: Sequence[Lane]) -> None:
        # Side by side: a node that is frozen must not keep another from being found well.
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                lane.tended = True
                group.create_task(lane.probe())

    def _posted(self, lane: Lane, wire: Wire, posted: Posted) -> None:
        error = posted.reply
        if type(error) is ReplyError:
            word = word_of(error)
            fault = fault_of(word)
            if fault.then is not Then.REFUSE:
                lane.drop(wire, fault.kind)
            elif word != "NOSCRIPT":
                self._tally.failed(fault.kind)

    async def _again(self, lane: Lane, wire: Wire, packed: bytes, error: ReplyError) -> Answer:
        """What follows an error reply: the reply of another try, or an exception."""
        word = word_of(error)
        fault = fault_of(word)
        if word in MOVING:
            reply = await self._routes.moved(lane, packed, error)
        elif fault.then is Then.ELSEWHERE:
            lane.drop(wire, fault.kind)
            reply = await (lane.wire or await lane.connect(self.budget)).send(packed)
        else:
            reply = error
            if fault.then is Then.HANG_UP:
                lane.drop(wire, fault.kind)
        if type(reply) is not ReplyError:
            return reply
        word = word_of(reply)
        # NOSCRIPT is an ordinary answer, and what hangs up has been counted.
        if word != "NOSCRIPT" and fault_of(word).then is Then.REFUSE:
            self._tally.failed(fault_of(word).kind)
        raise Refused(word)
