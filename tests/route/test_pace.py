"""Speeds are learnt, and outliers do not run away with them."""

from hypothesis import given, strategies as st

from gateway.catalog import Tier
from gateway.route.pace import MAX_FACTOR, MIN_FACTOR, PRIORS, Pace


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
