"""How many calls are still to come: by their level now, and by the hours of earlier windows."""

from collections.abc import Callable

import pytest

from gateway.route.arrivals import Arrivals, Trailing
from tests.route.dice import dice

HOUR = 3_600.0
START = 1_795_000_000.0 - 1_795_000_000.0 % HOUR


def window(arrivals: Arrivals, number: int, shares: list[float], *, upto: float = 1.0) -> Arrivals:
    for share in sorted(shares):
        if share <= upto:
            arrivals.came(share, START + (number + 1) * HOUR)
    return arrivals


def evenly(calls: int, seed: int = 1) -> list[float]:
    random = dice(seed)
    return [random.random() for _ in range(calls)]


def at_noon(calls: int, seed: int = 1) -> list[float]:
    random = dice(seed)
    return [min(0.999, max(0.0, random.gauss(0.5, 0.1))) for _ in range(calls)]


def test_nothing_is_foretold_from_nothing() -> None:
    assert Arrivals(HOUR).coming() is None
    assert window(Arrivals(HOUR), 0, evenly(1_000), upto=0.01).coming() is None


def test_the_first_window_goes_on_as_it_began() -> None:
    coming = window(Arrivals(HOUR), 0, evenly(1_000), upto=0.4).coming()

    assert coming == pytest.approx(600, rel=0.2)


def test_the_next_is_expected_to_be_like_it() -> None:
    arrivals = window(Arrivals(HOUR), 0, evenly(1_000))

    coming = window(arrivals, 1, [0.001]).coming()

    assert arrivals.usual == pytest.approx(1_000, rel=0.05)
    assert coming == pytest.approx(1_000, rel=0.1)


def test_hours_are_learnt_from_windows_that_had_them() -> None:
    def coming(upto: float) -> float:
        arrivals = Arrivals(HOUR)
        for number in range(5):
            window(arrivals, number, at_noon(1_000, number))
        return window(arrivals, 5, at_noon(1_000, 9), upto=upto).coming() or 0.0

    assert coming(0.35) == pytest.approx(930, rel=0.25)
    assert coming(0.5) == pytest.approx(500, rel=0.25)
    assert coming(0.8) < 60


def test_hours_that_were_chance_are_not_believed() -> None:
    arrivals = Arrivals(HOUR)
    for number in range(6):
        begin = dice(number).random() * 0.8
        window(arrivals, number, [begin + share * 0.2 for share in evenly(1_000, number)])

    coming = window(arrivals, 6, evenly(1_000, 7), upto=0.5).coming()

    assert coming == pytest.approx(500, rel=0.35)


def test_a_change_of_level_shows_within_a_quarter_of_a_window() -> None:
    arrivals = window(Arrivals(HOUR), 0, evenly(1_000))
    shares = [s for s in evenly(1_000, 2) if s < 0.3] + [
        0.3 + 0.7 * share for share in evenly(2_100, 3)
    ]

    coming = window(arrivals, 1, shares, upto=0.7).coming()

    assert coming == pytest.approx(900, rel=0.25)


def test_a_window_watched_from_its_middle_is_scaled_up() -> None:
    arrivals = window(Arrivals(HOUR), 0, [s for s in evenly(1_000) if s > 0.4])
    window(arrivals, 1, [0.0])

    assert arrivals.usual == pytest.approx(1_000, rel=0.1)


def test_a_glimpse_of_a_window_says_nothing_about_windows() -> None:
    arrivals = window(Arrivals(HOUR), 0, [s for s in evenly(1_000) if s > 0.9])
    window(arrivals, 1, [0.0])

    assert arrivals.usual == 0.0


def test_a_clock_that_steps_back_is_no_new_window() -> None:
    arrivals = window(Arrivals(HOUR), 0, evenly(200), upto=0.5)

    arrivals.came(0.49, START + HOUR)

    assert arrivals.usual == 0.0
    assert arrivals.coming() is not None


def test_at_the_end_one_call_is_always_to_come() -> None:
    assert window(Arrivals(HOUR), 0, [*evenly(1_000), 1.0]).coming() == 1.0


def every(seconds: float, begin: float, end: float) -> list[float]:
    return [begin + n * seconds for n in range(int((end - begin) / seconds))]


def trailing(times: list[float], seen: Callable[[Trailing], None] | None = None) -> Trailing:
    found = Trailing(HOUR)
    for time in times:
        found.came(time)
        if seen is not None:
            seen(found)
    return found


def test_a_rolling_window_expects_what_came_in_the_last_period() -> None:
    found = trailing(every(6.0, START, START + 3 * HOUR))

    assert found.coming(START + 3 * HOUR) == pytest.approx(600, rel=0.06)
    assert found.watched(START + 3 * HOUR) == 1.0


def test_in_its_first_period_it_goes_on_as_it_began() -> None:
    assert Trailing(HOUR).coming(START) is None
    assert trailing([START]).coming(START + 1.0) is None
    assert trailing(every(6.0, START, START + 900)).coming(START + 900) == pytest.approx(600)


def test_a_silence_is_noticed() -> None:
    found = trailing([*every(6.0, START, START + HOUR), START + 5 * HOUR])

    assert found.coming(START + 5 * HOUR) == 1.0
