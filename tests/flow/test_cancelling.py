"""A call may be cancelled wherever it waits; its books are closed all the same."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from anyio.lowlevel import checkpoint

from gateway.money import NanoUSD
from gateway.ports import Kept, ReplyCache
from gateway.store.memory import MemoryCache
from tests.fakes import FakeClock, FakeReply, assessment, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import CLOSING, DONE, OPENING, body, error, in_turn, never, stream, whole
from tests.flow.scenes import World, settle, stuck

LIMITED = ((b"retry-after", b"2"),)
LONG = "x" * 70_000


class StuckCache(MemoryCache):
    """A cache that hangs, in one of its two ways."""

    __slots__ = ("hangs",)

    def __init__(self, clock: FakeClock, hangs: str) -> None:
        super().__init__(clock, max_bytes=1 << 20, max_entry=1 << 20)
        self.hangs = hangs

    async def get(self, key: bytes) -> Kept | None:
        if self.hangs == "get":
            await stuck()
        return await super().get(key)

    async def put(self, key: bytes, kept: Kept, ttl: float) -> None:
        if self.hangs == "put":
            await stuck()
        await super().put(key, kept, ttl)


def hanging(how: str) -> Callable[[FakeClock], ReplyCache]:
    return lambda clock: StuckCache(clock, how)


PLACES: dict[str, tuple[Callable[[], Any], dict[str, Any], dict[str, Any]]] = {
    "the head": (lambda: never, {}, {}),
    "the head of a stream": (lambda: never, {}, {"stream": True}),
    "the body": (lambda: whole(stuck), {}, {}),
    "half a body": (lambda: whole(body()[:9], stuck), {}, {}),
    "an error's body": (lambda: FakeReply(500, (), (stuck,)), {}, {}),
    "the first event": (lambda: stream(stuck), {}, {"stream": True}),
    "the first event behind a comment": (lambda: stream(b": x\n\n", stuck), {}, {"stream": True}),
    "more of a stream": (lambda: stream(OPENING, stuck), {}, {"stream": True}),
    "the end of a stream": (lambda: stream(OPENING, CLOSING, stuck), {}, {"stream": True}),
    "a pause": (lambda: error(429, headers=LIMITED), {"waiting": stuck}, {"model": "nano"}),
    "a thread": (lambda: never, {"waiting": stuck}, {"text": LONG}),
    "a cache that does not answer": (lambda: never, {"cache": hanging("get")}, {}),
    "a cache that does not take it": (lambda: whole(), {"cache": hanging("put")}, {}),
}


@pytest.mark.parametrize("waiting_for", PLACES)
async def test_a_caller_may_leave_while_its_call_waits_for(
    world: MakeWorld, waiting_for: str
) -> None:
    reply, more, asked = PLACES[waiting_for]
    place: World = world(in_turn(reply()), **more)

    async with asyncio.TaskGroup() as tasks:
        client = place.client(place.call(**{"model": "auto", **asked})).start(tasks)
        await settle()
        assert not place.recorder.calls
        client.hang_up()

    assert place.ended(client).outcome == "caller_left"
    assert all(reply.aborted or reply.whole for reply in place.upstream.replies)


@pytest.mark.parametrize("waiting_for", PLACES)
async def test_followers_may_leave_with_their_leader_while_it_waits_for(
    world: MakeWorld, waiting_for: str
) -> None:
    reply, more, asked = PLACES[waiting_for]
    place: World = world(in_turn(*[reply() for _ in range(3)]), **more)

    async with asyncio.TaskGroup() as tasks:
        calls = [place.call(**{"model": "auto", **asked}) for _ in range(3)]
        clients = [place.client(call).start(tasks) for call in calls]
        await settle()
        for client in clients:
            client.hang_up()
            await settle()

    assert {place.ended(client).outcome for client in clients} == {"caller_left"}


@pytest.mark.parametrize("waiting_for", PLACES)
@pytest.mark.parametrize("turns", range(4))
async def test_a_caller_may_leave_before_its_call_got_anywhere(
    world: MakeWorld, waiting_for: str, turns: int
) -> None:
    reply, more, asked = PLACES[waiting_for]
    place: World = world(in_turn(reply()), **more)

    async with asyncio.TaskGroup() as tasks:
        client = place.client(place.call(**{"model": "auto", **asked})).start(tasks)
        for _ in range(1 + turns):
            await checkpoint()
        client.hang_up()

    assert place.ended(client).outcome == "caller_left"


async def test_a_second_thread_may_be_left_too(world: MakeWorld) -> None:
    turns: list[int] = []

    async def second() -> None:
        turns.append(1)
        if len(turns) == 3:
            await stuck()

    unsure = assessment(1000, bounds=(900, 1100))
    place = world(in_turn(never), thinks=unsure, waiting=second)
    said = wishes(max_cost=NanoUSD(10**9))

    async with asyncio.TaskGroup() as tasks:
        client = place.client(place.call(text=LONG, said=said)).start(tasks)
        await settle()
        client.hang_up()

    assert place.threaded == ["_key_of", "assess", "count"]
    assert place.ended(client).outcome == "caller_left"


async def test_a_whole_answer_that_came_is_paid_though_nobody_waits_for_it(
    world: MakeWorld,
) -> None:
    place = world(in_turn(whole()), cache=hanging("put"))

    async with asyncio.TaskGroup() as tasks:
        client = place.client(place.call()).start(tasks)
        await settle()
        client.hang_up()

    assert place.ended(client).cost == 100 * 100 + 20 * 400
    assert place.outcomes() == ["ok"]


async def test_a_cache_that_does_not_take_a_stream_keeps_only_one_reader_waiting(
    world: MakeWorld,
) -> None:
    place = world(in_turn(stream(OPENING, CLOSING + DONE)), cache=hanging("put"))

    async with asyncio.TaskGroup() as tasks:
        clients = [place.client(place.call(stream=True)).start(tasks) for _ in range(3)]
        await settle()
        ended = [client.call.id for client in clients if client.task and client.task.done()]
        for client in clients:
            client.hang_up()

    assert len(ended) == 2
    assert {client.body for client in clients} == {OPENING + CLOSING + DONE}
