"""What is looked at before a tier is chosen, where, and what a conversation keeps."""

import orjson
import pytest

from gateway.catalog import Tier
from gateway.money import NanoUSD
from gateway.ports import Request
from gateway.route.cached import KEPT_SECONDS
from tests.fakes import FULL, MINI, NANO, FakeReply, assessment, catalog, model, price, wishes
from tests.flow.conftest import MakeWorld
from tests.flow.replies import body, in_turn, stream, whole
from tests.flow.scenes import EASY, HARD, MIDDLING

LONG = "x" * 70_000
TALK = wishes(session="talk")


async def test_long_bodies_are_looked_at_beside_the_loop(world: MakeWorld) -> None:
    place = world(in_turn(whole()))

    client = await place.ask(text=LONG)

    assert client.answer.status == 200
    assert place.threaded == ["_key_of", "assess"]


async def test_short_bodies_are_not(world: MakeWorld) -> None:
    place = world(in_turn(whole()))

    await place.ask()

    assert place.threaded == []


@pytest.mark.parametrize("text", ["short", LONG])
async def test_tokens_are_counted_exactly_when_a_cost_cap_hangs_on_them(
    world: MakeWorld, text: str
) -> None:
    unsure = assessment(1000, bounds=(900, 1100))
    place = world(in_turn(whole()), thinks=unsure)

    client = await place.ask(text=text, said=wishes(max_cost=NanoUSD(10**9)))

    assert client.answer.status == 200
    assert place.assessor.counted == 1
    assert place.threaded == (["_key_of", "assess", "count"] if text == LONG else [])


async def test_tokens_are_counted_exactly_when_a_window_hangs_on_them(world: MakeWorld) -> None:
    small = model("small", NANO.price, window=1000)
    where = catalog({Tier.NANO: small, Tier.FULL: FULL})
    unsure = assessment(1050, bounds=(900, 1100), quality=(0.8, 0.8, 0.8))
    place = world(in_turn(whole()), thinks=unsure, where=where)

    await place.ask()

    assert place.assessor.counted == 1
    assert place.upstream.tried() == [FULL.name]


async def test_tokens_are_not_counted_when_nothing_hangs_on_them(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=assessment(1000, bounds=(900, 1100)))

    await place.ask()
    await place.ask(text=LONG)

    assert place.assessor.counted == 0


async def test_a_named_model_is_looked_at_only_when_a_limit_hangs_on_it(world: MakeWorld) -> None:
    place = world(in_turn(whole(), whole(), whole()))

    pinned = place.ended(await place.ask("gpt-4.1-mini-2025-04-14"))
    patient = place.ended(await place.ask("mini", said=wishes(patience=600.0)))
    limited = place.ended(await place.ask("mini", said=wishes(deadline=60.0)))

    assert (pinned.prompt_tokens_estimate, pinned.reason) == (0, "pinned")
    assert (patient.prompt_tokens_estimate, patient.reason) == (0, "tier")
    assert (limited.prompt_tokens_estimate, limited.reason) == (100, "tier")
    sent = [orjson.loads(request.body)["model"] for request in place.upstream.requests]
    assert sent == ["gpt-4.1-mini-2025-04-14", MINI.name, MINI.name]


async def test_a_named_model_keeps_the_clients_very_bytes(world: MakeWorld) -> None:
    place = world(in_turn(whole()))

    client = await place.ask("gpt-4.1")

    assert place.upstream.requests[0].body == client.call.body


async def test_a_retired_name_is_routed(world: MakeWorld) -> None:
    place = world(in_turn(whole()))

    ended = place.ended(await place.ask("gpt-4o-mini"))

    assert (ended.requested, ended.model, ended.reason) == ("gpt-4o-mini", NANO.name, "adequate")


async def test_a_cap_that_leaves_less_shortens_the_answer(world: MakeWorld) -> None:
    place = world(in_turn(whole()))

    await place.ask(said=wishes(max_cost=NanoUSD(100 * 100 + 400 * 1000)))

    assert orjson.loads(place.upstream.requests[0].body)["max_completion_tokens"] == 1000


async def test_a_conversation_keeps_its_tier_and_moves_up_once(world: MakeWorld) -> None:
    place = world(lambda _: whole())
    for turn, thinks in enumerate((EASY, MIDDLING, EASY, HARD)):
        place.assessor.thinks = thinks
        await place.ask(said=TALK, text=str(turn))

    assert place.upstream.tried() == [NANO.name, MINI.name, MINI.name, MINI.name]
    reasons = [ended.reason for ended in place.recorder.calls]
    assert reasons == ["adequate", "quality", "sticky", "sticky"]


async def test_a_conversation_is_its_tenants_own_and_ends(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=HARD)
    await place.ask(said=TALK, tenant="one")
    place.assessor.thinks = EASY

    await place.ask(said=TALK, tenant="two", text="2")
    await place.ask(said=TALK, tenant="one", text="3")
    place.clock.at += KEPT_SECONDS + 1
    await place.ask(said=TALK, tenant="one", text="4")

    assert place.upstream.tried() == [FULL.name, NANO.name, FULL.name, NANO.name]


async def test_a_conversation_does_not_hold_a_named_model(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=HARD)

    await place.ask(said=TALK)
    await place.ask("nano", said=TALK)

    assert place.upstream.tried() == [FULL.name, NANO.name]


async def test_a_conversation_leaves_a_tier_that_is_down(world: MakeWorld) -> None:
    limited = FakeReply(429, ((b"retry-after", b"30"),), (b"",))
    place = world(in_turn(whole(), limited, whole(), whole()), thinks=MIDDLING)

    for turn in range(3):
        await place.ask(said=TALK, text=str(turn))

    assert place.upstream.tried() == [MINI.name, MINI.name, FULL.name, FULL.name]


async def test_the_fastest_is_learnt_from_what_was_seen(world: MakeWorld) -> None:
    def answering(request: Request) -> FakeReply:
        nano = request.deployment.name == NANO.name
        place.clock.at += 30.0 if nano else 0.1
        good = body(usage=(100, 100))
        return stream() if request.stream else whole(good)

    place = world(answering)
    for n in range(12):
        await place.ask("nano", text=str(n), stream=bool(n % 2))
        await place.ask("full", text=str(n), stream=bool(n % 2))

    await place.ask("auto:nitro")

    assert place.upstream.tried()[-1] == FULL.name


async def test_a_free_tier_costs_nothing_and_saves_all(world: MakeWorld) -> None:
    free = model("local", price("0", "0", "0"))
    place = world(in_turn(whole()), where=catalog({Tier.NANO: free, Tier.FULL: FULL}))

    client = await place.ask()

    journey = client.answer.journey
    assert (journey.cost, journey.saved) == (0, 100 * 2000 + 20 * 8000)
