"""Money is set aside before a call and settled after it, however it ends."""

import pytest

from gateway.call import NO_USAGE
from gateway.catalog import Tier
from gateway.errors import (
    AllowanceSpent,
    ModelNotFound,
    PermissionDenied,
    RateLimited,
    StoreUnavailable,
    UpstreamUnreachable,
)
from gateway.holds import Denial, Limited, Stand, Standing
from gateway.money import FREE, NanoUSD, usd
from gateway.principal import Allowance, HoldPolicy, Level, Outage, Period, Principal
from tests.fakes import assessment
from tests.flow.conftest import MakeWorld
from tests.flow.replies import CLOSING, DONE, OPENING, body, error, in_turn, stream, whole
from tests.flow.scenes import EASY, HARD, World

DAY = Level("key:k", (Allowance(usd("1"), Period.DAY),))
ALICE = Principal(key="k", name="alice", team="t", root="o", tenant="key:k", levels=(DAY,))
SHORT = assessment(quality=(0.3, 0.5, 0.95))._replace(max_completion=100)


def left(remaining: str) -> Denial:
    stand = Stand("key:k", usd("1"), NanoUSD(usd("1") - usd(remaining)), FREE, 0.5, 60.0)
    return Denial("key:k", Limited.ALLOWANCE, 60.0, Standing(allowances=(stand,)))


def prices(place: World, tier: Tier) -> tuple[int, int]:
    price = place.flow.parts.catalog.models_by_tier[tier].price
    return price.prompt, price.completion


async def test_a_call_is_held_at_the_most_it_can_cost_and_settled_at_what_it_did(
    world: MakeWorld,
) -> None:
    place = world(lambda _: whole(), thinks=SHORT)

    await place.ask(principal=ALICE)

    prompt, completion = prices(place, Tier.FULL)
    claim = place.ledger.claims[0]
    assert claim.amount == SHORT.text_bounds[1] * prompt + 100 * completion
    assert (claim.root, claim.levels) == ("o", (DAY,))
    grant, charge = place.ledger.charges[0]
    assert grant is not None
    assert grant.claim is claim
    assert charge.cost == place.recorder.calls[0].cost == 100 * prompt + 20 * completion
    assert charge.account == ("", "t", "k", "gpt-4.1", "full")


async def test_several_choices_are_held_for(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=SHORT)

    await place.ask(principal=ALICE, n=3)

    prompt, completion = prices(place, Tier.FULL)
    assert place.ledger.claims[0].amount == SHORT.text_bounds[1] * prompt + 300 * completion


async def test_a_policy_may_hold_what_is_expected(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=HARD)
    expecting = Principal(key="k", levels=(DAY,), hold=HoldPolicy.EXPECTED)

    await place.ask(principal=expecting)

    claim = place.ledger.claims[0]
    assert claim.amount == claim.expected


async def test_callers_without_limits_are_not_held_but_recorded(world: MakeWorld) -> None:
    place = world(lambda _: whole())

    await place.ask()

    assert place.ledger.claims == []
    ((grant, charge),) = place.ledger.charges
    assert grant is None
    assert charge.cost > 0


async def test_an_answer_is_cut_to_what_the_allowance_has(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=HARD)
    place.ledger.answers.append(left("0.02"))

    client = await place.ask(principal=ALICE)

    sent = place.upstream.requests[0].body
    assert b'"max_completion_tokens":' in sent
    assert place.ledger.claims[1].amount <= usd("0.02")
    assert client.answer.journey.tier is Tier.FULL
    assert "cut to" in client.answer.journey.words()


async def test_a_smaller_tier_answers_where_the_allowance_does_not_hold_the_larger(
    world: MakeWorld,
) -> None:
    place = world(lambda _: whole(), thinks=HARD)
    place.ledger.answers.append(left("0.0002"))

    client = await place.ask(principal=ALICE)

    journey = client.answer.journey
    assert (journey.tier, journey.reason) == (Tier.MINI, "budget")


async def test_a_named_tier_is_not_lowered(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=HARD)
    place.ledger.answers.extend([left("0.000001")] * 4)

    client = await place.ask("full", principal=ALICE)

    assert isinstance(client.error, AllowanceSpent)
    assert "1usd/day" in client.error.message
    assert place.upstream.requests == []
    assert place.ledger.charges == []


async def test_a_quota_refuses_at_once(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=HARD)
    limited = Principal(key="k", levels=(Level("key:k", requests_per_minute=60),))
    place.ledger.answers.append(Denial("key:k", Limited.REQUESTS, 1.0))

    client = await place.ask(principal=limited)

    assert isinstance(client.error, RateLimited)
    assert client.error.retry_after == 1.0
    assert len(place.ledger.claims) == 1


async def test_a_ledger_that_is_down_refuses_where_the_policy_is_closed(world: MakeWorld) -> None:
    place = world(lambda _: whole())
    place.ledger.answers.append(StoreUnavailable("down"))

    client = await place.ask(principal=ALICE)

    assert isinstance(client.error, StoreUnavailable)
    assert place.upstream.requests == []
    assert place.ledger.charges == []


async def test_a_ledger_that_is_down_lets_pass_where_the_policy_is_open(world: MakeWorld) -> None:
    place = world(lambda _: whole())
    place.ledger.answers.append(StoreUnavailable("down"))
    opened = Principal(key="k", levels=(DAY,), outage=Outage.OPEN)

    client = await place.ask(principal=opened)

    grant, charge = place.ledger.charges[0]
    assert client.error is None
    assert grant is not None
    assert not grant.backed
    assert charge.cost > 0


async def test_a_failed_call_gets_its_money_back(world: MakeWorld) -> None:
    place = world(lambda _: UpstreamUnreachable("gone"))

    await place.ask(principal=ALICE)

    grant, charge = place.ledger.charges[0]
    assert grant is not None
    assert (charge.cost, charge.usage) == (FREE, NO_USAGE)


async def test_a_client_that_hangs_up_pays_for_what_it_got(world: MakeWorld) -> None:
    place = world(lambda _: stream(OPENING, CLOSING + DONE), thinks=HARD)

    answer = await place.client(place.call(principal=ALICE, stream=True)).open()
    answer.close(left=True)

    ((grant, charge),) = place.ledger.charges
    assert grant is not None
    assert charge.usage.estimated
    assert 0 < charge.cost <= grant.claim.amount


async def test_no_attempt_is_dearer_than_what_is_held(world: MakeWorld) -> None:
    place = world(in_turn(error(500), whole()), thinks=EASY)

    client = await place.ask(principal=ALICE)

    assert client.answer.status == 500
    assert [r.deployment.model.name for r in place.upstream.requests] == ["gpt-4.1-nano"]


async def test_a_kept_reply_costs_nothing(world: MakeWorld) -> None:
    place = world(in_turn(whole(body())))
    await place.ask(principal=ALICE)

    await place.ask(principal=ALICE)

    grant, charge = place.ledger.charges[1]
    assert grant is None
    assert (charge.cost, charge.usage) == (FREE, NO_USAGE)
    assert charge.saved > 0


async def test_a_tier_that_a_key_may_not_use_is_not_chosen(world: MakeWorld) -> None:
    place = world(lambda _: whole(), thinks=HARD)
    small = Principal(key="k", tiers=frozenset({Tier.NANO, Tier.MINI}))

    routed = await place.ask(principal=small)
    named = await place.ask("full", principal=small)
    pinned = await place.ask("gpt-4.1", principal=small)

    assert routed.answer.journey.tier is Tier.MINI
    assert isinstance(named.error, PermissionDenied)
    assert isinstance(pinned.error, ModelNotFound)


@pytest.mark.parametrize("model", ["full", "gpt-4.1"])
async def test_named_calls_of_limited_keys_are_assessed_and_held(
    world: MakeWorld, model: str
) -> None:
    place = world(lambda _: whole(), thinks=SHORT)

    await place.ask(model, principal=ALICE)

    assert place.ledger.claims[0].amount > 0
