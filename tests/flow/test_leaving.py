"""Callers that hang up while they share a call, or while it is theirs alone."""

import asyncio

import pytest

from gateway.call import Usage
from tests.flow.conftest import MakeWorld
from tests.flow.replies import (
    CLOSING,
    DONE,
    OPENING,
    STREAMED,
    body,
    gated,
    in_turn,
    never,
    stream,
    usage_frame,
    whole,
)
from tests.flow.scenes import Client, settle

COST = 100 * 100 + 20 * 400


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_leader_that_hangs_up_before_the_head_leaves_the_call_to_the_others(
    world: MakeWorld, streaming: bool
) -> None:
    gate = asyncio.Event()
    place = world(in_turn(gated(gate, stream() if streaming else whole())))
    async with asyncio.TaskGroup() as tasks:
        leader, one, two = [
            place.client(place.call(stream=streaming)).start(tasks) for _ in range(3)
        ]
        await settle()
        leader.hang_up()
        await settle()
        gate.set()

    assert len(place.upstream.requests) == 1
    assert one.body == two.body == (STREAMED if streaming else body())
    assert place.ended(leader).outcome == "caller_left"
    assert place.ended(leader).cost == COST
    assert place.outcomes() == ["ok"]


async def test_a_leader_that_hangs_up_midway_leaves_the_stream_to_the_others(
    world: MakeWorld,
) -> None:
    gate = asyncio.Event()
    place = world(in_turn(stream(OPENING, gate.wait, CLOSING + usage_frame() + DONE)))
    async with asyncio.TaskGroup() as tasks:
        leader, one, two = [place.client(place.call(stream=True)).start(tasks) for _ in range(3)]
        await settle()
        leader.hang_up()
        leader.stop()
        await settle()
        assert place.recorder.calls == []
        gate.set()

    assert one.body == two.body == STREAMED
    ended = place.ended(leader)
    assert (ended.outcome, ended.cost, ended.usage.estimated) == ("caller_left", COST, False)
    assert place.outcomes() == ["ok"]


async def test_followers_may_hang_up_at_any_time(world: MakeWorld) -> None:
    head, rest = asyncio.Event(), asyncio.Event()
    good = stream(OPENING, rest.wait, CLOSING + usage_frame() + DONE)
    place = world(in_turn(gated(head, good)))
    async with asyncio.TaskGroup() as tasks:
        leader, early, late = [place.client(place.call(stream=True)).start(tasks) for _ in range(3)]
        await settle()
        early.hang_up()
        await settle()
        head.set()
        await settle()
        late.hang_up()
        await settle()
        rest.set()

    assert leader.body == STREAMED
    assert place.ended(early).outcome == place.ended(late).outcome == "caller_left"
    assert (place.ended(late).cache, place.ended(late).saved) == ("shared", 0)
    assert place.ended(leader).outcome == "ok"


@pytest.mark.parametrize("leader_first", [False, True])
async def test_when_all_hang_up_the_upstream_is_let_go_at_once(
    world: MakeWorld, leader_first: bool
) -> None:
    place = world(in_turn(stream(OPENING, asyncio.Event().wait)))
    clients = [Client(place.flow, place.call(stream=True)) for _ in range(2)]
    answers = [await client.open() for client in clients]
    (reply,) = place.upstream.replies

    for answer in answers if leader_first else reversed(answers):
        assert not reply.aborted
        answer.close(left=True)

    assert reply.aborted
    assert place.outcomes() == ["cancelled"]
    leader, follower = [place.ended(client) for client in clients]
    assert (leader.outcome, follower.outcome) == ("caller_left", "caller_left")
    assert leader.usage == Usage(100, len(OPENING) // 250, estimated=True)
    assert (leader.cost, follower.cost) == (leader.usage[0] * 100 + leader.usage[1] * 400, 0)
    if leader_first:
        assert (follower.usage, follower.saved) == (leader.usage, leader.cost)


@pytest.mark.parametrize("streaming", [False, True])
async def test_when_all_hang_up_before_the_head_one_pays_for_the_attempt_they_left(
    world: MakeWorld, streaming: bool
) -> None:
    place = world(in_turn(never))
    async with asyncio.TaskGroup() as tasks:
        clients = [place.client(place.call(stream=streaming)).start(tasks) for _ in range(3)]
        await settle()
        for client in clients:
            assert place.outcomes() == []
            client.hang_up()
            await settle()

    assert place.outcomes() == ["cancelled"]
    assert [place.ended(client).outcome for client in clients] == ["caller_left"] * 3
    leader, *followers = (place.ended(client) for client in clients)
    expected = 0 if streaming else 100
    assert leader.usage == Usage(100, expected, estimated=True)
    assert leader.cost == 100 * 100 + expected * 400
    assert [(ended.cost, ended.saved) for ended in followers] == [(0, 0)] * 2


async def test_an_end_that_comes_after_the_last_one_left_is_booked_no_second_time(
    world: MakeWorld,
) -> None:
    gate = asyncio.Event()
    place = world(in_turn(stream(OPENING, gate.wait, CLOSING + usage_frame() + DONE)))
    client = Client(place.flow, place.call(stream=True))

    answer = await client.open()
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(answer.rest())
        await settle()
        answer.close(left=True)
        gate.set()
    assert (await reading, await answer.rest()) == (CLOSING + DONE, b"")

    assert place.outcomes() == ["cancelled"]
    assert place.ended(client).outcome == "caller_left"


async def test_a_leader_stopped_from_outside_hands_over(world: MakeWorld) -> None:
    gate = asyncio.Event()
    place = world(in_turn(never, gated(gate, whole())))
    async with asyncio.TaskGroup() as tasks:
        leader, one, two = [place.client(place.call()).start(tasks) for _ in range(3)]
        await settle()
        leader.stop()
        await settle()
        gate.set()

    assert one.body == two.body == body()
    assert len(place.upstream.requests) == 2
    assert place.ended(leader).outcome == "caller_left"


async def test_a_stream_given_up_before_its_followers_woke_is_asked_for_anew(
    world: MakeWorld,
) -> None:
    gate = asyncio.Event()
    place = world(in_turn(gated(gate, stream(OPENING, asyncio.Event().wait)), stream()))
    leader = Client(place.flow, place.call(stream=True))

    async def hasty() -> None:
        answer = await leader.open()
        answer.close(left=True)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hasty())
        await settle()
        follower = place.client(place.call(stream=True)).start(tasks)
        await settle()
        gate.set()

    assert follower.body == STREAMED
    assert len(place.upstream.requests) == 2
