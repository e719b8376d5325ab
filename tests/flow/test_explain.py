"""The decision, told in the reply because the caller asked."""

import gzip
from typing import Any

import orjson
import pytest

from gateway.call import Assessment
from gateway.flow.explain import explanation
from gateway.flow.journey import Journey
from tests.fakes import FULL, JSON_HEAD, MINI, NANO, assessment, catalog, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import (
    CLOSING,
    DONE,
    OPENING,
    body,
    error,
    frame,
    in_turn,
    stream,
    usage_frame,
    whole,
)
from tests.flow.scenes import Client, make_world

EXPLAIN = wishes(explain=True)
SEEN: Assessment = assessment(quality=(0.8, 0.8, 0.8), signals=("tools",))
COST = 100 * 100 + 20 * 400


def told(client: Client) -> dict[str, Any]:
    """The explanation in a stream's last frame but one."""
    frames = client.body.split(b"\n\n")
    assert frames[-2:] == [b"data: [DONE]", b""]
    chunk = orjson.loads(frames[-3].removeprefix(b"data: "))
    assert (chunk["choices"], chunk["object"]) == ([], "chat.completion.chunk")
    decision: dict[str, Any] = chunk["gateway"]
    return decision


async def test_a_whole_reply_gains_a_last_member_and_keeps_its_bytes(world: MakeWorld) -> None:
    sent = body() + b" \r\n"
    place = world(in_turn(whole(sent)), thinks=SEEN)

    client = await place.ask(said=EXPLAIN)

    assert client.body.startswith(body()[:-1] + b',"gateway":{')
    told = orjson.loads(client.body)["gateway"]
    assert told["decision_id"] == client.call.id
    assert (told["tier"], told["model"], told["reason"]) == ("nano", NANO.name, "adequate")
    assert told["cost_usd"] == "0.000018"
    assert (told["attempts"], told["prompt_tokens"], told["signals"]) == (1, 100, ["tools"])
    assert told["usage"]["prompt"] == 100
    assert [c["model"] for c in told["candidates"]] == [NANO.name, MINI.name, FULL.name]
    assert {c["verdict"] for c in told["candidates"]} == {"fits"}


async def test_a_compressed_reply_is_told_in_plain(world: MakeWorld) -> None:
    packed = gzip.compress(body())
    place = world(in_turn(whole(packed, headers=((b"content-encoding", b"gzip"),))))

    client = await place.ask(said=EXPLAIN)

    assert orjson.loads(client.body)["gateway"]["tier"] == "nano"
    assert client.answer.headers == JSON_HEAD


async def test_a_compressed_reply_nobody_asked_about_stays_as_it_is(world: MakeWorld) -> None:
    packed = gzip.compress(body())
    place = world(in_turn(whole(packed, headers=((b"content-encoding", b"gzip"),))))

    client = await place.ask()

    assert client.body == packed
    assert place.ended(client).cost == COST


@pytest.mark.parametrize(
    "pieces",
    [
        (OPENING, CLOSING, usage_frame() + DONE),
        (OPENING, CLOSING + usage_frame(), DONE),
        (OPENING + CLOSING + usage_frame() + DONE,),
    ],
    ids=["in pieces", "mark alone", "at once"],
)
async def test_a_stream_gains_one_frame_before_its_end_mark(
    world: MakeWorld, pieces: tuple[bytes, ...]
) -> None:
    place = world(in_turn(stream(*pieces)), thinks=SEEN)

    client = await place.ask(stream=True, said=EXPLAIN)

    assert client.body.startswith(OPENING + CLOSING)
    assert (told(client)["cost_usd"], told(client)["usage"]["completion"]) == ("0.000018", 20)
    assert place.ended(client).cost == COST


async def test_a_stream_without_usage_is_told_its_estimate(world: MakeWorld) -> None:
    place = world(in_turn(stream(OPENING, frame("x" * 999, finish="stop"), DONE)))

    client = await place.ask(stream=True, said=EXPLAIN)

    assert told(client)["usage"]["estimated"] is True


async def test_without_an_end_mark_there_is_no_place_to_tell(world: MakeWorld) -> None:
    place = world(in_turn(stream(OPENING, CLOSING)))

    client = await place.ask(stream=True, said=EXPLAIN)

    assert client.body == OPENING + CLOSING


async def test_an_error_reply_is_not_touched(world: MakeWorld) -> None:
    place = world(in_turn(error(400)))

    client = await place.ask(said=EXPLAIN)

    assert b"gateway" not in client.body


async def test_a_fallback_is_told_with_what_came_of_it(world: MakeWorld) -> None:
    place = world(in_turn(error(500), whole()))

    client = await place.ask(said=EXPLAIN)

    told = orjson.loads(client.body)["gateway"]
    assert (told["tier"], told["reason"], told["attempts"]) == ("mini", "escalated", 2)


async def test_what_was_refused_is_told_with_its_reason(world: MakeWorld) -> None:
    place = world(in_turn(whole()), thinks=assessment(2000), where=catalog())

    client = await place.ask(said=wishes(explain=True, ttft=1.0))

    verdicts = [c["verdict"] for c in orjson.loads(client.body)["gateway"]["candidates"]]
    assert verdicts == ["fits", "first byte after 0.71 s of 1 s (79% sure)", verdicts[2]]


async def test_an_explained_call_is_made_for_itself_alone(world: MakeWorld) -> None:
    place = world(in_turn(whole(), whole(), whole()))

    first = await place.ask(said=EXPLAIN)
    second = await place.ask(said=EXPLAIN)
    plain = await place.ask()

    assert [e.cache for e in place.recorder.calls] == ["bypass", "bypass", "miss"]
    assert first.answer.journey.cache_note == "explained"
    assert b"gateway" in second.body
    assert b"gateway" not in plain.body


def test_before_anything_is_known_nothing_is_made_up() -> None:
    call = make_world(in_turn()).call()

    told = explanation(Journey(call))

    assert (told["tier"], told["score"], told["quality"]) == (None, None, None)
    assert (told["reasons"], told["candidates"], told["signals"]) == ([], [], [])
