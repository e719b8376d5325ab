"""A key's terms, its team's and its organisation's, merged into what it proves."""

import pytest
from hypothesis import given, strategies as st

from gateway.access.directory import NO_ORGANISATION, Directory, Team
from gateway.catalog import Tier
from gateway.money import NanoUSD
from gateway.principal import (
    Allowance,
    CacheScope,
    HoldPolicy,
    KeyRecord,
    Level,
    Outage,
    Period,
    Principal,
    Terms,
)
from tests.access.fakes import made

DAY = (Allowance(NanoUSD(5), Period.DAY),)


def proved(
    key: Terms = Terms(),  # noqa: B008 - terms are immutable
    team: Terms = Terms(),  # noqa: B008
    organisation: Terms = Terms(),  # noqa: B008
) -> Principal:
    directory = Directory({"search": Team("acme", team)}, {"acme": organisation})
    return directory.principal(record(key))


def record(terms: Terms, team: str = "search") -> KeyRecord:
    return made(team=team, terms=terms, expires=2e9)[0]


def test_a_principal_says_who_it_is() -> None:
    found = proved()

    assert (found.name, found.team, found.organisation) == ("search-prod", "search", "acme")
    assert found.key == made()[0].id
    assert found.root == "acme"
    assert found.expires == 2e9


def test_levels_are_those_with_limits_innermost_first() -> None:
    found = proved(
        Terms(allowances=DAY), Terms(quality=0.5), Terms(tokens_per_minute=9, parallel=2)
    )

    assert found.levels == (
        Level(f"key:{found.key}", DAY),
        Level("org:acme", tokens_per_minute=9, parallel=2),
    )
    assert proved(team=Terms(requests_per_minute=1)).levels == (
        Level("team:search", requests_per_minute=1),
    )
    assert proved().levels == ()


NANO, MINI, FULL = Tier.NANO, Tier.MINI, Tier.FULL


def test_tiers_and_models_are_what_every_level_allows() -> None:
    found = proved(
        Terms(tiers=frozenset({NANO, MINI})),
        Terms(tiers=frozenset({MINI, FULL}), models=frozenset({"a", "b"})),
        Terms(models=frozenset({"b", "c"})),
    )

    assert found.tiers == frozenset({MINI})
    assert found.models == frozenset({"b"})
    assert (proved().tiers, proved().models) == (None, None)


def test_caps_are_the_smallest_and_dials_the_innermost() -> None:
    found = proved(
        Terms(max_cost=NanoUSD(9), quality=None, clamp=False, hold=HoldPolicy.EXPECTED),
        Terms(max_cost=NanoUSD(3), quality=0.0, deadline=5.0, hold=HoldPolicy.WORST),
        Terms(quality=1.0, deadline=4.0, outage=Outage.OPEN, clamp=True),
    )

    assert (found.max_cost, found.deadline, found.quality) == (3, 4.0, 0.0)
    assert (found.hold, found.clamp, found.outage) == (HoldPolicy.EXPECTED, False, Outage.OPEN)


def test_what_nobody_says_is_the_safe_thing() -> None:
    found = proved()

    assert (found.hold, found.clamp, found.outage) == (HoldPolicy.WORST, True, Outage.CLOSED)
    assert (found.max_cost, found.deadline, found.quality) == (None, None, None)


@pytest.mark.parametrize(
    ("key", "team", "tenant"),
    [
        (None, None, "key:"),
        (None, CacheScope.TEAM, "team:search"),
        (CacheScope.ORGANISATION, CacheScope.TEAM, "org:acme"),
        (CacheScope.KEY, CacheScope.TEAM, "key:"),
    ],
)
def test_kept_replies_are_shared_as_the_innermost_level_says(
    key: CacheScope | None, team: CacheScope | None, tenant: str
) -> None:
    found = proved(Terms(cache_scope=key), Terms(cache_scope=team))

    assert found.tenant == (f"key:{found.key}" if tenant == "key:" else tenant)


@pytest.mark.parametrize("scope", [CacheScope.TEAM, CacheScope.ORGANISATION])
def test_a_scope_that_a_key_does_not_have_narrows(scope: CacheScope) -> None:
    alone = Directory().principal(record(Terms(cache_scope=scope), team=""))
    teamed = Directory().principal(record(Terms(cache_scope=scope), team="loose"))

    assert alone.tenant == f"key:{alone.key}"
    assert teamed.tenant == "team:loose"


def test_a_team_nobody_described_is_a_label_without_terms() -> None:
    found = Directory({"other": Team(terms=Terms(parallel=1))}).principal(record(Terms()))

    assert (found.team, found.organisation, found.root) == ("search", "", NO_ORGANISATION)
    assert found.levels == ()


def test_a_team_and_an_organisation_can_be_looked_at_without_a_key() -> None:
    limits = Terms(parallel=1)
    directory = Directory({"search": Team("acme", limits)}, {"acme": limits})

    team, organisation = directory.team("search"), directory.organisation("acme")

    assert [level.id for level in team.levels] == ["team:search", "org:acme"]
    assert [level.id for level in organisation.levels] == ["org:acme"]
    assert team.root == organisation.root == "acme"
    assert directory.team("loose").root == NO_ORGANISATION
    assert directory.organisation("").root == NO_ORGANISATION


TERMS = st.builds(
    Terms,
    tiers=st.none() | st.frozensets(st.sampled_from(Tier)),
    max_cost=st.none() | st.integers(1, 9).map(NanoUSD),
    deadline=st.none() | st.floats(1, 9),
    parallel=st.none() | st.integers(1, 9),
)


@given(TERMS, TERMS, TERMS)
def test_no_level_widens_what_another_allows(key: Terms, team: Terms, above: Terms) -> None:
    found = proved(key, team, above)

    for terms in (key, team, above):
        if terms.tiers is not None:
            assert found.tiers is not None
            assert found.tiers <= terms.tiers
        if terms.max_cost is not None:
            assert found.max_cost is not None
            assert found.max_cost <= terms.max_cost
        if terms.deadline is not None:
            assert found.deadline is not None
            assert found.deadline <= terms.deadline
        if terms.parallel is not None:
            assert terms.parallel in [level.parallel for level in found.levels]
