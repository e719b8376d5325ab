"""What a principal may use, and what becomes of a caller's wishes under its key's."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from gateway.access.permissions import permitted, reach, tightened
from gateway.call import NO_WISHES, Wishes
from gateway.catalog import Tier
from gateway.errors import ModelNotFound, PermissionDenied
from gateway.money import NanoUSD
from gateway.principal import ANYONE, Principal
from tests.fakes import MODELS, catalog

ALL = (Tier.NANO, Tier.MINI, Tier.FULL)
HERE = catalog()


def may(
    principal: Principal,
    tiers: tuple[Tier, ...] = ALL,
    model: str | None = None,
    said: str = "auto",
) -> tuple[Tier, ...]:
    return permitted(principal, tiers, model, requested=said, catalog=HERE)


def allowed(*tiers: Tier, models: frozenset[str] | None = None) -> Principal:
    return Principal(tiers=frozenset(tiers) if tiers else None, models=models)


def test_who_has_no_restrictions_may_use_all_and_nothing_is_made_anew() -> None:
    assert may(ANYONE) is ALL
    assert may(allowed(*ALL)) is ALL


def test_routing_is_kept_to_the_tiers_that_are_allowed() -> None:
    assert may(allowed(Tier.NANO, Tier.FULL)) == (Tier.NANO, Tier.FULL)
    assert may(allowed(models=frozenset({"gpt-4.1-mini"}))) == (Tier.MINI,)
    assert may(allowed(Tier.MINI, Tier.FULL, models=frozenset({"gpt-4.1-mini"}))) == (Tier.MINI,)


def test_a_forbidden_tier_is_denied_and_the_message_says_what_is_allowed() -> None:
    with pytest.raises(PermissionDenied) as denied:
        may(allowed(Tier.NANO, Tier.MINI), (Tier.FULL,), said="full")

    assert denied.value.message == "This key may not use `full`; it may use `nano`, `mini`."
    assert (denied.value.status, denied.value.param) == (403, "model")


def test_who_may_use_nothing_is_told_so() -> None:
    with pytest.raises(PermissionDenied, match="it may use no tier of this gateway"):
        may(Principal(tiers=frozenset()))


def test_a_forbidden_model_is_not_there_in_openais_words() -> None:
    with pytest.raises(ModelNotFound) as missing:
        may(allowed(Tier.NANO), (Tier.FULL,), "gpt-4.1", said="openai/gpt-4.1")

    assert missing.value.message == (
        "The model `openai/gpt-4.1` does not exist or you do not have access to it."
    )
    assert (missing.value.status, missing.value.code) == (404, "model_not_found")


def test_a_long_name_is_not_echoed_at_length() -> None:
    with pytest.raises(ModelNotFound) as missing:
        may(allowed(Tier.NANO), (Tier.FULL,), "x" * 5000, said="x" * 5000)

    assert len(missing.value.message) < 250


SNAPSHOT = "gpt-4.1-2025-04-14"


def test_a_dated_snapshot_goes_with_its_model_and_may_be_allowed_alone() -> None:
    model, only = frozenset({"gpt-4.1"}), frozenset({SNAPSHOT})

    assert may(allowed(models=model), (Tier.FULL,), SNAPSHOT, SNAPSHOT) == (Tier.FULL,)
    assert may(allowed(models=only), (Tier.FULL,), SNAPSHOT, SNAPSHOT) == (Tier.FULL,)
    with pytest.raises(ModelNotFound):
        may(allowed(models=only), (Tier.FULL,), "gpt-4.1", "gpt-4.1")


def test_the_reach_of_a_principal_is_what_can_be_listed_for_it() -> None:
    smaller = catalog({tier: MODELS[tier] for tier in ALL[:2]})

    assert reach(ANYONE, HERE) == ALL
    assert reach(allowed(Tier.FULL, Tier.NANO), HERE) == (Tier.NANO, Tier.FULL)
    assert reach(allowed(models=frozenset({"other"})), HERE) == ()
    assert reach(ANYONE, smaller) == ALL[:2]
    assert permitted(
        allowed(models=frozenset({"gpt-4.1-nano"})), ALL, None, requested="auto", catalog=smaller
    ) == (Tier.NANO,)


# ── wishes ───────────────────────────────────────────────────────────────────
def test_a_key_without_policy_leaves_wishes_as_they_are() -> None:
    said = Wishes(quality=0.3)

    assert tightened(said, ANYONE) is said
    assert tightened(NO_WISHES, ANYONE) is NO_WISHES


def test_a_keys_policy_is_what_a_silent_caller_gets() -> None:
    key = Principal(quality=0.2, max_cost=NanoUSD(50), deadline=9.0)

    assert tightened(NO_WISHES, key) == Wishes(quality=0.2, max_cost=NanoUSD(50), deadline=9.0)


def test_a_caller_may_turn_the_dial_but_only_tighten_the_caps() -> None:
    key = Principal(quality=0.2, max_cost=NanoUSD(50), deadline=9.0)
    tighter = Wishes(quality=0.9, max_cost=NanoUSD(10), deadline=2.0, session="s")
    looser = Wishes(max_cost=NanoUSD(99), deadline=99.0, session="s")

    assert tightened(tighter, key) is tighter
    assert tightened(looser, key) == Wishes(
        quality=0.2, max_cost=NanoUSD(50), deadline=9.0, session="s"
    )


CAPS = st.none() | st.integers(1, 100).map(NanoUSD)


@given(CAPS, CAPS)
def test_the_cap_that_holds_is_never_looser_than_either(
    mine: NanoUSD | None, keys: NanoUSD | None
) -> None:
    said = replace(NO_WISHES, max_cost=mine, session="s")

    found = tightened(said, Principal(max_cost=keys)).max_cost

    assert found == min((cap for cap in (mine, keys) if cap is not None), default=None)
