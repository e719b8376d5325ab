"""What a requested model name means."""

import pytest

from gateway.call import Sort
from gateway.catalog import Tier
from gateway.errors import InvalidValue, ModelNotFound
from gateway.route.target import ALL_TIERS, resolve
from tests.fakes import NANO, catalog, wishes

CATALOG = catalog()


def test_auto_may_go_anywhere() -> None:
    target = resolve("auto", wishes(), CATALOG)

    assert target.tiers == ALL_TIERS
    assert target.routed
    assert target.model is None


@pytest.mark.parametrize(
    ("name", "sort"),
    [("auto:floor", Sort.FLOOR), ("auto:nitro", Sort.NITRO), ("openrouter/auto", Sort.BALANCED)],
)
def test_auto_may_say_what_it_prefers(name: str, sort: Sort) -> None:
    assert resolve(name, wishes(), CATALOG).sort is sort


def test_a_tier_is_a_role_and_keeps_the_call() -> None:
    target = resolve("mini", wishes(), CATALOG)

    assert target.tiers == (Tier.MINI,)
    assert not target.routed
    assert target.model is None


@pytest.mark.parametrize("name", ["gpt-4.1", "gpt-4.1-2025-04-14", "openai/gpt-4.1"])
def test_a_models_own_name_pins_it_and_is_sent_as_it_is(name: str) -> None:
    target = resolve(name, wishes(), CATALOG)

    assert target.tiers == (Tier.FULL,)
    assert target.model == name.removeprefix("openai/")
    assert not target.routed


def test_a_retired_name_is_routed_afresh() -> None:
    assert resolve("gpt-4o", wishes(), CATALOG).tiers == ALL_TIERS


@pytest.mark.parametrize("name", ["gpt-99", "", "nano2", "gpt-4.1-2025", "AUTO", "x" * 5_000])
def test_an_unknown_name_is_not_found(name: str) -> None:
    with pytest.raises(ModelNotFound) as refusal:
        resolve(name, wishes(), CATALOG)

    assert "does not exist" in refusal.value.message
    assert len(refusal.value.message) < 300


def test_a_tier_that_is_not_configured_is_not_found() -> None:
    with pytest.raises(ModelNotFound):
        resolve("full", wishes(), catalog({Tier.NANO: NANO}))


def test_a_pin_narrows_auto() -> None:
    target = resolve("auto", wishes(tier=Tier.FULL), CATALOG)

    assert target.tiers == (Tier.FULL,)
    assert not target.routed


def test_a_pin_that_contradicts_the_model_is_refused() -> None:
    with pytest.raises(InvalidValue) as refusal:
        resolve("gpt-4.1-nano", wishes(tier=Tier.FULL), CATALOG)

    assert refusal.value.param == "x-gateway-tier"


def test_allowed_models_narrow_the_tiers() -> None:
    allowed = wishes(allowed=("openai/gpt-4.1-*",))

    assert resolve("auto", allowed, CATALOG).tiers == (Tier.NANO, Tier.MINI)


def test_allowing_nothing_we_have_is_refused() -> None:
    with pytest.raises(InvalidValue):
        resolve("auto", wishes(allowed=("claude-*",)), CATALOG)


def test_further_models_are_fallen_back_to_in_order() -> None:
    target = resolve("nano", wishes(models=("nano", "gpt-4.1", "auto")), CATALOG)

    assert [t.tiers for t in target.then] == [(Tier.FULL,), ALL_TIERS]


def test_a_sort_said_elsewhere_counts_unless_the_name_says_one() -> None:
    assert resolve("auto", wishes(sort=Sort.FLOOR), CATALOG).sort is Sort.FLOOR
    assert resolve("auto:nitro", wishes(sort=Sort.FLOOR), CATALOG).sort is Sort.NITRO
