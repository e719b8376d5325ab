"""The latest decisions: what is kept of a call once it is over, and what is not."""

from typing import Any

import orjson
from hypothesis import given, strategies as st

from gateway.call import NO_WISHES, ImageSize
from gateway.errors import Infeasible
from gateway.flow.decisions import Decision, Decisions, Mark
from gateway.flow.explain import row
from gateway.money import usd
from gateway.principal import Principal
from tests.fakes import FULL, MINI, NANO, assessment, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import body, error, in_turn, whole
from tests.flow.scenes import HARD
from tests.observe.events import an_ended

SECRET_TEXT = "the launch code is 0000"


def decision(number: int) -> Decision:
    return Decision(
        an_ended(id=f"req_{number}"), 0.0, "chat", "", Principal(), NO_WISHES, None, None
    )


def ring(calls: int, limit: int = 5) -> Decisions:
    made = Decisions(limit)
    for number in range(calls):
        made.add(decision(number))
    return made


def ids(found: Any) -> list[str]:
    return [one.ended.id for one in found]


def test_the_latest_are_kept_newest_first() -> None:
    made = ring(7, limit=3)

    assert ids(made.newest_first()) == ["req_6", "req_5", "req_4"]
    assert ids(made.newest_first("req_5")) == ["req_4"]
    assert made.find("req_4") == decision(4)


def test_what_is_forgotten_is_not_found_and_has_nothing_before_it() -> None:
    made = ring(7, limit=3)

    assert made.find("req_1") is None
    assert ids(made.newest_first("req_1")) == []


def test_none_are_kept_where_none_are_wanted() -> None:
    made = ring(4, limit=0)

    assert (ids(made.newest_first()), made.count) == ([], 4)
    assert made.since(Mark(), 10) == ((), 4, Mark(4))


@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.integers(0, 20), max_size=8))
def test_a_watcher_gets_every_decision_in_order_or_is_told_how_many_it_missed(
    limit: int, most: int, bursts: list[int]
) -> None:
    made, at, got, missed = Decisions(limit), Mark(), [], 0
    for burst in bursts:
        for _ in range(burst):
            made.add(decision(made.count))
        seen = made.since(at, most)
        at, missed = seen.at, missed + seen.missed
        got += ids(seen.decisions)

    assert len(got) + missed == made.count
    assert got == sorted(got, key=lambda name: int(name[4:]))


async def test_a_finished_call_leaves_its_decision(world: MakeWorld) -> None:
    place = world(in_turn(whole(body())), thinks=HARD)
    who = Principal(name="search-prod", team="search", organisation="acme")

    client = await place.ask(said=wishes(quality=0.9), principal=who)

    kept = place.flow.decisions.find(client.call.id)
    assert kept is not None
    told = row(kept)
    assert (told["key"], told["team"], told["organisation"]) == ("search-prod", "search", "acme")
    assert (told["tier"], told["model"], told["deployment"]) == ("full", FULL.name, FULL.name)
    assert told["reason"] == "quality"
    assert [c["model"] for c in told["candidates"]] == [NANO.name, MINI.name, FULL.name]
    assert told["limits"]["quality"] == 0.9
    assert told["weights"]["dial"] == 0.9
    assert told["actual"]["status"] == 200
    assert told["actual"]["usage"]["prompt"] == 100
    assert told["predicted"]["completion_tokens"] == 100
    assert told["would_change_it"][0].startswith("nano would need")


async def test_no_text_of_a_call_is_kept_after_it(world: MakeWorld) -> None:
    place = world(lambda _: whole(body(SECRET_TEXT)))

    await place.ask(text=SECRET_TEXT, user=SECRET_TEXT, said=wishes(session="the session"))
    await place.ask(SECRET_TEXT, text=SECRET_TEXT)

    told = orjson.dumps([row(kept) for kept in place.flow.decisions.newest_first()]).decode()
    assert told.count('"object":"decision"') == 2
    assert "launch code" not in told
    assert "session" not in told


async def test_a_call_that_chose_its_model_compares_nothing(world: MakeWorld) -> None:
    place = world(in_turn(whole(body())))

    client = await place.ask(MINI.name)

    kept = place.flow.decisions.find(client.call.id)
    assert kept is not None
    told = row(kept)
    assert (told["reason"], told["tier"], told["requested"]) == ("pinned", "mini", MINI.name)
    assert (told["candidates"], told["weights"], told["predicted"]) == ([], None, None)


async def test_a_refused_call_leaves_why(world: MakeWorld) -> None:
    place = world(lambda _: whole(body()))

    client = await place.ask(said=wishes(max_cost=usd("0.0000001")))

    assert isinstance(client.error, Infeasible)
    kept = place.flow.decisions.find(client.call.id)
    assert kept is not None
    told = row(kept)
    assert (told["actual"]["outcome"], told["actual"]["status"]) == ("policy_infeasible", 400)
    assert (told["tier"], told["requested"]) == (None, None)
    assert told["limits"]["max_cost_usd"] == "0.0000001"


async def test_a_failure_on_the_way_is_told(world: MakeWorld) -> None:
    place = world(in_turn(error(500), whole(body())))

    client = await place.ask()

    kept = place.flow.decisions.find(client.call.id)
    assert kept is not None
    told = row(kept)
    assert told["reasons"][0] == "nano was chosen and failed"
    assert told["actual"]["attempts"] == 2


async def test_thousands_of_images_are_not_kept_after_their_call(world: MakeWorld) -> None:
    seen = assessment(images=(ImageSize(0, 0, low=True),) * 2_000)
    place = world(in_turn(whole(body())), thinks=seen)

    client = await place.ask()

    kept = place.flow.decisions.find(client.call.id)
    assert kept is not None
    assert kept.seen is not None
    assert len(kept.seen.images) == 16


async def test_a_deadline_is_kept_or_not_and_a_call_without_one_says_nothing(
    world: MakeWorld,
) -> None:
    place = world(lambda _: whole(body()))

    kept = await place.ask(said=wishes(deadline=100.0, ttft=50.0))
    unlimited = await place.ask(text="Hello")
    refused = await place.ask(said=wishes(deadline=0.001), text="You")

    assert place.ended(kept).in_time is True
    assert place.ended(unlimited).in_time is None
    assert refused.error is not None
    assert place.ended(refused).in_time is None


async def test_an_answer_after_the_deadline_has_not_kept_it(world: MakeWorld) -> None:
    def late(_: object) -> Any:
        place.clock.at += 30.0
        return whole(body())

    place = world(late)

    client = await place.ask(said=wishes(deadline=20.0))

    assert place.ended(client).in_time is False
