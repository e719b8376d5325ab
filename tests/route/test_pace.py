"""Speeds are learnt, and outliers do not run away with them."""

import pytest
from hypothesis import given, strategies as st

from gateway.catalog import Tier
from gateway.route.pace import MAX_FACTOR, MIN_FACTOR, MOST_RUNNING, PRIORS, Pace


def test_without_calls_the_prior_holds() -> None:
    prior = PRIORS[Tier.MINI]
    pace = Pace(prior)

    assert pace.ttft(0) == prior.ttft
    assert pace.total(1_000, 100) == (
        prior.ttft + 1_000 * prior.per_prompt_token + 100 * prior.per_output_token
    )


def test_a_deployment_twice_as_slow_is_soon_known_to_be() -> None:
    pace = Pace(PRIORS[Tier.NANO])
    before = pace.ttft(500)

    for _ in range(30):
        pace.started(500, before * 2)

    assert 1.9 < pace.ttft(500) / before < 2.1


def test_one_outlier_moves_an_estimate_by_less_than_a_doubling() -> None:
    pace = Pace(PRIORS[Tier.FULL])
    before = pace.ttft(500)

    pace.started(500, 10_000.0)

    assert pace.ttft(500) < 2 * before


def test_a_size_class_without_calls_follows_the_others() -> None:
    pace = Pace(PRIORS[Tier.FULL])
    long_before = pace.ttft(50_000)

    for _ in range(30):
        pace.started(500, 3 * PRIORS[Tier.FULL].ttft)

    assert pace.ttft(50_000) > 2 * long_before


def test_whole_replies_and_token_times_teach_too() -> None:
    pace = Pace(PRIORS[Tier.MINI])
    expected, per_token = pace.total(100, 50), pace.per_output_token()

    for _ in range(40):
        pace.answered(100, 50, expected / 4)
    assert 0.2 < pace.total(100, 50) / expected < 0.3

    for _ in range(40):
        pace.streamed(100, 100 * per_token * 3)
    assert 2.7 < pace.per_output_token() / per_token < 3.3


def test_too_few_tokens_teach_nothing_about_the_time_per_token() -> None:
    pace = Pace(PRIORS[Tier.MINI])
    before = pace.per_output_token()

    pace.streamed(2, 60.0)

    assert pace.per_output_token() == before


@given(
    st.lists(
        st.tuples(st.integers(0, 2_000_000), st.integers(0, 50_000), st.floats(0, 1e6)),
        max_size=50,
    )
)
def test_estimates_stay_positive_and_bounded(seen: list[tuple[int, int, float]]) -> None:
    prior = PRIORS[Tier.FULL]
    pace = Pace(prior)

    for prompt, completion, seconds in seen:
        pace.answered(prompt, completion, seconds)
        pace.started(prompt, seconds)
        pace.streamed(completion, seconds)

    assert MIN_FACTOR * prior.ttft <= pace.ttft(0) <= MAX_FACTOR * prior.ttft
    assert pace.per_output_token() > 0


def settled(level: float = 1.0, *, size: int = 500) -> Pace:
    """A deployment known to be so many times as slow as its prior."""
    pace = Pace(PRIORS[Tier.MINI])
    for _ in range(40):
        pace.started(size, PRIORS[Tier.MINI].ttft * level)
        pace.streamed(100, 100 * PRIORS[Tier.MINI].per_output_token * level)
    return pace


def test_a_sudden_slowness_is_believed_after_a_few_calls() -> None:
    pace = settled()
    before = pace.ttft(500)

    for _ in range(4):
        pace.started(500, before * 5)

    assert pace.ttft(500) > 3 * before


def test_spreads_are_those_of_what_was_seen() -> None:
    even, uneven = Pace(PRIORS[Tier.MINI]), Pace(PRIORS[Tier.MINI])
    for number in range(200):
        even.started(500, 0.6)
        uneven.started(500, 0.6 * (3.0 if number % 2 else 1 / 3))

    assert even.speed(500, 0.0, 0).ttft_spread < 0.15
    assert uneven.speed(500, 0.0, 0).ttft_spread > 0.8


def test_what_is_overdue_counts_before_it_has_ended() -> None:
    pace = settled()
    expected = pace.total(500, 100)
    usual = pace.speed(500, 0.0, 0).ttft
    for began in (0.0, 0.1, 0.2):
        pace.launched(began, expected, 0)

    soon, late = pace.speed(500, 0.5, 3), pace.speed(500, 0.2 + 4 * expected, 3)

    assert soon.ttft == pytest.approx(usual)
    assert late.ttft > 3.5 * usual
    assert late.per_output_token > 3.5 * soon.per_output_token


def test_one_call_that_hangs_says_nothing_of_the_others() -> None:
    pace = settled()
    expected = pace.total(500, 100)
    for began in (0.0, 99.0, 99.1):
        pace.launched(began, expected, 0)

    assert pace.speed(500, 100.0, 3).ttft < 1.1 * pace.ttft(500)
    for began in (0.0, 99.0, 99.1):
        pace.left(began)
    assert pace.speed(500, 500.0, 0).ttft == pace.ttft(500)


def test_a_slow_deployment_that_is_passed_over_is_tried_again() -> None:
    pace = settled(6.0)
    slow = pace.speed(500, 0.0, 0)

    for _ in range(40):
        pace.passed()
    lenient = pace.speed(500, 0.0, 0)
    pace.launched(0.0, 1.0, 0)

    assert lenient.ttft < slow.ttft / 4
    assert lenient.per_output_token < slow.per_output_token / 4
    assert pace.speed(500, 0.0, 1).ttft == pytest.approx(slow.ttft)


def test_a_fast_deployment_that_is_passed_over_is_not_forgotten() -> None:
    pace = settled(0.1)

    for _ in range(40):
        pace.passed()

    assert pace.speed(500, 0.0, 0).ttft == pytest.approx(pace.ttft(500))


def test_a_slow_one_found_slow_again_is_tried_more_rarely() -> None:
    pace = settled(6.0)

    def leniency(calls: int) -> float:
        for _ in range(calls):
            pace.passed()
        return pace.ttft(500) / pace.speed(500, 0.0, 0).ttft

    first = leniency(12)
    pace.launched(0.0, 1.0, 0)
    pace.started(500, PRIORS[Tier.MINI].ttft * 6, began=0.0)
    second = leniency(12)
    pace.launched(1.0, 1.0, 0)
    pace.started(500, PRIORS[Tier.MINI].ttft, began=1.0)
    third = leniency(12)

    assert 1.0 < second < first
    assert third > second


def test_time_alone_makes_lenient_too_and_vague() -> None:
    pace = settled(6.0)
    pace.launched(0.0, 1.0, 0)
    pace.left(0.0)
    pace.passed()

    now, later = pace.speed(500, 0.0, 0), pace.speed(500, 1_200.0, 0)

    assert later.ttft < now.ttft / 3
    assert later.ttft_spread > now.ttft_spread


def test_an_attempt_given_up_says_that_it_would_have_taken_longer() -> None:
    pace = settled()
    before = pace.total(500, 100)

    pace.late(500, 100, before / 2)
    unmoved = pace.total(500, 100)
    for _ in range(4):
        pace.late(500, 100, before * 4)

    assert unmoved == before
    assert pace.total(500, 100) > 2 * before


def test_a_busy_deployment_is_expected_to_be_slower() -> None:
    pace = Pace(PRIORS[Tier.MINI])
    for number in range(2_000):
        load = number % 20
        began = float(number)
        pace.launched(began, 1.0, load)
        pace.started(500, 0.6 * (1 + load) ** 0.5, began=began)
        pace.left(began)

    idle, busy = pace.speed(500, 2_000.0, 0), pace.speed(500, 2_000.0, 19)

    assert busy.ttft / idle.ttft > 1.5


def test_what_is_under_way_is_bounded() -> None:
    pace = Pace(PRIORS[Tier.MINI])

    for number in range(MOST_RUNNING + 10):
        pace.launched(float(number), 1.0, 0)

    assert pace.speed(500, float(MOST_RUNNING), 0).ttft > 0
