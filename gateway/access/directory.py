"""What a key proves: the terms of its key, its team and its organisation, merged.

| term | merged how |
|---|---|
| allowances, quotas | not at all: each level keeps its own, and a call must pass them all |
| tiers, models | what every level allows |
| max cost, deadline | the smallest |
| quality, hold, clamp, outage, cache scope | the innermost level that says something |

A team or an organisation nobody described is a label without terms: records still tell its spend.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gateway.money import NanoUSD
from gateway.principal import (
    CacheScope,
    HoldPolicy,
    KeyRecord,
    Level,
    Outage,
    Principal,
    Terms,
)

# Below this root the ledger keeps all who belong to no organisation; no organisation can be called
# so, as names start with a letter or digit.
NO_ORGANISATION = "-"

T = TypeVar("T")
N = TypeVar("N", NanoUSD, float)
NO_TERMS = Terms()

Rank = tuple[str, Terms]
"""A level's id and terms; lists of them have the innermost first."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team as it is configured; `organisation` may be empty."""

    organisation: str = ""
    terms: Terms = NO_TERMS


NO_TEAM = Team()


@dataclass(frozen=True, slots=True)
class Directory:
    """The teams and organisations there are, by name."""

    teams: Mapping[str, Team] = field(default_factory=dict)
    organisations: Mapping[str, Terms] = field(default_factory=dict)

    def principal(self, record: KeyRecord) -> Principal:
        """What a key proves; whether it still may is asked elsewhere."""
        organisation = self.teams.get(record.team, NO_TEAM).organisation
        ranks = [(f"key:{record.id}", record.terms), *self._above(record.team, organisation)]
        scope = _first(terms.cache_scope for _, terms in ranks) or CacheScope.KEY
        bare = Principal(
            key=record.id,
            name=record.name,
            team=record.team,
            organisation=organisation,
            root=organisation or NO_ORGANISATION,
            tenant=_tenant(scope, record, organisation),
            expires=record.expires,
        )
        return _merged(ranks, bare)

    def team(self, name: str) -> Principal:
        """What all keys of a team have in common."""
        organisation = self.teams.get(name, NO_TEAM).organisation
        bare = Principal(
            team=name,
            organisation=organisation,
            root=organisation or NO_ORGANISATION,
            tenant=f"team:{name}",
        )
        return _merged(self._above(name, organisation), bare)

    def organisation(self, name: str) -> Principal:
        """What all keys of an organisation have in common."""
        bare = Principal(organisation=name, root=name or NO_ORGANISATION, tenant=f"org:{name}")
        return _merged(self._above("", name), bare)

    def _above(self, team: str, organisation: str) -> list[Rank]:
        ranks: list[Rank] = []
        if team:
            ranks.append((f"team:{team}", self.teams.get(team, NO_TEAM).terms))
        if organisation:
            ranks.append((f"org:{organisation}", self.organisations.get(organisation, NO_TERMS)))
        return ranks


def _merged(ranks: list[Rank], bare: Principal) -> Principal:
    said = [terms for _, terms in ranks]
    return replace(
        bare,
        levels=tuple(_level(rank) for rank in ranks if _is_limited(rank[1])),
        tiers=_common(terms.tiers for terms in said),
        models=_common(terms.models for terms in said),
        quality=_first(terms.quality for terms in said),
        max_cost=_least(terms.max_cost for terms in said),
        deadline=_least(terms.deadline for terms in said),
        hold=_first(terms.hold for terms in said) or HoldPolicy.WORST,
        clamp=_first(terms.clamp for terms in said) is not False,
        outage=_first(terms.outage for terms in said) or Outage.CLOSED,
    )


def _level(rank: Rank) -> Level:
    name, terms = rank
    return Level(
        name,
        terms.allowances,
        terms.requests_per_minute,
        terms.tokens_per_minute,
        terms.parallel,
    )


def _is_limited(terms: Terms) -> bool:
    quotas = (terms.requests_per_minute, terms.tokens_per_minute, terms.parallel)
    return bool(terms.allowances) or quotas != (None, None, None)


def _tenant(scope: CacheScope, record: KeyRecord, organisation: str) -> str:
    """Whose kept replies may serve; a scope that a key does not have narrows to the next."""
    if scope is CacheScope.ORGANISATION and organisation:
        return f"org:{organisation}"
    if scope is not CacheScope.KEY and record.team:
        return f"team:{record.team}"
    return f"key:{record.id}"


def _first(said: Iterable[T | None]) -> T | None:
    return next((one for one in said if one is not None), None)


def _common(said: Iterable[frozenset[T] | None]) -> frozenset[T] | None:
    spoken = [one for one in said if one is not None]
    return frozenset.intersection(*spoken) if spoken else None


def _least(said: Iterable[N | None]) -> N | None:
    return min((one for one in said if one is not None), default=None)
