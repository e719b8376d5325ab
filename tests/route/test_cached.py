"""What upstreams remember of prompts, as predicted and as billed."""

import pytest
from hypothesis import given, strategies as st

from gateway.catalog import Tier
from gateway.route.cached import COLD, KEPT_SECONDS, Prefixes, Warm, remembered

NOW = 1_795_000_000.0
WARM = (COLD, Warm(5_000, NOW), COLD)


def test_a_prefix_is_remembered_in_steps_and_from_1024_tokens_on() -> None:
    assert remembered(Warm(5_000, NOW), 6_000, NOW) == 4_992
    assert remembered(Warm(5_000, NOW), 2_000, NOW) == 1_920
    assert remembered(Warm(1_024, NOW), 6_000, NOW) == 1_024
    assert remembered(Warm(1_023, NOW), 6_000, NOW) == 0
    assert remembered(Warm(5_000, NOW), 1_000, NOW) == 0


def test_after_ten_idle_minutes_nothing_is_left() -> None:
    assert remembered(Warm(5_000, NOW), 6_000, NOW + KEPT_SECONDS) == 4_992
    assert remembered(Warm(5_000, NOW), 6_000, NOW + KEPT_SECONDS + 1) == 0


def test_a_conversation_is_warm_only_where_it_was() -> None:
    assert Prefixes().predict(6_000, NOW, WARM) == (0, int(0.9 * 4_992), 0)
    assert Prefixes().predict(500, NOW, WARM) == (0, 0, 0)
    assert Prefixes().predict(6_000, NOW) == (0, 0, 0)


def test_how_often_a_prediction_proves_right_is_learnt_per_tier() -> None:
    prefixes = Prefixes()
    for _ in range(200):
        prefixes.learnt(Tier.MINI, prefixes.predict(6_000, NOW, WARM)[1], 0, NOW)

    assert prefixes.predict(6_000, NOW, WARM)[1] < 100
    assert prefixes.predict(6_000, NOW, (WARM[1], COLD, COLD))[0] > 4_000


def test_prompts_that_begin_alike_share_what_the_last_bill_said() -> None:
    prefixes = Prefixes()
    prefixes.learnt(Tier.FULL, 0, 2_048, NOW, "an application")

    assert prefixes.predict(3_000, NOW, beginning="an application")[2] == int(0.9 * 2_048)
    assert prefixes.predict(3_000, NOW, beginning="another") == (0, 0, 0)
    assert prefixes.predict(3_000, NOW + 700, beginning="an application") == (0, 0, 0)


def test_beginnings_are_bounded() -> None:
    prefixes = Prefixes(limit=2)
    for name in ("one", "two", "three"):
        prefixes.learnt(Tier.FULL, 0, 2_048, NOW, name)

    assert prefixes.predict(3_000, NOW, beginning="one") == (0, 0, 0)
    assert prefixes.predict(3_000, NOW, beginning="three")[2] > 0


@pytest.mark.parametrize("billed", [0, 1_000, 10**6])
@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 2_000))
def test_no_more_is_cached_than_was_sent(
    billed: int, tokens: int, prompt: int, idle: float
) -> None:
    prefixes = Prefixes()
    warm = (Warm(tokens, NOW), COLD, COLD)

    for _ in range(3):
        predicted = prefixes.predict(prompt, NOW + idle, warm)[0]
        prefixes.learnt(Tier.NANO, predicted, billed, NOW)

        assert 0 <= predicted <= min(tokens, prompt)
