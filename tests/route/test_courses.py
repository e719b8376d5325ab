"""How allowances go, as the metrics tell it: what is left, and whether it will last."""

import pytest

from gateway.call import NO_WISHES
from gateway.holds import Stand, Standing
from gateway.money import FREE, NanoUSD
from gateway.principal import Allowance, Level, Period
from gateway.route.choose import Chooser, Policy
from gateway.route.outlook import Outlook
from gateway.route.pacing import LEAST_OVER, Course, Pacers
from gateway.route.target import ROUTE_FREELY
from tests.fakes import assessment, catalog
from tests.route.test_pacing import HOUR, SPEEDS, START, level

CHOICE = Chooser(catalog(), Policy(0.5)).choose(
    assessment(100), ROUTE_FREELY, NO_WISHES, Outlook(SPEEDS)
)


def course(now: float, *, spent: int, elapsed: float, rolling: bool = False) -> Course:
    """Of an allowance of 1,000 an hour that stood so at its only call."""
    pacers, levels = Pacers(), (level(1_000, rolling=rolling),)
    reset = HOUR * (1 - elapsed) if not rolling else 60.0
    stand = Stand("key:k", NanoUSD(1_000), NanoUSD(spent), FREE, elapsed, reset)
    pacers.noted(levels, CHOICE, Standing(allowances=(stand,)), START, granted=True)
    (found,) = pacers.courses(now)
    return found


def test_half_spent_at_half_time_is_as_planned() -> None:
    level, left, pace = course(START, spent=500, elapsed=0.5)

    assert (level, left) == ("key:k", 500)
    assert pace == pytest.approx(1.0)


def test_time_that_passes_without_calls_counts() -> None:
    assert course(START + HOUR / 4, spent=500, elapsed=0.5).pace == pytest.approx(2 / 3)


def test_the_first_calls_of_a_window_are_no_race() -> None:
    assert course(START, spent=10, elapsed=0.0001).pace == pytest.approx(0.01 / LEAST_OVER)


def test_a_new_window_has_everything_left() -> None:
    assert course(START + HOUR, spent=900, elapsed=0.5) == ("key:k", 1_000, 0.0)


def test_a_rolling_window_is_always_all_over() -> None:
    assert course(START, spent=900, elapsed=1.0, rolling=True).pace == pytest.approx(0.9)


def test_an_allowance_of_nothing_has_no_pace() -> None:
    pacers = Pacers()
    nothing = (Level("team:t", (Allowance(FREE, Period.DAY),)),)
    stand = Stand("team:t", FREE, FREE, FREE, 0.5, 60.0)

    pacers.noted(nothing, CHOICE, Standing(allowances=(stand,)), START, granted=False)

    assert pacers.courses(START) == [("team:t", 0, 0.0)]


def test_nothing_is_told_before_the_first_call() -> None:
    assert Pacers().courses(START) == []
