"""Allowances, counts and dates as people write them."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from gateway.access import spelling
from gateway.money import NanoUSD
from gateway.principal import Allowance, Period

FIVE = NanoUSD(5_000_000_000)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("5usd/day", Allowance(FIVE, Period.DAY)),
        ("5 USD / day", Allowance(FIVE, Period.DAY)),
        ("$5/day", Allowance(FIVE, Period.DAY)),
        ("5$/day", Allowance(FIVE, Period.DAY)),
        ("usd 5 per day", Allowance(FIVE, Period.DAY)),
        ("5/day", Allowance(FIVE, Period.DAY)),
        ("5.00usd a Day", Allowance(FIVE, Period.DAY)),
        ("5usd/day calendar", Allowance(FIVE, Period.DAY)),
        ("20usd/month rolling", Allowance(NanoUSD(20 * 10**9), Period.MONTH, rolling=True)),
        ("0.000000001usd/minute", Allowance(NanoUSD(1), Period.MINUTE)),
        ("1usd an hour", Allowance(NanoUSD(10**9), Period.HOUR)),
        ("1usd/week", Allowance(NanoUSD(10**9), Period.WEEK)),
    ],
)
def test_an_allowance_is_read_as_money_per_window(written: str, read: Allowance) -> None:
    assert spelling.allowance(written) == read


@pytest.mark.parametrize(
    "written",
    ["", "5usd", "5eur/day", "-5usd/day", "5usd/decade", "0usd/day", "day", "1e3usd/day", "٥/day"],
)
def test_what_is_no_allowance_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="5usd/day"):
        spelling.allowance(written)


def test_an_allowance_beyond_all_reason_is_a_slip() -> None:
    with pytest.raises(ValueError, match="nine million"):
        spelling.allowance("1000000001usd/day")


@given(st.integers(1, spelling.MAX_ALLOWANCE), st.sampled_from(Period), st.booleans())
def test_an_allowance_that_is_written_is_read_as_the_same(
    amount: int, period: Period, rolling: bool
) -> None:
    said = Allowance(NanoUSD(amount), period, rolling)

    assert spelling.allowance(spelling.spell_allowance(said)) == said


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (60, 60),
        ("61", 61),
        ("100k", 100_000),
        ("1.5m", 1_500_000),
        ("2_000", 2_000),
        (" 3 K", 3000),
    ],
)
def test_a_count_is_read_with_its_scale(written: object, read: int) -> None:
    assert spelling.count(written) == read


@pytest.mark.parametrize(
    "written",
    [
        0,
        -1,
        "00",
        "2.5",
        "1.0001k",
        "k",
        "",
        "ten",
        "5\u212a",
        "٥",
        True,
        None,
        1.5,
        10**13,
        "9999999m",
    ],
)
def test_what_is_no_count_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="100k"):
        spelling.count(written)


NOW = 1_795_000_000.0
JANUARY = datetime(2027, 1, 31, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("30d", NOW + 30 * 86_400),
        ("12 h", NOW + 12 * 3_600),
        ("5m", NOW + 300),
        ("2w", NOW + 14 * 86_400),
        ("1y", NOW + 365 * 86_400),
        ("2027-01-31", JANUARY),
        ("2027-01-31T12:00:00Z", JANUARY + 43_200),
        ("2027-01-31T12:00:00+02:00", JANUARY + 36_000),
        (" 2027-01-31 ", JANUARY),
        (date(2027, 1, 31), JANUARY),
        (datetime(2027, 1, 31, 12), JANUARY + 43_200),  # noqa: DTZ001 - without a zone on purpose
        (datetime(2027, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))), JANUARY + 36_000),
        (1_800_000_000, 1_800_000_000.0),
    ],
)
def test_an_end_is_a_time_from_now_or_a_moment(written: object, read: float) -> None:
    assert spelling.expiry(written, NOW) == read


@pytest.mark.parametrize(
    "written", ["", "soon", "30", "2027-13-01", "999999y", True, None, -1, float("nan"), 10**12]
)
def test_what_is_no_end_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="30d"):
        spelling.expiry(written, NOW)


def test_a_moment_has_no_now_to_count_from() -> None:
    assert spelling.moment("2027-01-31") == JANUARY
    with pytest.raises(ValueError, match="2027-01-31T12:00:00Z"):
        spelling.moment("30d")


@given(st.integers(0, int(spelling.LAST_MOMENT) - 1))
def test_a_moment_that_is_written_is_read_as_the_same(seconds: int) -> None:
    assert spelling.moment(spelling.spell_moment(seconds)) == seconds
