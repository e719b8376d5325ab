"""What the operator's part of a choice does: weights, sureness, shifts, what is acceptable."""

import pytest

from gateway.catalog import Tier
from gateway.route.choose import Policy
from gateway.route.counterfactual import flips
from tests.fakes import assessment, wishes
from tests.route.choosing import EASY, HARD, chosen

MIDDLING = assessment(quality=(0.6, 0.7, 0.72))


@pytest.mark.parametrize(
    ("policy", "tier"),
    [
        (Policy(), Tier.MINI),
        (Policy(doubling=0.2), Tier.NANO),
        (Policy(doubling=0.001), Tier.FULL),
        (Policy(second=0.5), Tier.NANO),
        (Policy(shifts=(0.1, 0.0, 0.0)), Tier.NANO),
        (Policy(shifts=(0.0, 0.0, 0.25)), Tier.FULL),
    ],
)
def test_what_a_doubling_a_second_and_a_tier_are_worth_moves_the_choice(
    policy: Policy, tier: Tier
) -> None:
    assert chosen(MIDDLING, policy=policy).chosen.tier is tier


def test_the_cheapest_must_be_as_good_as_the_operator_says() -> None:
    assert chosen(HARD, name="auto:floor", policy=Policy(acceptable=0.2)).chosen.tier is Tier.NANO
    assert chosen(HARD, name="auto:floor", policy=Policy(acceptable=0.6)).chosen.tier is Tier.FULL


def test_what_would_change_a_choice_is_told_at_the_operators_own_weights() -> None:
    choice = chosen(EASY, policy=Policy(doubling=0.2))

    (words,) = [one for one in flips(choice) if one.startswith("full")]

    dial = float(words.rsplit(" ", 1)[1])
    again = chosen(EASY, wishes(quality=dial), policy=Policy(doubling=0.2))
    below = chosen(EASY, wishes(quality=dial - 0.01), policy=Policy(doubling=0.2))
    assert (again.chosen.tier, below.chosen.tier is Tier.FULL) == (Tier.FULL, False)
