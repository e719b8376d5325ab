"""The chance to be in time."""

from math import exp, log

import pytest
from hypothesis import given, strategies as st

from gateway.route.latency import Speed, first, spread_of, total
from gateway.route.track import HIGH_Z
from tests.route.dice import dice

SPEED = Speed(0.5, 0.012, 0.3, 0.2)


def test_what_is_certain_is_in_time_or_not() -> None:
    sure = total(Speed(0.5, 0.01), 100.0, 0.0)

    assert sure.within(1.51) == 1.0
    assert sure.within(1.49) == 0.0
    assert sure.within(0.0) == sure.within(-1.0) == 0.0
    assert first(Speed(0.5, 0.01)).within(0.51) == 1.0
    assert first(Speed(0.5, 0.01)).within(0.49) == 0.0


def test_what_takes_no_time_is_in_time() -> None:
    assert total(Speed(0.0, 0.0), 100.0, 0.5).within(0.001) == 1.0
    assert first(Speed(0.0, 0.0, 0.3)).within(0.001) == 1.0


def test_the_median_of_the_first_byte_is_even_odds() -> None:
    assert first(SPEED).within(0.5) == pytest.approx(0.5)
    assert first(SPEED).within(0.5 * exp(HIGH_Z * 0.3)) == pytest.approx(0.95, abs=0.001)


@pytest.mark.parametrize("spread", [0.0, 0.4, 0.8])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_the_chance_is_what_drawing_gives(spread: float, share: float) -> None:
    random = dice(3)
    drawn = sorted(
        0.5 * random.lognormvariate(0, 0.3)
        + 200 * random.lognormvariate(0, spread) * 0.012 * random.lognormvariate(0, 0.2)
        for _ in range(4_000)
    )
    limit = drawn[int(share * 4_000)]

    assert total(SPEED, 200.0, spread).within(limit) == pytest.approx(share, abs=0.03)


def test_the_time_at_most_is_kept_by_nineteen_of_twenty() -> None:
    whole = total(SPEED, 200.0, 0.5)

    assert whole.within(whole.high()) == pytest.approx(0.95, abs=0.001)


def test_a_spread_is_read_from_a_high_quantile() -> None:
    assert spread_of(100.0, 100.0 * exp(HIGH_Z * 0.4)) == pytest.approx(0.4)
    assert spread_of(100.0, 90.0) == 0.0
    assert spread_of(0.0, 90.0) == 0.0


sizes = st.floats(0.0, 1e7)
spreads = st.floats(0.0, 5.0)


@given(sizes, sizes, spreads, spreads, spreads, sizes)
def test_a_later_deadline_is_never_less_likely_kept(
    ttft: float, per_token: float, one: float, other: float, spread: float, limit: float
) -> None:
    whole = total(Speed(ttft, per_token, one, other), 100.0, spread)

    chances = [whole.within(limit), whole.within(limit * 2 + 1.0)]

    assert 0.0 <= chances[0] <= chances[1] <= 1.0
    assert log(whole.high() + 1.0) >= 0.0
