"""What doublings of the cost weigh: the first step by its price, each beyond √2 times as much."""

from math import sqrt

import pytest
from hypothesis import given, strategies as st

from gateway.route.weights import LEAST_STEP, steepness

cost = st.integers(0, 10**12)


def doublings(costs: list[int]) -> list[float]:
    """What each cost counts as beyond the least, in doublings."""
    steep = steepness(costs)
    return [steep * (sqrt(one + 1) - sqrt(min(costs) + 1)) for one in costs]


def test_four_times_the_cost_is_two_doublings() -> None:
    assert doublings([1_000_000, 4_000_000]) == pytest.approx([0.0, 2.0], abs=1e-5)


def test_a_dearer_first_step_counts_its_doublings() -> None:
    assert doublings([1_000_000, 16_000_000])[1] == pytest.approx(4.0, abs=1e-5)


def test_a_doubling_beyond_the_first_step_weighs_root_two_times_the_one_before() -> None:
    four, eight, sixteen = doublings([1_000_000, 4_000_000, 8_000_000, 16_000_000])[1:]

    assert (sixteen - eight) / (eight - four) == pytest.approx(sqrt(2))


def test_nearly_equal_costs_do_not_make_the_next_step_dearer() -> None:
    near, far = doublings([1_000_000, 1_010_000, 5_000_000])[1:]

    assert near < 0.02
    assert far == pytest.approx(doublings([1_000_000, 5_000_000])[1], rel=0.08)
    assert LEAST_STEP == 4.0


@given(cost, st.lists(cost, min_size=1, max_size=4), st.floats(1.1, 100.0))
def test_the_measure_is_the_same_for_short_calls_and_long_ones(
    first: int, others: list[int], times: float
) -> None:
    small = [1_000 + one for one in (first, *others)]
    large = [round((one + 1) * times) - 1 for one in small]

    assert doublings(large) == pytest.approx(doublings(small), rel=0.02, abs=0.02)


@given(st.lists(cost, min_size=1, max_size=5))
def test_more_money_never_weighs_less(costs: list[int]) -> None:
    weighed = doublings(sorted(costs))

    assert weighed == sorted(weighed)
