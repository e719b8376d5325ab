"""Kept replies: which are kept, whom they serve, and what they save."""

from typing import Any

import pytest

from gateway.call import CacheWish
from gateway.errors import UpstreamTruncated
from gateway.reuse.policy import Policy
from gateway.store.memory import MemoryCache
from tests.fakes import JSON_HEAD, FakeClock, catalog, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import (
    CLOSING,
    DONE,
    ERROR_FRAME,
    OPENING,
    STREAMED,
    body,
    error,
    in_turn,
    stream,
    usage_frame,
    whole,
)
from tests.flow.scenes import Client, World

COST = 100 * 100 + 20 * 400
OF_ONE_EXCHANGE = (
    (b"x-request-id", b"up_1"),
    (b"openai-processing-ms", b"12"),
    (b"x-ratelimit-remaining-tokens", b"9"),
)
SHORT = wishes(cache=CacheWish(ttl=5.0))


def caching(**said: Any) -> dict[str, Any]:
    return {"said": wishes(cache=CacheWish(**said))}


async def twice(place: World, first: dict[str, Any], second: dict[str, Any]) -> list[Client]:
    return [await place.ask(**first), await place.ask(**second)]


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_second_call_gets_the_same_bytes_for_nothing(
    world: MakeWorld, streaming: bool
) -> None:
    kept = ((b"openai-version", b"2020-10-01"),)
    reply = stream if streaming else whole
    place = world(in_turn(reply(headers=OF_ONE_EXCHANGE + kept)))

    first = await place.ask(stream=streaming)
    place.clock.at += 60
    second = await place.ask(stream=streaming)

    assert second.body == first.body == (STREAMED if streaming else body())
    assert second.answer.stream == first.answer.stream
    names = {name for name, _ in second.answer.headers}
    assert names == {b"content-type", b"openai-version"}
    assert second.answer.status == 200
    ended, paid = place.ended(second), place.ended(first)
    assert (ended.cache, ended.reason, ended.outcome) == ("hit", "cache", "ok")
    assert (ended.cost, ended.saved, ended.usage) == (0, COST, paid.usage)
    assert (ended.tier, ended.model, ended.attempts) == (paid.tier, paid.model, 0)
    assert (ended.score, ended.seconds, ended.ttft) == (paid.score, 0.0, 0.0)


async def test_a_stream_does_not_serve_a_whole_call_nor_the_reverse(world: MakeWorld) -> None:
    place = world(in_turn(stream(), whole()))

    streamed, read = await twice(place, {"stream": True}, {"stream": False})

    assert (streamed.body, read.body) == (STREAMED, body())


async def test_tenants_are_kept_apart(world: MakeWorld) -> None:
    place = world(in_turn(whole(body("for one")), whole(body("for other"))))

    clients = await twice(place, {"tenant": "one"}, {"tenant": "other"})

    assert clients[0].body != clients[1].body


async def test_namespaces_are_kept_apart(world: MakeWorld) -> None:
    place = world(in_turn(whole(), whole()))

    await twice(place, caching(namespace="a"), caching(namespace="b"))

    assert len(place.upstream.requests) == 2


async def test_a_reply_is_kept_as_long_as_the_operator_says(world: MakeWorld) -> None:
    place = world(in_turn(whole(), whole()), cache_ttl=600.0)

    await place.ask()
    place.clock.at += 599
    assert place.ended(await place.ask()).cache == "hit"
    place.clock.at += 1
    assert place.ended(await place.ask()).cache == "miss"


async def test_a_reply_is_kept_as_long_as_its_caller_says(world: MakeWorld) -> None:
    place = world(in_turn(whole(), whole()))

    await place.ask(said=SHORT)
    place.clock.at += 4.9
    assert place.ended(await place.ask()).cache == "hit"
    place.clock.at += 0.1
    assert place.ended(await place.ask()).cache == "miss"


async def test_a_caller_may_refuse_what_is_too_old(world: MakeWorld) -> None:
    place = world(in_turn(whole(), whole()))
    young = caching(max_age=10.0)

    await place.ask()
    place.clock.at += 10
    assert place.ended(await place.ask(**young)).cache == "hit"
    place.clock.at += 0.1
    assert place.ended(await place.ask(**young)).cache == "miss"
    assert place.ended(await place.ask(**young)).cache == "hit"


async def test_no_store_reads_and_keeps_nothing(world: MakeWorld) -> None:
    place = world(in_turn(whole(), whole(), whole()))
    quiet = caching(write=False)

    await twice(place, quiet, quiet)
    await place.ask()
    read = await place.ask(**quiet)

    assert [e.cache for e in place.recorder.calls] == ["miss", "miss", "miss", "hit"]
    assert read.answer.journey.cache_note == "no-store"


async def test_no_cache_does_not_read_but_keeps(world: MakeWorld) -> None:
    place = world(in_turn(whole(body("old")), whole(body("new"))))
    fresh = caching(read=False)

    await twice(place, {}, fresh)
    third = await place.ask()

    assert third.body == body("new")
    assert [e.cache for e in place.recorder.calls] == ["miss", "miss", "hit"]


async def test_neither_reading_nor_writing_is_a_bypass(world: MakeWorld) -> None:
    place = world(in_turn(whole(), whole()))
    nothing = caching(read=False, write=False)

    clients = await twice(place, nothing, nothing)

    assert [place.ended(client).cache for client in clients] == ["bypass", "bypass"]
    assert clients[0].answer.journey.cache_note == "asked"


@pytest.mark.parametrize(
    ("asked", "note"),
    [
        ({"temperature": 0.7}, "temperature"),
        ({"n": 2}, "n"),
        ({"store": True}, "state"),
        ({"web_search_options": {}}, "web_search"),
    ],
)
async def test_a_call_that_wants_variety_or_state_is_always_made(
    world: MakeWorld, asked: dict[str, Any], note: str
) -> None:
    place = world(in_turn(whole(), whole()))

    clients = await twice(place, asked, asked)

    assert [place.ended(client).cache for client in clients] == ["bypass", "bypass"]
    assert clients[1].answer.journey.cache_note == note


async def test_a_caller_may_insist_on_the_cache(world: MakeWorld) -> None:
    place = world(in_turn(whole()), caching=Policy.OFF)
    insisting = {"temperature": 0.7, **caching(force=True)}

    _, second = await twice(place, insisting, insisting)

    assert place.ended(second).cache == "hit"


async def test_an_operator_may_switch_it_off(world: MakeWorld) -> None:
    place = world(in_turn(whole(), whole()), caching=Policy.OFF)

    _, second = await twice(place, {}, {})

    assert (place.ended(second).cache, second.answer.journey.cache_note) == ("bypass", "off")


BAD = {
    "a bad request": lambda: error(400),
    "no such model": lambda: error(404),
    "cut": lambda: stream(OPENING, UpstreamTruncated("cut")),
    "unfinished": lambda: stream(OPENING),
    "unfinished but ended": lambda: stream(OPENING, DONE),
    "broken": lambda: stream(OPENING, b"data: oops\n\n"),
    "an error": lambda: stream(OPENING, ERROR_FRAME),
    "an error behind the end": lambda: stream(OPENING, CLOSING, ERROR_FRAME, DONE),
}


@pytest.mark.parametrize("what", BAD)
async def test_what_is_no_whole_answer_is_not_kept(world: MakeWorld, what: str) -> None:
    place = world(in_turn(BAD[what](), stream()))

    first, second = await twice(place, {"stream": True}, {"stream": True})

    assert first.body != second.body == STREAMED
    assert place.ended(second).cache == "miss"


async def test_a_stream_whose_reader_left_is_not_kept(world: MakeWorld) -> None:
    place = world(in_turn(stream(), stream()))
    leaving = Client(place.flow, place.call(stream=True))

    answer = await leaving.open()
    answer.close(left=True)

    assert place.ended(await place.ask(stream=True)).cache == "miss"


async def test_what_is_larger_than_an_entry_may_be_is_not_kept(world: MakeWorld) -> None:
    def small(clock: FakeClock) -> MemoryCache:
        return MemoryCache(clock, max_bytes=10_000, max_entry=2_000)

    place = world(in_turn(whole(), whole(body("x" * 2000)), whole(body("x" * 2000))), cache=small)

    await twice(place, {"text": "short"}, {"text": "short"})
    await twice(place, {"text": "long"}, {"text": "long"})

    assert [e.cache for e in place.recorder.calls] == ["miss", "hit", "miss", "miss"]


async def test_another_catalog_has_other_answers(world: MakeWorld) -> None:
    clock = FakeClock()
    shared = MemoryCache(clock, max_bytes=1 << 20, max_entry=1 << 20)
    old = world(in_turn(whole()), where=catalog(version="v1"), cache=lambda _: shared)
    new = world(in_turn(whole()), where=catalog(version="v2"), cache=lambda _: shared)

    await old.ask()

    assert new.ended(await new.ask()).cache == "miss"


async def test_names_and_labels_of_a_call_do_not_matter_and_knobs_that_were_dropped_neither(
    world: MakeWorld,
) -> None:
    place = world(in_turn(whole()))
    knob = frozenset({"cache"})

    await Client(place.flow, place.call(user="ada", cache={})).serve(knob)
    second = await Client(place.flow, place.call(user="bob")).serve(knob)

    assert place.ended(second).cache == "hit"
    assert b'"cache"' not in place.upstream.requests[0].body
    assert second.answer.headers == JSON_HEAD


async def test_a_stream_without_an_end_mark_is_kept_as_it_is(world: MakeWorld) -> None:
    place = world(in_turn(stream(OPENING, CLOSING + usage_frame())))

    first, second = await twice(place, {"stream": True}, {"stream": True})

    assert first.body == second.body == OPENING + CLOSING
    assert place.ended(second).cache == "hit"
