"""What calls would cost at every price, from the latest of them."""

import pytest
from hypothesis import given, strategies as st

from gateway.route.demand import Demand
from tests.route.dice import dice

COSTS = (50_000, 200_000, 1_000_000)


def spent(menus: list[tuple[list[int], list[float]]], price: float) -> float:
    """What the menus cost in truth if each is chosen from at a price."""
    total = 0
    for costs, worths in menus:
        total += costs[max(range(3), key=lambda n: worths[n] - price * costs[n])]
    return total / len(menus)


def drawn(seed: int, count: int) -> list[tuple[list[int], list[float]]]:
    random = dice(seed)
    found = []
    for _ in range(count):
        size = random.lognormvariate(0, 1)
        worths = [0.5, 0.5 + random.random() * 0.2, 0.6 + random.random() * 0.3]
        found.append(([int(cost * size) for cost in COSTS], worths))
    return found


def test_where_there_is_enough_money_has_no_price() -> None:
    demand = Demand()
    for costs, worths in drawn(1, 50):
        demand.saw(costs, worths)

    assert demand.price_for(10**9) == 0.0
    assert Demand().price_for(1.0) == 0.0


@pytest.mark.parametrize("share", [0.9, 0.6, 0.3, 0.15])
def test_the_price_is_the_one_at_which_calls_cost_what_they_may(share: float) -> None:
    menus = drawn(2, 400)
    demand = Demand()
    for costs, worths in menus:
        demand.saw(costs, worths)
    target = share * spent(menus[-200:], 0.0)

    price = demand.price_for(target)

    assert spent(menus[-200:], price) == pytest.approx(target, rel=0.25)


def test_where_nothing_is_cheap_enough_the_price_is_the_highest() -> None:
    demand = Demand()
    demand.saw(list(COSTS), [0.5, 0.6, 0.7])

    assert demand.price_for(1.0) > 1e-5


def test_what_calls_are_like_now_counts() -> None:
    demand = Demand()
    for _ in range(500):
        demand.saw([100, 200, 300], [0.5, 0.6, 0.7])
    for _ in range(500):
        demand.saw([100_000, 200_000, 300_000], [0.5, 0.6, 0.7])

    assert 1e-8 < demand.price_for(150_000) < 1e-5


def test_a_call_without_a_choice_costs_what_it_costs() -> None:
    demand = Demand()
    demand.saw([500], [0.0])

    assert demand.price_for(500) == 0.0
    assert demand.price_for(499) > 0.0


def test_weights_never_overflow() -> None:
    demand = Demand()
    for _ in range(5_000):
        demand.saw(list(COSTS), [0.5, 0.6, 0.7])

    assert 0.0 < demand.price_for(200_000) < 1e-6


worth = st.floats(-1e7, 1.0)


@given(
    st.lists(st.tuples(st.integers(0, 10**12), worth), min_size=1, max_size=3),
    st.floats(0, 1e12),
)
def test_any_menu_has_a_price(menu: list[tuple[int, float]], target: float) -> None:
    demand = Demand()
    demand.saw([cost for cost, _ in menu], [worth for _, worth in menu])

    assert 0.0 <= demand.price_for(target) < 1e9
