"""Limits in OpenAI's headers and words."""

import re

import pytest
from hypothesis import given, strategies as st

from gateway.access.limits import quota_fields, refusal, retry_fields, spell_wait
from gateway.errors import AllowanceSpent
from gateway.holds import Claim, Denial, Limited, Meter, Stand, Standing
from gateway.money import NanoUSD, usd
from gateway.principal import Allowance, Level, Period

LEVEL = Level(
    "team:search",
    (Allowance(usd("5"), Period.DAY), Allowance(usd("20"), Period.MONTH, rolling=True)),
    requests_per_minute=60,
    tokens_per_minute=100_000,
    parallel=4,
)
CLAIM = Claim("c1", "acme", (Level("key:abcdefghij"), LEVEL), usd("0.03"), usd("0.01"), 2_000)


@pytest.mark.parametrize(
    ("seconds", "spelt"),
    [
        (0.0, "0s"),
        (0.12, "120ms"),
        (0.0001, "1ms"),
        (0.9995, "1s"),
        (1.0, "1s"),
        (8.64, "8.64s"),
        (59.999, "59.999s"),
        (60.0, "1m0s"),
        (360.0, "6m0s"),
        (72.5, "1m12.5s"),
        (3_600.0, "1h0m0s"),
        (86_400.0, "24h0m0s"),
        (-1.0, "0s"),
    ],
)
def test_a_wait_is_spelt_as_openai_spells_it(seconds: float, spelt: str) -> None:
    assert spell_wait(seconds) == spelt


SPELT = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s|(\d+)ms)")


@given(st.floats(0, 1e6))
def test_a_wait_is_never_spelt_shorter_than_it_is(seconds: float) -> None:
    found = SPELT.fullmatch(spell_wait(seconds))

    assert found is not None
    hours, minutes, whole, ms = (float(part or 0) for part in found.groups())
    read = hours * 3_600 + minutes * 60 + whole + ms / 1_000
    assert seconds - 1e-5 <= read <= seconds + 0.002


def test_quotas_are_told_in_six_fields() -> None:
    standing = Standing(Meter(60, 59, 1.0), Meter(100_000, 98_000, 360.0))

    assert quota_fields(standing) == (
        b"x-ratelimit-limit-requests: 60\r\n"
        b"x-ratelimit-remaining-requests: 59\r\n"
        b"x-ratelimit-reset-requests: 1s\r\n"
        b"x-ratelimit-limit-tokens: 100000\r\n"
        b"x-ratelimit-remaining-tokens: 98000\r\n"
        b"x-ratelimit-reset-tokens: 6m0s\r\n"
    )


def test_quotas_that_nobody_has_are_not_told() -> None:
    assert quota_fields(Standing()) == b""
    assert quota_fields(Standing(tokens=Meter(1, 1, 0))).count(b"\r\n") == 3


@pytest.mark.parametrize(
    ("seconds", "fields"),
    [
        (0.12, b"retry-after: 1\r\nretry-after-ms: 120\r\n"),
        (1.0, b"retry-after: 1\r\nretry-after-ms: 1000\r\n"),
        (1.001, b"retry-after: 2\r\nretry-after-ms: 1001\r\n"),
        (0.0, b"retry-after: 1\r\nretry-after-ms: 1\r\n"),
    ],
)
def test_when_to_come_back_is_told_in_seconds_and_milliseconds(
    seconds: float, fields: bytes
) -> None:
    assert retry_fields(seconds) == fields


@pytest.mark.parametrize(
    ("limited", "standing", "kind", "words"),
    [
        (
            Limited.REQUESTS,
            Standing(requests=Meter(60, 0, 60.0)),
            "requests",
            "requests per min (RPM): Limit 60, Used 60, Requested 1.",
        ),
        (
            Limited.TOKENS,
            Standing(tokens=Meter(100_000, 500, 60.0)),
            "tokens",
            "tokens per min (TPM): Limit 100000, Used 99500, Requested 2000.",
        ),
        (
            Limited.TOKENS,
            Standing(tokens=Meter(7, 7, 60.0)),
            "tokens",
            "tokens per min (TPM): Limit 100000, Used 100000, Requested 2000.",
        ),
        (
            Limited.PARALLEL,
            Standing(requests=Meter(4, 1, 1.0)),
            "requests",
            "parallel requests: Limit 4, Used 4, Requested 1.",
        ),
    ],
)
def test_a_used_up_quota_is_told_in_openais_words(
    limited: Limited, standing: Standing, kind: str, words: str
) -> None:
    error = refusal(Denial("team:search", limited, 1.0, standing), CLAIM, "gpt-4.1")

    start = "Rate limit reached for gpt-4.1 in team search on "
    assert error.message == f"{start}{words} Please try again in 1s."
    assert (error.status, error.type, error.code) == (429, kind, "rate_limit_exceeded")
    assert error.retry_after == 1.0
    assert error.retry is None


def test_a_call_over_the_whole_quota_is_not_to_be_tried_again() -> None:
    error = refusal(Denial("team:search", Limited.TOKENS, None), CLAIM, "auto")

    assert error.message == (
        "Request too large for auto in team search on tokens per min (TPM): Limit 100000, "
        "Requested 2000. The input or output tokens must be reduced in order to run successfully."
    )
    assert (error.status, error.type, error.code) == (429, "tokens", "rate_limit_exceeded")
    assert (error.retry, error.retry_after) == (False, None)


def stand(amount: str, settled: str, held: str = "0") -> Stand:
    return Stand("team:search", usd(amount), usd(settled), usd(held), 0.5, 21_600.0)


def test_a_spent_allowance_is_told_with_its_figures() -> None:
    standing = Standing(allowances=(stand("5", "4.98", "0.01"), stand("20", "6")))

    error = refusal(Denial("team:search", Limited.ALLOWANCE, 21_600.0, standing), CLAIM, "auto")

    assert isinstance(error, AllowanceSpent)
    assert error.message == (
        "You exceeded your current quota, please check the allowance of team search: this call may "
        "cost $0.03, and of 5usd/day there are $4.98 spent and $0.01 set aside for calls under "
        "way. Please try again in 6h0m0s."
    )
    assert (error.status, error.type, error.code) == (429, *["insufficient_quota"] * 2)
    assert (error.retry, error.retry_after) == (False, 21_600.0)


def test_the_allowance_with_the_least_left_is_the_one_that_is_told() -> None:
    standing = Standing(allowances=(stand("5", "4.99"), stand("20", "20")))

    error = refusal(Denial("team:search", Limited.ALLOWANCE, None, standing), CLAIM, "auto")

    assert error.message.endswith("of 20usd/month rolling there are $20 spent.")


@pytest.mark.parametrize("stands", [(), (stand("7", "7"),)])
def test_a_spent_allowance_is_told_without_figures_that_are_not_known(
    stands: tuple[Stand, ...],
) -> None:
    denial = Denial("team:search", Limited.ALLOWANCE, None, Standing(allowances=stands))

    error = refusal(denial, CLAIM, "auto")

    assert "this call may cost $0.03" in error.message
    assert "usd/" not in error.message


def test_keys_and_organisations_are_named_as_such() -> None:
    levels = (Level("key:abc", requests_per_minute=1), Level("org:acme", parallel=1))
    claim = Claim("c", "acme", levels, NanoUSD(1), NanoUSD(1), 1)

    key = refusal(Denial("key:abc", Limited.REQUESTS, 1.0), claim, "auto")
    organisation = refusal(Denial("org:acme", Limited.PARALLEL, 1.0), claim, "auto")

    assert "in key abc on" in key.message
    assert "in organization acme on" in organisation.message
