"""Sound, ways of processing: held at the dearest they may get, charged as the reply says."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.call import Assessment, Counts
from gateway.catalog import Catalog, Tier
from gateway.money import NanoUSD, usd
from gateway.prices import Manner, Price
from gateway.principal import Allowance, Level, Period, Principal
from tests.fakes import JSON_HEAD, FakeReply, assessment, catalog
from tests.flow.conftest import MakeWorld
from tests.flow.scenes import EASY, Client, World

DAY = Level("key:k", (Allowance(usd("1"), Period.DAY),))
ALICE = Principal(key="k", tenant="key:k", root="o", levels=(DAY,))
SHORT = assessment(quality=(0.3, 0.5, 0.95))._replace(max_completion=100)
FULL = catalog().models_by_tier[Tier.FULL].price
SOUND = Price(NanoUSD(40_000), NanoUSD(40_000), NanoUSD(80_000))


def dearer(price: Price) -> Price:
    usual = replace(price, audio=SOUND)
    ways = (("flex", usual.times(500)), ("priority", usual.times(1_750)))
    return replace(usual, services=ways)


def with_ways() -> Catalog:
    plain = catalog()
    tiers = {
        tier: tuple(replace(d, model=replace(d.model, price=dearer(d.model.price))) for d in listed)
        for tier, listed in plain.tiers.items()
    }
    return replace(plain, tiers=tiers)


def answered(service: str | None, **details: Any) -> FakeReply:
    usage = {"prompt_tokens": 100, "completion_tokens": 20, **details}
    said: dict[str, Any] = {"model": "gpt-4.1", "usage": usage}
    if service is not None:
        said["service_tier"] = service
    said["choices"] = [{"index": 0, "message": {"content": "Hi."}, "finish_reason": "stop"}]
    return FakeReply(200, JSON_HEAD, (orjson.dumps(said),))


def place(world: MakeWorld, reply: FakeReply, seen: Assessment) -> World:
    return world(lambda _: reply, thinks=seen, where=with_ways())


@pytest.mark.parametrize(
    ("asked", "held", "said", "charged"),
    [
        ("priority", 1_750, "priority", 1_750),
        ("priority", 1_750, "default", 1_000),
        ("flex", 1_000, "flex", 500),
        ("flex", 1_000, "default", 1_000),
        ("ultrafast", 1_750, "ultrafast", 1_000),
    ],
)
async def test_a_call_is_held_at_the_dearest_and_charged_as_the_reply_says(
    asked: str, held: int, said: str, charged: int, world: MakeWorld
) -> None:
    scene = place(world, answered(said), SHORT._replace(manner=Manner(asked)))

    await scene.ask(principal=ALICE, service_tier=asked)

    most = SHORT.text_bounds[1] * FULL.prompt + 100 * FULL.completion
    cost = 100 * FULL.prompt + 20 * FULL.completion
    assert scene.ledger.claims[0].amount == most * held // 1_000
    assert scene.ledger.charges[0][1].cost == cost * charged // 1_000
    assert f'"service_tier":"{asked}"'.encode() in scene.upstream.requests[0].body


async def test_a_caps_worst_case_is_that_of_the_way_that_is_asked_for(world: MakeWorld) -> None:
    scene = place(world, answered("priority"), SHORT._replace(manner=Manner("priority")))

    client = await scene.ask(principal=ALICE)

    chosen = client.answer.journey.choice
    assert chosen is not None
    assert chosen.chosen.worst == scene.ledger.claims[0].amount


async def test_sound_is_held_and_charged_at_its_own_price(world: MakeWorld) -> None:
    details = {
        "prompt_tokens_details": {"audio_tokens": 60},
        "completion_tokens_details": {"audio_tokens": 15},
    }
    seen = SHORT._replace(manner=Manner(hears=True, speaks=True))
    scene = place(world, answered(None, **details), seen)

    await scene.ask(principal=ALICE)

    assert scene.ledger.claims[0].amount == SHORT.text_bounds[1] * 40_000 + 100 * 80_000
    charge = scene.ledger.charges[0][1]
    text = 40 * FULL.prompt + 5 * FULL.completion
    assert charge.cost == text + 60 * 40_000 + 15 * 80_000
    assert charge.usage.audio == Counts(60, 0, 15)


async def test_a_count_of_ours_is_charged_as_the_call_asked(world: MakeWorld) -> None:
    told = answered(None, completion_tokens=None)
    scene = place(world, told, SHORT._replace(manner=Manner("flex")))

    await scene.ask(principal=ALICE, service_tier="flex")

    charge = scene.ledger.charges[0][1]
    assert charge.usage.estimated
    assert charge.usage.service == "flex"


async def test_a_response_in_the_background_is_charged_what_is_expected_of_it(
    world: MakeWorld,
) -> None:
    said: dict[str, Any] = {"id": "resp_1", "object": "response", "status": "queued"}
    reply = FakeReply(200, JSON_HEAD, (orjson.dumps({**said, "output": [], "model": "gpt-4.1"}),))
    scene = world(lambda _: reply, thinks=EASY)
    call = scene.call(background=True)
    call.api = "responses"

    client = await Client(scene.flow, call).serve()

    ended = scene.ended(client)
    assert ended.usage.estimated
    assert ended.usage.completion == EASY.completion_tokens
