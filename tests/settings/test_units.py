"""Durations, sizes, prices and lists as people write them."""

import pytest
from hypothesis import given, strategies as st

from gateway.money import NanoUSD
from gateway.settings import units


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("250ms", 0.25),
        ("10s", 10.0),
        (" 5m ", 300.0),
        ("2h", 7200.0),
        ("1.5 s", 1.5),
        ("1d", 86400.0),
        ("7", 7.0),
        (3, 3.0),
        (0.5, 0.5),
        (0, 0.0),
    ],
)
def test_a_duration_is_read_as_seconds(written: object, read: float) -> None:
    assert units.seconds(written) == read


@pytest.mark.parametrize(
    "written", ["", "s", "5 parsecs", "-1s", "1e3s", "1:30", True, None, [], "1s 2s", "١s"]
)
def test_what_is_no_duration_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="250ms"):
        units.seconds(written)


@pytest.mark.parametrize("written", [-1, float("nan"), float("inf"), "31d", 10**9])
def test_a_duration_out_of_bounds_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="30 days"):
        units.seconds(written)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("32MiB", 2**25),
        ("64 kib", 2**16),
        ("1GB", 10**9),
        ("5kB", 5000),
        ("2gib", 2**31),
        ("7", 7),
        ("12B", 12),
        (0, 0),
        (1024, 1024),
    ],
)
def test_a_size_is_read_as_bytes(written: object, read: int) -> None:
    assert units.octets(written) == read


@pytest.mark.parametrize("written", ["", "MiB", "1.5MiB", -1, True, 2.0, None, "1TiB"])
def test_what_is_no_size_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="32MiB"):
        units.octets(written)


@pytest.mark.parametrize(
    ("written", "read"),
    [(2.0, 2000), ("$0.40", 400), (0.025, 25), (0, 0), ("8", 8000), (10_000, 10_000_000)],
)
def test_a_price_is_read_as_nano_dollars_a_token(written: object, read: int) -> None:
    assert units.price(written) == NanoUSD(read)


@pytest.mark.parametrize(
    "written", ["free", -1, "-0.1", 0.0001, float("nan"), "1e99999999", True, None, [1]]
)
def test_what_is_no_price_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="dollars per million"):
        units.price(written)


def test_a_price_per_token_written_as_per_million_is_caught() -> None:
    with pytest.raises(ValueError, match="check the unit"):
        units.price(10_001)


@given(st.integers(0, 30 * 86400 * 1000).map(lambda ms: ms / 1000))
def test_a_spelled_duration_reads_back_as_itself(amount: float) -> None:
    assert units.seconds(units.spell_seconds(amount)) == pytest.approx(amount, rel=1e-5)


@given(st.integers(0, 2**40))
def test_a_spelled_size_reads_back_as_itself(amount: int) -> None:
    assert units.octets(units.spell_octets(amount)) == amount


def test_round_amounts_are_spelled_in_their_largest_unit() -> None:
    assert [units.spell_seconds(s) for s in (600.0, 90.0, 7200.0, 0.25)] == [
        "10m",
        "90s",
        "2h",
        "250ms",
    ]
    assert [units.spell_octets(n) for n in (2**25, 2**16, 1000)] == ["32MiB", "64KiB", "1000"]


def test_a_comma_separated_text_is_a_list() -> None:
    assert units.parted(" a, b ,,c ") == ["a", "b", "c"]
    assert units.parted(["a"]) == ["a"]


def test_yamls_bare_off_is_the_word() -> None:
    assert units.unswitched(False) == "off"
    assert units.unswitched(True) is True
