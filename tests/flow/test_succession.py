"""What becomes of a tier when its model ends: on the day, and when the server says so."""

import logging
from dataclasses import replace
from datetime import date

import pytest

from gateway.catalog import Catalog, Deployment, Model, Tier
from gateway.observe.metrics import Metrics
from tests.fakes import FULL, MINI, NANO, FakeClock, catalog, deployment, model, price
from tests.flow.conftest import MakeWorld
from tests.flow.replies import body, error, in_turn, whole
from tests.flow.scenes import make_world

# The fake clock's first day.
TODAY = date(2026, 11, 18)
TOMORROW = date(2026, 11, 19)
DAY = 86_400.0
MOVED = "deployment nano goes on with its successor gpt-6-luna"
NEXT = model("gpt-6-luna", price("0.10", "0.01", "0.50"), window=500_000)


def ending(day: date | None, *, then: Model = NEXT, after: Model | None = None) -> Catalog:
    """The default family, its smallest model switched off on a day."""
    first = replace(NANO, shutdown=day)
    last = deployment(after, "nano", instead_of=then.name) if after else None
    second = deployment(then, "nano", successor=last, instead_of=NANO.name)
    nano: Deployment = deployment(first, "nano", successor=second)
    return Catalog(
        {Tier.NANO: (nano,), Tier.MINI: (deployment(MINI),), Tier.FULL: (deployment(FULL),)},
        version="v1",
    )


async def test_a_tier_moves_on_the_day_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    where = ending(TOMORROW)
    here = make_world(in_turn(whole(body()), whole(body()), whole(body())), where=where)
    before = await here.ask(text="1")
    with caplog.at_level(logging.WARNING):
        here.clock.at += DAY
        after = await here.ask(text="1")
        again = await here.ask(text="2")

    assert here.ended(before).model == NANO.name
    assert "in place of" not in before.answer.journey.words()
    assert [here.ended(c).model for c in (after, again)] == [NEXT.name, NEXT.name]
    assert f"{NEXT.name} in place of {NANO.name}" in after.answer.journey.words()
    assert here.ended(after).cost == here.ended(after).usage.cost(NEXT.price)
    assert here.ended(after).cache == "miss"
    assert [r.message for r in caplog.records] == [
        f"gpt-4.1-nano was switched off on {TOMORROW}: {MOVED}"
    ]


async def test_what_ended_before_the_start_moves_at_the_start(world: MakeWorld) -> None:
    ended = replace(NEXT, shutdown=TODAY)
    last = model("gpt-7", price("0.10", "0.01", "0.50"))
    where = ending(date(2026, 10, 23), then=ended, after=last)

    here = world(in_turn(whole(body())), where=where)
    client = await here.ask()

    assert where.models_by_tier[Tier.NANO] is last
    assert where.version == "v1+nano=gpt-7"
    assert here.ended(client).model == "gpt-7"


async def test_a_model_its_server_does_not_know_is_gone(
    world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    missing = error(404, code="model_not_found")
    where = ending(None)
    here = world(in_turn(missing, whole(body()), whole(body())), where=where)
    with caplog.at_level(logging.WARNING):
        met = await here.ask(text="1")
        then = await here.ask(text="2")

    assert (here.ended(met).model, here.ended(met).reason) == (MINI.name, "escalated")
    assert here.ended(then).model == NEXT.name
    assert "gpt-4.1-nano is not known to its server" in caplog.text
    assert [request.deployment.model.name for request in here.upstream.requests] == [
        *(NANO.name, MINI.name, NEXT.name)
    ]


async def test_a_snapshot_that_is_missing_ends_no_model(world: MakeWorld) -> None:
    missing = error(404, code="model_not_found")
    where = ending(None)
    here = world(in_turn(missing), where=where)

    client = await here.ask("gpt-4.1-nano-2025-04-14")

    assert client.answer.status == 404
    assert where.models_by_tier[Tier.NANO].name == NANO.name


async def test_without_a_successor_a_tier_stays(world: MakeWorld) -> None:
    where = catalog()
    here = world(in_turn(error(404, code="model_not_found"), whole(body())), where=where)

    await here.ask()

    assert where.models_by_tier[Tier.NANO] is NANO
    assert where.version == "v1"


async def test_whoever_names_what_ended_gets_its_tier(world: MakeWorld) -> None:
    here = world(in_turn(whole(body())), where=ending(TODAY))

    client = await here.ask(NANO.name)

    assert here.ended(client).model == NEXT.name
    assert here.upstream.requests[0].body.count(b"gpt-6-luna") == 1


async def test_the_metrics_know_both_models_and_the_move() -> None:
    where = ending(TOMORROW)
    metrics = Metrics(where, FakeClock())
    before = metrics.render().decode()
    (nano,) = where.tiers[Tier.NANO]

    where.succeed(nano)
    page = Metrics(where, FakeClock()).render().decode()

    assert 'gateway_model_shutdown_timestamp_seconds{model="gpt-4.1-nano"}' in before
    assert "gateway_model_succeeded{" not in before
    moved = 'deployment="nano",model="gpt-4.1-nano",successor="gpt-6-luna"'
    assert f"gateway_model_succeeded{{{moved}}} 1.0" in page
    assert where.succeed(nano) is None
