"""A flight on its own: a source fed by hand, and readers that read when they are told to."""

import asyncio
from collections import deque

from gateway.errors import GatewayError
from gateway.flow.flight import Flight
from tests.flow.scenes import settle


class HandSource:
    """Pieces as the test hands them in; cancelling a read loses none."""

    def __init__(self) -> None:
        self.abandoned = 0
        self.asked = 0
        self._ready: deque[bytes | GatewayError] = deque()
        self._more = asyncio.Event()

    def give(self, *pieces: bytes | GatewayError) -> None:
        self._ready.extend(pieces)
        self._more.set()

    async def piece(self) -> bytes:
        self.asked += 1
        while not self._ready:
            self._more.clear()
            await self._more.wait()
        piece = self._ready.popleft()
        if isinstance(piece, GatewayError):
            raise piece
        return piece

    def abandon(self) -> None:
        self.abandoned += 1

    def comments_allowed(self) -> bool:
        return True

    def sequence(self) -> int:
        return -1


class Reader:
    """One reader of a flight, reading when it is told to."""

    def __init__(self, flight: Flight, first: bytes) -> None:
        flight.readers += 1
        self.flight = flight
        self.got = first
        self.error: GatewayError | None = None
        self.ended = False
        self.at = 1
        self.task: asyncio.Task[None] | None = None

    def read(self) -> None:
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._once())

    async def to_the_end(self) -> None:
        while not self.ended:
            self.read()
            await settle()

    def leave(self) -> None:
        self.ended = True
        if self.task is not None:
            self.task.cancel()
        self.flight.left()

    async def _once(self) -> None:
        try:
            data, self.at = await self.flight.after(self.at)
        except GatewayError as error:
            self.error, self.ended = error, True
        else:
            self.got += data
            self.ended = not data


class Airfield:
    """A flight, its source, and how often it landed."""

    def __init__(self, first: bytes = b"0", *, keeps: bool = True) -> None:
        self.source = HandSource()
        self.landings = 0
        self.first = first
        self.flight = Flight(self.source, first=first, keeps=keeps, landed=self._landed)

    def reader(self) -> Reader:
        return Reader(self.flight, self.first)

    async def _landed(self) -> None:
        self.landings += 1
