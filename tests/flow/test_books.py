"""Whatever happens in whatever order, the books balance and nobody gets another's bytes."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from anyio.lowlevel import checkpoint
from hypothesis import given, settings, strategies as st

from gateway.errors import UpstreamTruncated, UpstreamUnreachable
from gateway.ports import Request
from gateway.route.breaker import Breaker
from tests.fakes import FakeReply, catalog
from tests.flow.replies import (
    CLOSING,
    DONE,
    ERROR_FRAME,
    OPENING,
    STREAMED,
    body,
    error,
    stream,
    usage_frame,
    whole,
)
from tests.flow.scenes import Client, make_world

FATES = ["good", "good", "cut", "error event", "500", "400", "429", "refused"]
TEXTS = ("one", "other")
STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "ask", "feed", "feed", "leave", "wait"]), st.integers(0, 7)),
    max_size=40,
)


class Upstreams:
    """Answers each request by the next fate, and waits at each piece for the test to go on."""

    def __init__(self, fates: list[str]) -> None:
        self._fates = deque(fates)
        self._waiting: deque[asyncio.Event] = deque()
        self._open = False

    def feed(self) -> None:
        if self._waiting:
            self._waiting.popleft().set()

    def open(self) -> None:
        """Nothing is waited for any more."""
        self._open = True
        while self._waiting:
            self.feed()

    async def answer(self, request: Request) -> FakeReply:
        await self._gate()
        fate = self._fates.popleft() if self._fates else "good"
        if fate == "refused":
            message = "refused"
            raise UpstreamUnreachable(message)
        if fate.isdigit():
            return error(int(fate), headers=((b"retry-after", b"1"),))
        return self._streamed(fate) if request.stream else self._whole(fate)

    def _whole(self, fate: str) -> FakeReply:
        return whole(self._gate, body()) if fate == "good" else whole(body()[:9], CUT)

    def _streamed(self, fate: str) -> FakeReply:
        gate: Callable[[], Awaitable[None]] = self._gate
        if fate == "cut":
            return stream(gate, OPENING, gate, CUT)
        if fate == "error event":
            return stream(OPENING, gate, ERROR_FRAME)
        return stream(gate, OPENING, gate, CLOSING, gate, usage_frame() + DONE)

    async def _gate(self) -> None:
        if not self._open:
            event = asyncio.Event()
            self._waiting.append(event)
            await event.wait()


CUT = UpstreamTruncated("cut")


@given(steps=STEPS, fates=st.lists(st.sampled_from(FATES), max_size=10))
@settings(max_examples=200, deadline=None)
def test_the_books_balance_whatever_happens(steps: list[tuple[str, int]], fates: list[str]) -> None:
    asyncio.run(live_through(steps, fates))


async def live_through(steps: list[tuple[str, int]], fates: list[str]) -> None:
    upstreams = Upstreams(fates)
    world = make_world(upstreams.answer, where=catalog(spares=1), breaker=Breaker(limit=3))
    clients: list[Client] = []
    async with asyncio.TaskGroup() as tasks:
        for what, which in steps:
            staying = [client for client in clients if not client.gone]
            if what == "ask":
                call = world.call(text=TEXTS[which & 1], stream=which < 6)
                clients.append(world.client(call).start(tasks))
            elif what == "feed":
                upstreams.feed()
            elif what == "leave" and staying:
                staying[which % len(staying)].hang_up()
            await turns(1 + which)
        upstreams.open()

    world.check_the_books()
    for client in clients:
        good = STREAMED if client.call.stream else body()
        outcome = world.ended(client).outcome
        assert outcome != "ok" or client.body == good
        assert client.error is None or client.error.kind == outcome
        assert outcome != "caller_left" or client.gone


async def turns(count: int) -> None:
    for _ in range(count):
        await checkpoint()
