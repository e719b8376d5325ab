"""Whole and streamed calls that go well, and what their books say."""

import asyncio

import orjson
import pytest

from gateway.call import Usage
from gateway.catalog import Tier
from gateway.errors import InternalError, InvalidValue, ModelNotFound, Overloaded
from gateway.flow.journey import Journey
from tests.fakes import FULL, MINI, NANO, FakeReply
from tests.flow.conftest import MakeWorld
from tests.flow.replies import (
    CLOSING,
    DONE,
    OPENING,
    body,
    error,
    frame,
    in_turn,
    never,
    stream,
    usage_frame,
    whole,
)
from tests.flow.scenes import EASY, HARD, MIDDLING, settle


async def test_a_whole_reply_passes_with_the_bytes_it_came_in(world: MakeWorld) -> None:
    sent = b' {"choices":[] , "odd":1.0e2}\r\n'
    place = world(in_turn(whole(sent, headers=((b"x-request-id", b"up_1"), (b"server", b"x")))))

    client = await place.ask()

    assert (client.answer.status, client.answer.stream, client.body) == (200, False, sent)
    assert dict(client.answer.headers) == {
        b"content-type": b"application/json",
        b"x-request-id": b"up_1",
    }
    assert await client.answer.rest() == b""
    assert not client.answer.may_comment()
    assert place.ended(client).upstream_request_id == "up_1"


async def test_the_smallest_tier_that_will_do_is_asked_in_its_own_name(world: MakeWorld) -> None:
    for thinks, model in ((EASY, NANO), (MIDDLING, MINI), (HARD, FULL)):
        place = world(in_turn(whole()), thinks=thinks)

        await place.ask("auto", temperature=0.5)

        (request,) = place.upstream.requests
        sent = orjson.loads(request.body)
        assert sent["model"] == model.name
        assert sent["temperature"] == 0.5
        assert (request.path, request.headers) == ("/chat/completions", ((b"user-agent", b"test"),))


async def test_what_a_call_used_is_charged_and_held_against_the_full_tier(world: MakeWorld) -> None:
    used = {
        "prompt_tokens": 1000,
        "completion_tokens": 200,
        "prompt_tokens_details": {"cached_tokens": 400},
        "completion_tokens_details": {"reasoning_tokens": 50},
    }
    place = world(
        in_turn(whole(orjson.dumps({"model": "gpt-4.1-2025-04-14", "choices": [], "usage": used})))
    )

    ended = place.ended(await place.ask())

    assert ended.usage == Usage(1000, 200, cached=400, reasoning=50)
    assert ended.cost == 600 * 100 + 400 * 25 + 200 * 400
    assert ended.saved == (600 * 2000 + 400 * 500 + 200 * 8000) - ended.cost
    assert (ended.tier, ended.model) == (Tier.NANO, NANO.name)
    assert (ended.response_model, ended.reason) == ("gpt-4.1-2025-04-14", "adequate")
    assert (ended.outcome, ended.status, ended.cache) == ("ok", 200, "miss")


async def test_a_call_that_goes_to_the_full_tier_saves_nothing(world: MakeWorld) -> None:
    place = world(in_turn(whole()), thinks=HARD)

    ended = place.ended(await place.ask())

    assert (ended.saved, ended.cost) == (0, 100 * 2000 + 20 * 8000)


async def test_times_are_told_apart_by_whose_they_are(world: MakeWorld) -> None:
    place = world(in_turn(lambda _: slow()))

    async def slow() -> FakeReply:
        await place.clock.sleep(2.0)
        return stream(OPENING, lambda: place.clock.sleep(3.0), CLOSING + usage_frame() + DONE)

    call = place.call(stream=True)
    place.clock.at += 0.25
    client = await place.client(call).serve()

    ended = place.ended(client)
    assert (ended.ttft, ended.overhead, ended.seconds) == (2.0, 0.25, 5.25)
    assert [attempt.seconds for attempt in place.recorder.attempts] == [5.0]


async def test_a_whole_reply_without_usage_is_estimated(world: MakeWorld) -> None:
    place = world(in_turn(whole(body("x" * 400, usage=None)), whole(body("x" * 400, usage=None))))

    routed, named = await place.ask(), await place.ask("nano")

    assert place.ended(routed).usage == Usage(100, 100, estimated=True)
    assert place.ended(named).usage == Usage(len(named.call.body) // 4, 100, estimated=True)
    assert place.ended(routed).prompt_tokens_estimate == 100
    assert place.ended(named).prompt_tokens_estimate == 0


async def test_a_streamed_reply_comes_piece_by_piece(world: MakeWorld) -> None:
    place = world(in_turn(stream(headers=((b"x-request-id", b"up_1"),))))

    client = await place.ask(stream=True)

    assert client.answer.stream
    assert client.pieces == [OPENING, CLOSING, DONE]
    assert dict(client.answer.headers)[b"content-type"].startswith(b"text/event-stream")
    ended = place.ended(client)
    assert (ended.stream, ended.outcome, ended.upstream_request_id) == (True, "ok", "up_1")


async def test_usage_nobody_asked_for_is_asked_for_and_taken_out_again(world: MakeWorld) -> None:
    null = frame("Pa", usage=None)
    place = world(in_turn(stream(null, CLOSING + usage_frame(7, 5) + DONE)))

    client = await place.ask(stream=True)

    assert orjson.loads(place.upstream.requests[0].body)["stream_options"] == {
        "include_usage": True
    }
    assert client.body == null.replace(b',"usage":null', b"") + CLOSING + DONE
    assert place.ended(client).usage == Usage(7, 5)


async def test_usage_the_client_asked_for_reaches_it(world: MakeWorld) -> None:
    place = world(in_turn(stream()))

    client = await place.ask(stream=True, stream_options={"include_usage": True})

    assert client.body == OPENING + CLOSING + usage_frame() + DONE
    assert place.ended(client).usage == Usage(100, 20)


async def test_a_stream_that_never_tells_is_estimated_by_its_length(world: MakeWorld) -> None:
    long = frame("x" * 5000, finish="stop")
    place = world(in_turn(stream(OPENING, long, DONE)))

    ended = place.ended(await place.ask(stream=True))

    assert ended.usage == Usage(100, 5000 // 4, estimated=True)


async def test_comments_are_safe_unless_the_stream_numbers_its_events(world: MakeWorld) -> None:
    place = world(in_turn(stream(), stream(b"id: 1\n" + OPENING, CLOSING + DONE)))

    plain, numbered = await place.ask(stream=True), await place.ask(stream=True, text="Again")

    assert plain.answer.may_comment()
    assert not numbered.answer.may_comment()


async def test_a_request_that_never_became_a_call_is_counted(world: MakeWorld) -> None:
    place = world(in_turn())
    place.asked = 1

    place.flow.rejected("req_1", InvalidValue("no model"), place.clock.now() - 0.5)

    (ended,) = place.recorder.calls
    assert (ended.outcome, ended.status, ended.seconds) == ("caller_invalid", 400, 0.5)
    assert (ended.tier, ended.cost, ended.cache) == (None, 0, "bypass")


async def test_a_model_nobody_knows_is_refused_and_booked(world: MakeWorld) -> None:
    place = world(in_turn())

    client = await place.ask("gpt-9")

    assert isinstance(client.error, ModelNotFound)
    ended = place.ended(client)
    assert (ended.outcome, ended.status, ended.requested) == (
        "caller_model_not_found",
        404,
        "gpt-9",
    )


async def test_load_is_shed_before_it_queues(world: MakeWorld) -> None:
    place = world(in_turn(never), max_in_flight=1)
    async with asyncio.TaskGroup() as tasks:
        first = place.client(place.call()).start(tasks)
        await settle()
        second = await place.ask(text="Another")
        first.hang_up()

    assert isinstance(second.error, Overloaded)
    assert second.error.retry_after == 1
    assert place.ended(second).outcome == "gateway_overloaded"
    assert place.ended(first).outcome == "caller_left"


async def test_a_defect_of_ours_is_booked_as_ours(world: MakeWorld) -> None:
    def defect(_: object) -> FakeReply:
        raise ZeroDivisionError

    place = world(defect)

    with pytest.raises(ZeroDivisionError):
        await place.ask()

    assert place.recorder.calls[0].outcome == InternalError.kind
    assert place.outcomes() == ["cancelled"]


async def test_a_journey_that_chose_nothing_has_no_words(world: MakeWorld) -> None:
    place = world(in_turn(whole()))

    client = await place.ask()

    assert Journey(client.call).words() == ""
    assert "a larger model promises only" in client.answer.journey.words()


async def test_an_error_reply_costs_nothing(world: MakeWorld) -> None:
    place = world(in_turn(error(400, "bad")))

    ended = place.ended(await place.ask())

    assert (ended.cost, ended.saved, ended.outcome) == (0, 0, "upstream_4xx")
