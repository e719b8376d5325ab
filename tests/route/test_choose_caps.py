"""Choosing inside the caller's caps, by name, and the laws that hold for every choice."""

import pytest
from hypothesis import given, strategies as st

from gateway.call import Sort
from gateway.catalog import Capability, Tier
from gateway.errors import GatewayError, Infeasible
from gateway.money import FREE, NanoUSD, usd
from gateway.prices import Price
from gateway.route.choose import (
    Policy,
    choose,
    dial_lambda,
    keep_to,
    needs_exact_count,
    taken_by_name,
)
from gateway.route.target import resolve
from tests.fakes import FULL, MINI, assessment, catalog, model, wishes
from tests.route.choosing import CATALOG, EASY, HARD, SPEEDS, chosen


def test_a_cost_cap_lowers_the_tier() -> None:
    choice = chosen(HARD, wishes(max_cost=usd("0.0005"), quality=0.9))

    assert choice.chosen.tier is Tier.MINI
    assert "over the $0.0005 cap" in choice.candidates[2].refused


def test_a_cost_cap_clamps_the_answer_where_that_is_enough() -> None:
    choice = chosen(HARD, wishes(max_cost=usd("0.002")))

    clamp = choice.chosen.max_tokens
    assert choice.chosen.tier is Tier.FULL
    assert clamp is not None
    assert 100 * FULL.price.prompt + clamp * FULL.price.completion <= usd("0.002")


def test_a_cap_that_the_callers_own_limit_already_keeps_needs_no_clamp() -> None:
    seen = assessment(quality=HARD.quality, max_completion=100)

    assert chosen(seen, wishes(max_cost=usd("0.01"))).chosen.max_tokens is None


def test_a_cap_below_the_cheapest_is_refused_with_the_figures() -> None:
    with pytest.raises(Infeasible) as refusal:
        chosen(HARD, wishes(max_cost=NanoUSD(10)))

    assert "nano: expected $" in refusal.value.message


def test_a_free_model_is_under_every_cap() -> None:
    free = catalog({Tier.NANO: model("local", Price(FREE, FREE, FREE))})

    assert chosen(HARD, wishes(max_cost=NanoUSD(0)), among=free).chosen.tier is Tier.NANO
    assert chosen(HARD, among=free).chosen.cost == 0


def test_a_deadline_passes_over_tiers_that_are_too_slow() -> None:
    choice = chosen(HARD, wishes(deadline=1.5))

    assert choice.chosen.tier is Tier.NANO
    assert choice.code == "deadline"
    assert "needs 2 s of 1.5 s" in choice.candidates[2].refused


def test_a_first_byte_deadline_does_too() -> None:
    assert chosen(HARD, wishes(ttft=0.65)).chosen.tier is Tier.MINI


def test_a_maximum_price_passes_over_dearer_models() -> None:
    assert chosen(HARD, wishes(max_price=(NanoUSD(400), None))).chosen.tier is Tier.MINI
    assert chosen(HARD, wishes(max_price=(None, NanoUSD(400)))).chosen.tier is Tier.NANO


def test_a_deadline_nobody_can_keep_is_refused() -> None:
    with pytest.raises(Infeasible):
        chosen(HARD, wishes(deadline=0.01))


def test_floor_is_the_cheapest_acceptable_and_nitro_the_fastest() -> None:
    assert chosen(HARD, name="auto:floor").chosen.tier is Tier.MINI
    assert chosen(EASY, name="auto:floor").chosen.tier is Tier.NANO
    assert chosen(HARD, name="auto:nitro").code == "nitro"
    assert chosen(HARD, wishes(sort=Sort.NITRO)).chosen.tier is Tier.NANO
    assert chosen(assessment(quality=(0.1, 0.2, 0.3)), name="auto:floor").chosen.tier is Tier.FULL


def test_a_pinned_model_is_kept_and_says_so() -> None:
    choice = chosen(HARD, name="gpt-4.1-nano")

    assert (choice.chosen.tier, choice.code) == (Tier.NANO, "pinned")


def test_a_tier_without_a_live_deployment_is_passed_over() -> None:
    said = wishes()
    choice = choose(
        EASY,
        resolve("auto", said, CATALOG),
        said,
        catalog=CATALOG,
        speeds={t: s for t, s in SPEEDS.items() if t is not Tier.NANO},
        policy=Policy(),
    )

    assert choice.chosen.tier is Tier.MINI
    assert choice.candidates[0].refused == "no deployment is up"


def test_naming_a_tier_needs_no_look_at_the_call() -> None:
    choice = taken_by_name(resolve("mini", wishes(), CATALOG), CATALOG)

    assert (choice.chosen.model, choice.code) == (MINI.name, "tier")


def test_a_conversation_is_kept_to_its_tier_where_that_fits() -> None:
    choice = chosen(EASY)

    assert keep_to(choice, Tier.FULL).chosen.tier is Tier.FULL
    assert keep_to(choice, Tier.FULL).code == "sticky"
    assert keep_to(choice, Tier.NANO) is choice
    barred = chosen(assessment(needs=Capability.TOOLS))
    assert keep_to(barred, Tier.NANO) is barred


def test_tokens_are_counted_only_when_a_bound_leaves_a_decision_open() -> None:
    vague = assessment(50_000, bounds=(4_000, 500_000))
    at_the_edge = assessment(1_000_000, bounds=(32_000, 4_000_000))

    assert not needs_exact_count(vague, wishes(), CATALOG)
    assert needs_exact_count(vague, wishes(max_cost=usd("1")), CATALOG)
    assert needs_exact_count(at_the_edge, wishes(), CATALOG)
    assert not needs_exact_count(assessment(5), wishes(max_cost=usd("1")), CATALOG)


def test_the_dials_weight_falls_from_cheapest_to_best() -> None:
    weights = [dial_lambda(d / 10) for d in range(11)]

    assert weights == sorted(weights, reverse=True)
    assert weights[-1] == 0


unit = st.floats(0, 1)
rising = st.tuples(unit, unit, unit).map(sorted).map(tuple)


@given(rising, st.floats(1, 3), unit)
def test_a_harder_call_never_gets_a_smaller_tier(
    quality: tuple[float, float, float], harder: float, dial: float
) -> None:
    nano, mini, full = quality
    said = wishes(quality=dial)
    before = chosen(assessment(quality=quality), said)
    wider = (full - harder * (full - nano), full - harder * (full - mini), full)
    after = chosen(assessment(quality=wider), said)

    assert after.chosen.tier >= before.chosen.tier


@given(rising, unit, unit)
def test_turning_the_dial_up_never_chooses_a_cheaper_tier(
    quality: tuple[float, float, float], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    seen = assessment(quality=quality)

    cheaper = chosen(seen, wishes(quality=low)).chosen
    better = chosen(seen, wishes(quality=high)).chosen

    assert better.cost >= cheaper.cost


@given(
    st.integers(1, 900_000),
    st.integers(1, 32_000),
    st.integers(0, 3_000_000_000),
    rising,
)
def test_a_cost_cap_is_never_broken(
    tokens: int, completion: int, cap: int, quality: tuple[float, float, float]
) -> None:
    seen = assessment(tokens, quality=quality, completion=completion)
    try:
        choice = chosen(seen, wishes(max_cost=NanoUSD(cap)))
    except GatewayError:
        return

    at_most = choice.chosen.max_tokens
    of = CATALOG.models_by_tier[choice.chosen.tier]
    at_most = of.max_output if at_most is None else at_most
    assert tokens * of.price.prompt + at_most * of.price.completion <= cap


@given(rising, unit)
def test_the_same_inputs_give_the_same_choice(
    quality: tuple[float, float, float], dial: float
) -> None:
    seen = assessment(quality=quality)

    assert chosen(seen, wishes(quality=dial)) == chosen(seen, wishes(quality=dial))
