from typing import Any

import pytest

from gateway.call import NO_WISHES, Wishes
from gateway.catalog import Tier
from gateway.errors import InvalidValue
from gateway.wire.wishes import parse
from tests.wire.wishing import SDK, wishes_of


def test_a_caller_with_no_wishes_gets_the_one_that_says_so() -> None:
    wishes, stripped = parse(SDK, {"model": "auto", "messages": []})

    assert wishes is NO_WISHES
    assert stripped == frozenset()


@pytest.mark.parametrize(
    ("header", "value", "wishes"),
    [
        ("x-gateway-max-cost-usd", "0.002", {"max_cost": 2_000_000}),
        ("x-gateway-max-cost-usd", "0", {"max_cost": 0}),
        ("x-gateway-max-cost-usd", " $1e-3 ", {"max_cost": 1_000_000}),
        ("x-gateway-deadline-ms", "1500", {"deadline": 1.5}),
        ("x-gateway-deadline-ms", "1", {"deadline": 0.001}),
        ("x-gateway-deadline-ms", "86400000", {"deadline": 86400.0}),
        ("x-gateway-deadline-ttft-ms", "250.5", {"ttft": 0.2505}),
        ("x-gateway-ttft-ms", "250", {"ttft": 0.25}),
        ("x-gateway-quality", "0", {"quality": 0.0}),
        ("x-gateway-quality", "1", {"quality": 1.0}),
        ("x-gateway-quality", " .75 ", {"quality": 0.75}),
        ("x-gateway-tier", "nano", {"tier": Tier.NANO}),
        ("x-gateway-tier", "Full", {"tier": Tier.FULL}),
        ("x-session-id", "a b-c/1", {"session": "a b-c/1"}),
        ("x-gateway-explain", "1", {"explain": True}),
        ("x-gateway-explain", "0", {"explain": False}),
        ("x-stainless-read-timeout", "600", {"patience": 600.0}),
        ("x-stainless-read-timeout", "20.5", {"patience": 20.5}),
        ("x-stainless-timeout", "30", {"patience": 30.0}),
        ("x-litellm-timeout", "12", {"deadline": 12.0}),
    ],
)
def test_each_header_says_one_thing(header: str, value: str, wishes: dict[str, Any]) -> None:
    assert wishes_of((header, value)) == Wishes(**wishes)


@pytest.mark.parametrize(
    "value",
    ["", " ", "nan", "inf", "-inf", "-1", "-0.1", "1e400", "1_0", "0x1", "one", "1,5", "9" * 5000],
)
@pytest.mark.parametrize(
    "header",
    [
        "x-gateway-max-cost-usd",
        "x-gateway-deadline-ms",
        "x-gateway-deadline-ttft-ms",
        "x-gateway-ttft-ms",
        "x-gateway-quality",
        "x-gateway-tier",
        "x-gateway-explain",
        "x-litellm-timeout",
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_name(header: str, value: str) -> None:
    with pytest.raises(InvalidValue, match="it must be") as refusal:
        wishes_of((header, value))

    assert refusal.value.param == header
    assert header in refusal.value.message
    assert len(refusal.value.message) < 200


@pytest.mark.parametrize(
    ("header", "value", "allowed"),
    [
        ("x-gateway-quality", "1.01", "from 0 to 1"),
        ("x-gateway-deadline-ms", "0.9", "from 1 to 86,400,000 milliseconds"),
        ("x-gateway-deadline-ms", "86400001", "from 1 to 86,400,000 milliseconds"),
        ("x-litellm-timeout", "0", "from 0.001 to 86,400 seconds"),
        ("x-gateway-tier", "auto", "nano, mini, full"),
        ("x-gateway-explain", "yes", "0, 1"),
        ("x-gateway-max-cost-usd", "1e14", "dollars"),
        ("x-session-id", "", "1 to 256"),
        ("x-session-id", "x" * 257, "1 to 256"),
        ("x-session-id", "a\x01b", "printable"),
    ],
)
def test_a_refusal_says_what_is_allowed(header: str, value: str, allowed: str) -> None:
    with pytest.raises(InvalidValue, match=allowed):
        wishes_of((header, value))


@pytest.mark.parametrize("value", ["", "nan", "inf", "0", "-1", "None", "1e400", "1e9"])
@pytest.mark.parametrize("header", ["x-stainless-read-timeout", "x-stainless-timeout"])
def test_what_an_sdk_says_by_itself_is_never_refused(header: str, value: str) -> None:
    assert wishes_of((header, value)) is NO_WISHES


def test_of_two_words_for_one_wish_the_more_precise_wins() -> None:
    wishes = wishes_of(
        ("x-gateway-deadline-ms", "1000"),
        ("x-litellm-timeout", "9"),
        ("x-gateway-ttft-ms", "300"),
        ("x-gateway-deadline-ttft-ms", "200"),
        ("x-stainless-timeout", "60"),
        ("x-stainless-read-timeout", "50"),
    )

    assert wishes == Wishes(deadline=1.0, ttft=0.2, patience=50.0)
