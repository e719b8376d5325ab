"""When allowances and quotas run."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from gateway.budget.windows import BUCKETS, SECONDS, rated, remaining, window
from gateway.money import usd
from gateway.principal import Allowance, Period

MOMENTS = st.integers(0, 4_000_000_000).map(float)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def allowance(period: Period, *, rolling: bool = False) -> Allowance:
    return Allowance(usd("1"), period, rolling)


@pytest.mark.parametrize(
    ("period", "moment", "start", "end"),
    [
        (Period.MINUTE, "2026-11-24T10:31:45", "2026-11-24T10:31:00", "2026-11-24T10:32:00"),
        (Period.HOUR, "2026-11-24T10:31:45", "2026-11-24T10:00:00", "2026-11-24T11:00:00"),
        (Period.DAY, "2026-11-24T10:31:45", "2026-11-24T00:00:00", "2026-11-25T00:00:00"),
        (Period.WEEK, "2026-11-29T23:59:59", "2026-11-23T00:00:00", "2026-11-30T00:00:00"),
        (Period.WEEK, "2026-11-30T00:00:00", "2026-11-30T00:00:00", "2026-12-07T00:00:00"),
        (Period.MONTH, "2028-02-29T12:00:00", "2028-02-01T00:00:00", "2028-03-01T00:00:00"),
        (Period.MONTH, "2026-12-31T23:59:59", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
    ],
)
def test_a_calendar_window_starts_and_ends_with_the_calendar(
    period: Period, moment: str, start: str, end: str
) -> None:
    found = window(allowance(period), at(moment))

    assert found.bucket == found.oldest == at(start)
    assert found.reset == at(end) - at(moment)
    assert found.elapsed == (at(moment) - at(start)) / (at(end) - at(start))


@given(MOMENTS, st.sampled_from(Period))
def test_every_instant_lies_in_one_window_that_goes_on_to_its_end(
    now: float, period: Period
) -> None:
    found = window(allowance(period), now)

    assert found.bucket <= now < now + found.reset
    assert 0 <= found.elapsed < 1
    assert window(allowance(period), now + found.reset - 0.5).bucket == found.bucket
    assert window(allowance(period), now + found.reset).bucket > found.bucket


@given(MOMENTS, st.sampled_from(Period), st.floats(0, 0.999))
def test_a_rolling_window_counts_what_is_younger_than_its_period(
    now: float, period: Period, share: float
) -> None:
    spent = window(allowance(period, rolling=True), now).bucket
    step = SECONDS[period] / BUCKETS

    later = window(allowance(period, rolling=True), now + share * (SECONDS[period] - step))
    gone = window(allowance(period, rolling=True), now + SECONDS[period] + step)

    assert spent >= later.oldest
    assert spent < gone.oldest


def test_a_minutes_worth_may_come_at_once_and_then_one_by_one() -> None:
    arrival = 0.0
    for _ in range(60):
        rate = rated(60, 1, arrival, 1_000.0)
        assert rate.wait == 0
        arrival = rate.arrival

    assert rated(60, 1, arrival, 1_000.0).wait == pytest.approx(1.0)
    assert rated(60, 1, arrival, 1_001.0).wait == 0
    assert remaining(60, arrival, 1_000.0) == 0
    assert remaining(60, arrival, 1_030.0) == 30
    assert remaining(60, arrival, 2_000.0) == 60


@given(st.integers(1, 10_000), st.lists(st.floats(0, 30), max_size=60))
def test_no_window_of_a_minute_passes_more_than_twice_the_limit(
    limit: int, pauses: list[float]
) -> None:
    arrival, now, passed = 0.0, 1_000.0, []
    for pause in pauses:
        now += pause
        rate = rated(limit, 1, arrival, now)
        if not rate.wait:
            arrival = rate.arrival
            passed.append(now)

    for moment in passed:
        assert sum(moment <= other < moment + 60 for other in passed) <= 2 * limit
