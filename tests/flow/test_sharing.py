"""Identical calls at the same time: one upstream call, and books for each of them."""

import asyncio
from typing import Any

import pytest
from anyio.lowlevel import checkpoint

from gateway.call import CacheWish
from gateway.errors import UpstreamTruncated, UpstreamUnreachable
from gateway.flow.flight import KEPT_BYTES
from gateway.ports import Request
from tests.fakes import FakeReply, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import (
    CLOSING,
    DONE,
    ERROR_FRAME,
    OPENING,
    STREAMED,
    body,
    error,
    frame,
    gated,
    in_turn,
    stream,
    usage_frame,
    whole,
)
from tests.flow.scenes import settle

COST = 100 * 100 + 20 * 400


@pytest.mark.parametrize("streaming", [False, True])
async def test_identical_calls_share_one_upstream_call(world: MakeWorld, streaming: bool) -> None:
    gate = asyncio.Event()
    place = world(in_turn(gated(gate, stream() if streaming else whole())))
    async with asyncio.TaskGroup() as tasks:
        clients = [place.client(place.call(stream=streaming)).start(tasks) for _ in range(4)]
        await settle()
        place.clock.at += 2.0
        gate.set()

    assert len(place.upstream.requests) == 1
    assert {client.body for client in clients} == {STREAMED if streaming else body()}
    leader, *followers = [place.ended(client) for client in clients]
    assert (leader.cache, leader.cost) == ("miss", COST)
    for ended in followers:
        assert (ended.cache, ended.cost, ended.saved) == ("shared", 0, COST)
        assert (ended.usage, ended.tier, ended.model) == (leader.usage, leader.tier, leader.model)
        assert (ended.response_model, ended.reason) == (leader.response_model, leader.reason)
        assert (ended.outcome, ended.status, ended.attempts) == ("ok", 200, 0)
        assert (ended.overhead, ended.seconds) == (0.0, 2.0)


async def test_one_that_comes_midway_gets_all_from_the_start(world: MakeWorld) -> None:
    gate = asyncio.Event()
    place = world(in_turn(stream(OPENING, gate.wait, CLOSING + usage_frame() + DONE)))
    async with asyncio.TaskGroup() as tasks:
        leader = place.client(place.call(stream=True)).start(tasks)
        await settle()
        follower = place.client(place.call(stream=True)).start(tasks)
        await settle()
        assert leader.body == follower.body == OPENING
        gate.set()

    assert leader.body == follower.body == STREAMED
    assert len(place.upstream.requests) == 1


@pytest.mark.parametrize(
    "other", [{"text": "Other"}, {"tenant": "other"}, {"temperature": 1}, {"model": "nano"}]
)
async def test_other_calls_are_not_shared(world: MakeWorld, other: dict[str, Any]) -> None:
    gate = asyncio.Event()
    place = world(lambda _: whole(gate.wait, body()))
    async with asyncio.TaskGroup() as tasks:
        place.client(place.call(model="auto")).start(tasks)
        place.client(place.call(**{"model": "auto", **other})).start(tasks)
        await settle()
        gate.set()

    assert len(place.upstream.requests) == 2


async def test_what_stopped_the_leader_stops_the_followers(world: MakeWorld) -> None:
    gate, refused = asyncio.Event(), UpstreamUnreachable("no")
    place = world(in_turn(gated(gate, refused)))
    async with asyncio.TaskGroup() as tasks:
        clients = [place.client(place.call("nano")).start(tasks) for _ in range(3)]
        await settle()
        place.clock.at += 3
        gate.set()

    assert [client.error for client in clients] == [refused] * 3
    assert {e.outcome for e in place.recorder.calls} == {"upstream_unreachable"}
    assert {e.overhead for e in place.recorder.calls} == {0.0}


async def test_an_error_reply_is_shared_like_any_other(world: MakeWorld) -> None:
    gate = asyncio.Event()
    place = world(in_turn(gated(gate, error(400, "bad"))))
    async with asyncio.TaskGroup() as tasks:
        clients = [place.client(place.call()).start(tasks) for _ in range(2)]
        await settle()
        gate.set()

    assert [client.answer.status for client in clients] == [400, 400]
    assert clients[0].body == clients[1].body
    assert {(e.outcome, e.saved, e.cost) for e in place.recorder.calls} == {("upstream_4xx", 0, 0)}


async def test_a_long_answer_whose_beginning_is_gone_is_asked_for_anew(world: MakeWorld) -> None:
    gate = asyncio.Event()
    big = frame("x" * (KEPT_BYTES // 16))

    def answering(request: Request) -> FakeReply:
        return stream(OPENING, *[big] * 17, gate.wait, CLOSING + usage_frame() + DONE)

    place = world(answering)
    async with asyncio.TaskGroup() as tasks:
        first = place.client(place.call(stream=True)).start(tasks)
        await settle()
        second = place.client(place.call(stream=True)).start(tasks)
        await settle()
        third = place.client(place.call(stream=True)).start(tasks)
        await settle()
        gate.set()

    assert first.body == second.body == third.body == OPENING + big * 17 + CLOSING + DONE
    assert len(place.upstream.requests) == 3


async def test_a_slow_client_holds_nobody_up(world: MakeWorld) -> None:
    slow_reads = asyncio.Event()
    place = world(in_turn(stream()))
    async with asyncio.TaskGroup() as tasks:
        slow = place.client(place.call(stream=True), pace=slow_reads.wait).start(tasks)
        quick = place.client(place.call(stream=True), pace=checkpoint).start(tasks)
        await settle()
        assert (slow.body, quick.body) == (OPENING, STREAMED)
        slow_reads.set()

    assert slow.body == STREAMED


async def test_a_stream_that_fails_midway_fails_for_everyone(world: MakeWorld) -> None:
    cut = UpstreamTruncated("cut")
    place = world(in_turn(stream(OPENING, cut)))
    async with asyncio.TaskGroup() as tasks:
        clients = [place.client(place.call(stream=True)).start(tasks) for _ in range(3)]

    assert [(client.body, client.error) for client in clients] == [(OPENING, cut)] * 3
    assert {e.outcome for e in place.recorder.calls} == {"upstream_truncated"}


async def test_an_error_the_upstream_put_into_the_stream_is_in_everyones_books(
    world: MakeWorld,
) -> None:
    place = world(in_turn(stream(OPENING, ERROR_FRAME)))
    async with asyncio.TaskGroup() as tasks:
        clients = [place.client(place.call(stream=True)).start(tasks) for _ in range(3)]

    assert {client.body for client in clients} == {OPENING + ERROR_FRAME}
    assert {e.outcome for e in place.recorder.calls} == {"upstream_error"}
    assert place.outcomes() == ["upstream_error"]


async def test_a_caller_that_wants_a_fresh_answer_disturbs_nobody(world: MakeWorld) -> None:
    gate = asyncio.Event()
    place = world(lambda _: stream(OPENING, gate.wait, CLOSING + usage_frame() + DONE))
    fresh_only = wishes(cache=CacheWish(read=False))
    async with asyncio.TaskGroup() as tasks:
        place.client(place.call(stream=True)).start(tasks)
        await settle()
        fresh = place.client(place.call(stream=True, said=fresh_only)).start(tasks)
        await settle()
        fresh.hang_up()
        await settle()
        place.client(place.call(stream=True)).start(tasks)
        await settle()
        gate.set()

    assert len(place.upstream.requests) == 2
