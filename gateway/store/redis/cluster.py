"""Which node of a cluster a key lives on: the map of slots, learnt from any node, mended by all.

A node that does not have a key says where it is: MOVED for good (the map was old), ASK for this
once (the slot is on its way). The map is learnt anew after a MOVED, and while a node is not served:
its slots may have gone to its replica, and a node that is dead tells nobody.
"""

import asyncio
from binascii import crc_hqx
from math import inf
from typing import Any

from hiredis import ReplyError

from gateway.errors import StoreUnavailable
from gateway.ports import Clock
from gateway.store.redis.dial import Dialer
from gateway.store.redis.faults import Refused, word_of
from gateway.store.redis.lane import PROBE_SECONDS, Lane
from gateway.store.redis.topology import Place
from gateway.store.redis.wire import Answer, Word, forget, pack

SLOTS = 16_384
MAX_NODES = 1_000
"""Redis's own limit; whoever names more is no cluster."""

ASKING = pack(("ASKING",))
CLUSTER_SLOTS = pack(("CLUSTER", "SLOTS"))


def slot_of(key: Word) -> int:
    """The slot of a key: CRC16 (XMODEM) of its hash tag, or of all of it."""
    data = key if isinstance(key, bytes) else str(key).encode()
    opened = data.find(b"{")
    if opened >= 0:
        closed = data.find(b"}", opened + 1)
        if closed > opened + 1:
            data = data[opened + 1 : closed]
    return crc_hqx(data, 0) % SLOTS


class Alone:
    """The routes where there is one server: everything takes its lane."""

    __slots__ = ("lane",)

    def __init__(self, dialer: Dialer, clock: Clock) -> None:
        self.lane = Lane(dialer.master, dialer, clock)

    def lanes(self) -> list[Lane]:
        """The lane."""
        return [self.lane]

    def known(self, _key: Word) -> Lane | None:
        """The lane."""
        return self.lane

    async def find(self, _key: Word) -> Lane:
        """The lane."""
        return self.lane

    async def look(self) -> None:
        """Nothing to learn."""

    async def moved(self, _lane: Lane, _packed: bytes, error: ReplyError) -> Answer:
        """Only a cluster moves things: the URL should have said so.

        Raises:
            Refused: always.
        """
        raise Refused(word_of(error))


class Cluster:
    """The routes of a cluster: the lane of each slot, one lane a node."""

    __slots__ = (
        "_budget",
        "_clock",
        "_dialer",
        "_learn_at",
        "_learning",
        "_nodes",
        "_old",
        "_seeds",
        "_slots",
    )

    def __init__(self, dialer: Dialer, clock: Clock, budget: float) -> None:
        self._dialer = dialer
        self._clock = clock
        self._budget = budget
        self._seeds = dialer.topology.places
        self._nodes: dict[Place, Lane] = {}
        self._slots: list[Lane | None] = [None] * SLOTS
        self._old = True
        self._learn_at = -inf
        self._learning: asyncio.Future[None] | None = None

    def lanes(self) -> list[Lane]:
        """The lanes of all nodes known."""
        return list(self._nodes.values())

    def known(self, key: Word) -> Lane | None:
        """The lane of a key, if that is known."""
        return self._slots[slot_of(key)]

    async def find(self, key: Word) -> Lane:
        """The lane of a key.

        Raises:
            StoreUnavailable: no node is known to have it.
        """
        slot = slot_of(key)
        lane = self._slots[slot]
        if lane is None or not lane.admits():
            await self.look()
            lane = self._slots[slot]
        if lane is None:
            message = "no node of the cluster is known to serve this"
            raise StoreUnavailable(message)
        return lane

    async def look(self) -> None:
        """Learn the map anew if it is old or a node is not served; at most so often."""
        now = self._clock.now()
        if self._learning is not None:
            await asyncio.wait([self._learning], timeout=self._budget)
            return
        if now < self._learn_at or not (self._old or self._ailing()):
            return
        self._learn_at = now + PROBE_SECONDS
        learning = self._learning = asyncio.get_running_loop().create_future()
        try:
            await self._learn()
        finally:
            self._learning = None
            learning.set_result(None)

    async def _learn(self) -> None:
        # Nodes that are served first, then those whom the operator named.
        served = [lane for lane in self._nodes.values() if lane.admits()]
        seeds = [self._lane(place) for place in self._seeds]
        for lane in dict.fromkeys([*served, *seeds]):
            try:
                wire = await lane.connect(self._budget)
                reply = await wire.send(CLUSTER_SLOTS)
            except StoreUnavailable:
                continue
            if isinstance(reply, list) and self._learnt(reply, lane):
                return

    async def moved(self, lane: Lane, packed: bytes, error: ReplyError) -> Answer:
        """Ask the node that MOVED or ASK names; its reply, which may be an error again.

        Raises:
            StoreUnavailable: it does not answer.
            Refused: the error names no node.
        """
        word, _, rest = str(error).partition(" ")
        slot, _, where = rest.partition(" ")
        host, _, port = where.rpartition(":")
        if not (slot.isdigit() and port.isdigit() and int(slot) < SLOTS):
            raise Refused(word)
        there = self._lane(Place(host or _host_of(lane), int(port)))
        wire = await there.connect(self._budget)
        if word == "ASK":
            # In one tick, so nothing comes between the two.
            forget(wire.send(ASKING))
        else:
            self._slots[int(slot)] = there
            self._old = True
        return await wire.send(packed)

    def _ailing(self) -> bool:
        return any(lane.breaker.open_until is not None for lane in self._nodes.values())

    def _lane(self, place: Place) -> Lane:
        lane = self._nodes.get(place)
        if lane is None:
            if len(self._nodes) >= MAX_NODES:
                message = "the cluster names too many nodes"
                raise StoreUnavailable(message)

            async def find(_limit: float) -> Place:
                return place

            lane = self._nodes[place] = Lane(find, self._dialer, self._clock)
        return lane

    def _learnt(self, reply: list[Any], told_by: Lane) -> bool:
        slots: list[Lane | None] = [None] * SLOTS
        try:
            for first, last, (host, port, *_), *_ in reply:
                if not 0 <= first <= last < SLOTS:
                    return False
                place = Place(host.decode() if host else _host_of(told_by), int(port))
                slots[first : last + 1] = [self._lane(place)] * (last - first + 1)
        except (ValueError, TypeError, AttributeError, StoreUnavailable):
            # Whoever says such things is no cluster.
            return False
        self._slots = slots
        self._old = None in slots
        used = {id(lane) for lane in slots}
        for place, lane in list(self._nodes.items()):
            if id(lane) not in used:
                self._nodes.pop(place).close()
        return bool(reply)


def _host_of(lane: Lane) -> str:
    return lane.place.host if lane.place is not None else ""


Routes = Alone | Cluster
