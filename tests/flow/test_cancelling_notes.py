"""A call may be cancelled while the store takes down where its answer lives; nothing stays open."""

import asyncio

import pytest

from gateway.store.notes import MemoryAffinities
from tests.flow.conftest import MakeWorld
from tests.flow.replies import OPENING, in_turn, stream, whole
from tests.flow.scenes import settle, stuck


class StuckNotes(MemoryAffinities):
    """Notes that are never taken."""

    async def put(self, kind: str, name: str, note: str, ttl: float) -> None:
        await stuck()


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_caller_may_leave_while_its_answer_is_noted(
    world: MakeWorld, streaming: bool
) -> None:
    place = world(in_turn(stream(OPENING, stuck) if streaming else whole()), notes=StuckNotes)

    async with asyncio.TaskGroup() as tasks:
        client = place.client(place.call(stream=streaming, store=True)).start(tasks)
        await settle()
        assert not place.recorder.calls
        client.hang_up()

    ended = place.ended(client)
    assert (ended.outcome, ended.cost > 0) == ("caller_left", True)
    assert all(reply.aborted or reply.whole for reply in place.upstream.replies)
    assert place.outcomes() == ["cancelled" if streaming else "ok"]
