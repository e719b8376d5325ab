"""Lengths are learnt, within the caller's limit, and a long answer in twenty is expected."""

from math import exp

import pytest
from hypothesis import given, strategies as st

from gateway.catalog import Capability, Tier
from gateway.route.length import Lengths, shape_of
from tests.fakes import assessment
from tests.route.dice import dice

PLAIN = assessment(300, completion=300)


def taught(seen: object = PLAIN, *, tokens: int = 600, times: int = 60, **more: object) -> Lengths:
    lengths = Lengths()
    for _ in range(times):
        lengths.learnt(seen, more.get("tier", Tier.NANO), tokens, more.get("history"))  # type: ignore[arg-type]  # as the tests give them
    return lengths


def test_without_answers_the_expectation_holds() -> None:
    length = Lengths().predict(PLAIN)

    assert length.expected[0] == pytest.approx(300)
    assert length.high[0] > 2 * length.expected[0]


def test_answers_twice_as_long_are_soon_expected() -> None:
    length = taught().predict(PLAIN)

    assert length.expected[0] == pytest.approx(600, rel=0.15)
    assert length.high[0] < 900


def test_calls_of_another_shape_are_left_as_they_were() -> None:
    lengths = taught(tokens=2_000)
    other = assessment(300, completion=300, needs=Capability.JSON_SCHEMA)

    assert shape_of(other) != shape_of(PLAIN)
    assert lengths.predict(other).expected[1] < 600 < lengths.predict(PLAIN).expected[1]


@pytest.mark.parametrize(
    "other",
    [
        assessment(10_000, completion=300),
        assessment(300, completion=10),
        assessment(300, completion=300, max_completion=1_000),
        assessment(300, completion=300, needs=Capability.TOOLS),
    ],
)
def test_shape_is_prompt_size_expectation_needs_and_limit(other: object) -> None:
    assert shape_of(other) != shape_of(PLAIN)  # type: ignore[arg-type]  # an assessment


def test_a_tier_has_its_own_talkativeness() -> None:
    random = dice(4)
    lengths = Lengths()

    for _ in range(400):
        tier = random.choice(list(Tier))
        lengths.learnt(PLAIN, tier, int(300 * (1.0, 1.0, 1.6)[tier]))

    nano, _, full = lengths.predict(PLAIN).expected
    assert 1.3 < full / nano < 1.9


def test_a_history_repeats_itself() -> None:
    lengths = Lengths()
    for _ in range(30):
        lengths.learnt(PLAIN, Tier.NANO, 60, "terse")
        lengths.learnt(PLAIN, Tier.NANO, 1_500, "chatty")

    terse, chatty = lengths.predict(PLAIN, "terse"), lengths.predict(PLAIN, "chatty")

    assert terse.expected[0] < 90
    assert chatty.expected[0] > 1_000
    assert 150 < lengths.predict(PLAIN, "nobody").expected[0] < 900


def test_histories_are_bounded_and_the_longest_unused_goes_first() -> None:
    lengths = Lengths(limit=2)
    for name in ("one", "two", "one", "three"):
        for _ in range(20):
            lengths.learnt(PLAIN, Tier.NANO, 3_000, name)

    forgotten, kept = lengths.predict(PLAIN, "two"), lengths.predict(PLAIN, "one")

    assert forgotten.expected == lengths.predict(PLAIN).expected
    assert kept.expected != forgotten.expected


def test_an_answer_that_its_limit_cut_says_only_that_it_was_no_shorter() -> None:
    bounded = assessment(300, completion=200, max_completion=200)

    cut = taught(bounded, tokens=200)

    assert cut.predict(bounded).expected[0] == 200
    shorter = taught(bounded, tokens=50)
    assert shorter.predict(bounded).expected[0] < 90


def test_the_mean_and_the_high_quantile_are_right_in_the_long_run() -> None:
    random = dice(5)
    lengths = Lengths()
    expected = actual = above = 0.0

    for number in range(3_000):
        tokens = int(500 * exp(random.gauss(0.0, 0.6)))
        length = lengths.predict(PLAIN)
        if number >= 500:
            expected, actual = expected + length.expected[1], actual + tokens
            above += tokens > length.high[1]
        lengths.learnt(PLAIN, Tier.MINI, tokens)

    assert expected / actual == pytest.approx(1.0, abs=0.08)
    assert 0.03 < above / 2_500 < 0.07


@given(
    st.integers(0, 40_000),
    st.none() | st.integers(1, 40_000),
    st.lists(st.integers(0, 10**6), max_size=20),
)
def test_a_prediction_is_positive_and_within_the_limit(
    prior: int, limit: int | None, answers: list[int]
) -> None:
    seen = assessment(300, completion=prior, max_completion=limit)
    lengths = taught(seen, times=0)
    for tokens in answers:
        lengths.learnt(seen, Tier.FULL, tokens, "a")

    length = lengths.predict(seen, "a")

    assert all(value >= 0 for value in (*length.expected, *length.high))
    if limit is not None:
        assert max(*length.expected, *length.high) <= limit
