"""Tracks: slow on noise, quick on a shift, honest about their spread."""

from math import log

import pytest
from hypothesis import given, strategies as st

from gateway.route.track import HIGH_Z, MOST_ERROR, Track, error_of
from tests.route.dice import dice


def followed(track: Track, values: list[float]) -> Track:
    for value in values:
        track.moved(value - track.level)
    return track


def test_a_track_settles_where_the_values_are() -> None:
    random = dice(1)

    track = followed(Track(0.3, 5.0), [random.gauss(1.0, 0.2) for _ in range(200)])

    assert track.level == pytest.approx(1.0, abs=0.15)
    assert track.spread == pytest.approx(0.2, abs=0.1)


def test_a_shift_is_followed_within_a_few_values_and_noise_is_not() -> None:
    track = followed(Track(0.3, 5.0), [0.0] * 50)

    followed(track, [1.6])
    after_one = track.level
    followed(track, [1.6] * 3)

    assert after_one < 0.2
    assert track.level > 1.2


def test_a_lone_outlier_is_forgotten_as_soon() -> None:
    track = followed(Track(0.3, 5.0), [0.0] * 50)

    followed(track, [2.0, 0.0, 0.0, 0.0])

    assert abs(track.level) < 0.15


@pytest.mark.parametrize("heavy", [0.0, 0.1])
def test_one_value_in_twenty_is_above_what_was_promised_whatever_the_shape(heavy: float) -> None:
    random = dice(2)
    track = Track(0.3, 5.0)
    above = 0

    for number in range(4_000):
        value = random.gauss(0.0, 0.3) + (1.0 if random.random() < heavy else 0.0)
        above += number >= 500 and value > track.level + HIGH_Z * track.width * track.spread
        track.moved(value - track.level)

    assert 0.035 < above / 3_500 < 0.075


@given(st.lists(st.floats(-50, 50), max_size=60))
def test_a_track_stays_within_its_bounds(errors: list[float]) -> None:
    track = Track(0.3, 2.0)

    for error in errors:
        track.moved(error)

    assert -2.0 <= track.level <= 2.0
    assert 0.0 < track.spread < 100.0
    assert 0.5 < track.width < 3.0


@given(st.floats(0, 1e300), st.floats(1e-300, 1e300))
def test_an_error_is_the_logarithm_of_a_ratio_within_bounds(seen: float, expected: float) -> None:
    assert -MOST_ERROR <= error_of(seen, expected) <= MOST_ERROR


def test_twice_as_much_is_one_doubling() -> None:
    assert error_of(6.0, 3.0) == pytest.approx(log(2.0))
    assert error_of(0.0, 3.0) == -MOST_ERROR
