"""Deciding recent calls again with another dial."""

import pytest
from hypothesis import given, strategies as st

from gateway.catalog import Tier
from gateway.route.choose import Policy, keep_to
from gateway.route.whatif import at_dial, at_dials, sums
from tests.fakes import assessment, wishes
from tests.route.choosing import EASY, HARD, chosen

unit = st.floats(0, 1)
rising = st.tuples(unit, unit, unit).map(sorted).map(tuple)


@given(rising, unit, unit)
def test_it_is_what_the_dial_would_have_chosen(
    quality: tuple[float, float, float], was: float, would: float
) -> None:
    seen = assessment(quality=quality)

    again = at_dial(chosen(seen, wishes(quality=was)), would)

    assert again == chosen(seen, wishes(quality=would)).chosen


def test_what_was_not_weighed_stays() -> None:
    named = chosen(HARD, name="gpt-4.1-nano")
    kept = keep_to(chosen(EASY), Tier.FULL)

    assert at_dial(named, 1.0).tier is Tier.NANO
    assert at_dial(kept, 0.0).tier is Tier.FULL


def test_the_sums_are_those_of_the_calls() -> None:
    easy, hard = chosen(EASY), chosen(HARD)

    found = sums([easy.chosen, hard.chosen])

    assert sum(found.tiers) == 2
    assert found.cost == easy.chosen.cost + hard.chosen.cost
    assert found.quality == pytest.approx((easy.chosen.quality + hard.chosen.quality) / 2)
    assert sums([]).tiers == (0, 0, 0)


def test_a_higher_dial_costs_no_less() -> None:
    found = at_dials([chosen(EASY), chosen(HARD)], [n / 10 for n in range(11)])
    costs = [there.cost for _, there in found]

    assert costs == sorted(costs)
    assert found[0][1].tiers == (2, 0, 0)


def test_another_dial_is_weighed_at_the_operators_own_weight() -> None:
    policy = Policy(doubling=0.2)

    again = at_dial(chosen(HARD, wishes(quality=0.1), policy=policy), 0.7)

    assert again == chosen(HARD, wishes(quality=0.7), policy=policy).chosen
    assert again != chosen(HARD, wishes(quality=0.7)).chosen
