"""Choosing with what is learnt and left over: lengths, caches, clocks, caps, allowances."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from gateway.call import Assessment, Wishes
from gateway.catalog import Tier
from gateway.errors import GatewayError, Infeasible
from gateway.money import NanoUSD, usd
from gateway.route.choose import Chooser, Policy, Speed
from gateway.route.length import Length
from gateway.route.outlook import Outlook
from gateway.route.reasons import Choice
from gateway.route.target import resolve
from tests.fakes import FULL, MINI, NANO, assessment, catalog, wishes

CATALOG = catalog()
CHOOSER = Chooser(CATALOG, Policy())
SPEEDS = {
    Tier.NANO: Speed(0.4, 0.007, 0.25, 0.15),
    Tier.MINI: Speed(0.6, 0.013, 0.25, 0.15),
    Tier.FULL: Speed(0.7, 0.013, 0.25, 0.15),
}
LENGTH = Length((100.0, 100.0, 100.0), (200.0, 200.0, 200.0), 0.4)
HARD = assessment(quality=(0.3, 0.45, 0.75))
MODELS = (NANO, MINI, FULL)


def chosen(
    seen: Assessment = HARD,
    said: Wishes | None = None,
    *,
    name: str = "auto",
    policy: Policy | None = None,
    **more: Any,
) -> Choice:
    said = said or wishes()
    outlook = Outlook(SPEEDS)._replace(**more)
    chooser = CHOOSER if policy is None else Chooser(CATALOG, policy)
    return chooser.choose(seen, resolve(name, said, CATALOG), said, outlook)


def test_an_answer_costs_and_takes_what_is_expected_of_it() -> None:
    short = chosen(length=Length((10.0, 20.0, 30.0), (20.0, 40.0, 60.0), 0.4))

    tokens = [c.completion for c in short.candidates]
    assert tokens == [10.0, 20.0, 30.0]
    assert [c.cost for c in short.candidates] == [
        100 * m.price.prompt + int(t) * m.price.completion
        for m, t in zip(MODELS, tokens, strict=True)
    ]
    assert short.candidates[2].total == pytest.approx(0.7 + 30 * 0.013)


def test_what_is_cached_costs_a_quarter() -> None:
    seen = assessment(8_000, quality=HARD.quality)
    cold, warm = chosen(seen), chosen(seen, cached=(0, 7_936, 0))

    saved = [a.cost - b.cost for a, b in zip(cold.candidates, warm.candidates, strict=True)]
    assert saved == [0, 7_936 * (MINI.price.prompt - MINI.price.cached), 0]
    assert warm.candidates[1].cached == 7_936
    # What is held counts on no cache.
    assert warm.candidates[1].worst == cold.candidates[1].worst


def test_several_answers_cost_more_and_take_no_longer() -> None:
    seen = assessment(quality=HARD.quality, completion=300, max_completion=600)

    full = chosen(seen, choices=3).candidates[2]

    assert full.total == pytest.approx(0.7 + 100 * 0.013)
    assert full.worst == 100 * FULL.price.prompt + 600 * FULL.price.completion


def test_the_worst_case_is_the_upper_bound_and_every_token() -> None:
    vague = assessment(1_000, bounds=(900, 1_400))
    bounded = assessment(1_000, bounds=(900, 1_400), max_completion=50)

    assert chosen(vague).candidates[0].worst == (
        1_400 * NANO.price.prompt + NANO.max_output * NANO.price.completion
    )
    assert chosen(bounded).candidates[0].worst == (
        1_400 * NANO.price.prompt + 50 * NANO.price.completion
    )


def test_a_deadline_needs_confidence_not_an_average() -> None:
    said = wishes(deadline=2.2, quality=1.0)

    sure = {tier: Speed(ttft, per_token) for tier, (ttft, per_token, _, _) in SPEEDS.items()}
    assert chosen(said=said, speeds=sure).chosen.tier is Tier.FULL
    careful = chosen(said=said, length=LENGTH)
    assert careful.chosen.tier is Tier.NANO
    full = careful.candidates[2]
    assert full.total < 2.2 < full.latest
    assert 0.5 < full.within < 0.95
    assert full.refused.endswith(f"({full.within:.0%} sure)")
    daring = chosen(said=said, length=LENGTH, policy=Policy(confidence=0.5))
    assert daring.chosen.tier is Tier.FULL


def test_where_no_tier_is_sure_the_likeliest_is_tried_while_there_is_hope() -> None:
    said = wishes(deadline=1.1, quality=1.0)
    choice = chosen(said=said, length=LENGTH)

    assert (choice.chosen.tier, choice.code) == (Tier.NANO, "deadline")
    assert choice.chosen.refused == ""
    assert "nano is the likeliest" in choice.reasons[0]
    with pytest.raises(Infeasible, match=r"nano: needs 1\.1 s of 0\.5 s"):
        chosen(said=wishes(deadline=0.5), length=LENGTH)


def test_what_is_late_is_worth_less() -> None:
    """A gain that is smaller than the risk of losing all of it is no gain."""
    seen = assessment(quality=(0.90, 0.90, 0.91))
    said = wishes(deadline=3.6, quality=1.0)

    choice = chosen(seen, said, length=LENGTH)

    assert choice.candidates[2].refused == ""
    assert choice.chosen.tier is Tier.NANO


def test_the_first_byte_has_its_own_confidence() -> None:
    choice = chosen(said=wishes(ttft=0.9, quality=1.0))

    assert choice.chosen.tier is Tier.NANO
    assert choice.candidates[2].refused.startswith("first byte after 0.7 s of 0.9 s")


def test_a_cap_without_clamping_must_hold_the_worst_case() -> None:
    said = wishes(max_cost=usd("0.02"), quality=0.9)
    bounded = assessment(quality=HARD.quality, max_completion=1_000)

    clamped, whole = chosen(said=said), chosen(said=said, clamp=False)

    assert clamped.chosen.tier is Tier.FULL
    assert whole.chosen.tier is Tier.NANO
    assert "up to $" in whole.candidates[2].refused
    assert chosen(bounded, said, clamp=False).chosen.tier is Tier.FULL


def test_a_clamp_is_shared_by_the_answers() -> None:
    said = wishes(max_cost=usd("0.005"), quality=1.0)

    one, four = chosen(said=said), chosen(said=said, choices=4)

    assert one.chosen.max_tokens is not None
    assert four.chosen.max_tokens == one.chosen.max_tokens // 4


def test_little_left_shortens_what_may_be_held_before_it_lowers_the_tier() -> None:
    plenty = chosen(length=LENGTH, left=NanoUSD(10**12))
    some = chosen(length=LENGTH, left=usd("0.02"))
    little = chosen(length=LENGTH, left=usd("0.001"))

    assert plenty.chosen.max_tokens is None
    assert (some.chosen.tier, some.chosen.max_tokens) == (Tier.FULL, 400)
    assert some.chosen.worst <= usd("0.02")
    assert little.chosen.tier is Tier.MINI
    assert little.candidates[2].refused == "over what is left of the allowance"


def test_what_may_not_be_cut_must_fit_whole() -> None:
    uncut = chosen(length=LENGTH, left=usd("0.02"), clamp=False)

    assert uncut.chosen.max_tokens is None
    assert uncut.chosen.tier is Tier.NANO


def test_with_nothing_left_the_ledger_has_the_last_word() -> None:
    choice = chosen(length=LENGTH, left=NanoUSD(0))

    assert (choice.chosen.tier, choice.code) == (Tier.NANO, "allowance")


def test_a_cap_and_an_allowance_both_hold() -> None:
    choice = chosen(said=wishes(max_cost=usd("0.002")), length=LENGTH, left=usd("0.1"))

    assert choice.chosen.max_tokens is not None
    assert choice.chosen.worst <= usd("0.002")


def test_a_price_lowers_dear_calls_with_little_to_gain_first() -> None:
    short, long = assessment(100, quality=HARD.quality), assessment(20_000, quality=HARD.quality)
    price = 3e-8

    assert chosen(short).chosen.tier is chosen(long).chosen.tier is Tier.FULL
    assert chosen(short, price=price).chosen.tier is Tier.FULL
    assert chosen(long, price=price).chosen.tier is Tier.NANO
    assert chosen(short, price=price).price == price


def test_the_choice_shows_its_weights() -> None:
    choice = chosen(said=wishes(quality=0.5))

    assert (choice.cost_weight, choice.time_weight, choice.price) == (0.045, 0.0025, 0.0)
    assert choice.dial == 0.5
    assert chosen(name="mini").dial is None


def test_models_that_are_better_than_those_learnt_from_are_trusted_more() -> None:
    better = chosen(policy=Policy(shifts=(0.4, 0.3, 0.0)))

    assert [c.quality for c in better.candidates] == [0.7, 0.75, 0.75]
    assert better.chosen.tier is Tier.NANO
    beyond = chosen(policy=Policy(shifts=(0.9, -0.9, 0.0)))
    assert [c.quality for c in beyond.candidates] == [1.0, 0.0, 0.75]


caps = st.none() | st.integers(0, 3_000_000_000).map(NanoUSD)


@given(
    st.integers(1, 900_000),
    st.none() | st.integers(1, 40_000),
    st.integers(1, 4),
    caps,
    caps,
    st.booleans(),
)
def test_no_cap_is_broken_in_the_worst_case(
    tokens: int,
    limit: int | None,
    choices: int,
    cap: NanoUSD | None,
    left: NanoUSD | None,
    clamp: bool,
) -> None:
    seen = assessment(tokens, quality=HARD.quality, completion=300, max_completion=limit)
    said = wishes(max_cost=cap, quality=1.0)
    try:
        choice = chosen(seen, said, left=left, clamp=clamp, choices=choices, length=LENGTH)
    except GatewayError:
        return

    best, of = choice.chosen, MODELS[choice.chosen.tier]
    each = of.max_output if best.max_tokens is None else best.max_tokens
    most = min(each * choices, limit if limit is not None else each * choices)
    worst = tokens * of.price.prompt + most * of.price.completion
    if not best.refused:
        assert worst <= best.worst
        assert all(best.worst <= bound for bound in (cap, left) if bound is not None)
        assert clamp or best.max_tokens is None


@given(st.floats(0.0, 30.0), st.floats(0, 1))
def test_no_deadline_is_missed_knowingly(deadline: float, dial: float) -> None:
    try:
        choice = chosen(said=wishes(deadline=deadline, quality=dial), length=LENGTH)
    except Infeasible:
        return

    surest = max(c.within for c in choice.candidates)
    assert choice.chosen.within >= min(0.95, surest)
