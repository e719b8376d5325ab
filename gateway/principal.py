"""Who calls, and on what terms: keys, teams and organisations as values.

A key belongs to a team, a team to an organisation; each of the three is a level that may carry
terms. A principal is what a key proves: the terms of its levels, merged (`gateway.access`).
Nothing here holds a credential: a key is kept as a salted digest.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from gateway.catalog import Tier
from gateway.money import NanoUSD


class Period(Enum):
    """How long an allowance lasts."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Allowance(NamedTuple):
    """Money per window: nano-dollars per period.

    A calendar window starts with the minute, hour, day (UTC), Monday or month; a rolling one is the
    period that ends now, its spend let go in steps of a sixtieth of the period (a rolling month is
    30 days).
    """

    amount: NanoUSD
    period: Period
    rolling: bool = False


class Level(NamedTuple):
    """One level's limits, as the ledger keeps them; `id` is such as `key:k3f9`, `team:search`."""

    id: str
    allowances: tuple[Allowance, ...] = ()
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    parallel: int | None = None


class HoldPolicy(Enum):
    """How much is set aside before a call.

    `WORST`: what it can cost at most, so that an allowance is never overspent. `EXPECTED`: what it
    will probably cost; an allowance can be overshot by at most what is in flight.
    """

    WORST = "worst"
    EXPECTED = "expected"


class Outage(Enum):
    """What becomes of a call whose ledger cannot be reached."""

    OPEN = "fail_open"
    CLOSED = "fail_closed"


class CacheScope(Enum):
    """Whose kept replies may serve a call."""

    KEY = "key"
    TEAM = "team"
    ORGANISATION = "organisation"


@dataclass(frozen=True, slots=True)
class Terms:
    """What one level allows and prefers; None says nothing.

    `max_cost` is nano-dollars a call, `deadline` seconds, `quality` the dial from 0 to 1.
    `clamp`: an answer may be cut shorter (max tokens lowered) rather than the call refused.
    """

    allowances: tuple[Allowance, ...] = ()
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    parallel: int | None = None
    tiers: frozenset[Tier] | None = None
    models: frozenset[str] | None = None
    quality: float | None = None
    max_cost: NanoUSD | None = None
    deadline: float | None = None
    hold: HoldPolicy | None = None
    clamp: bool | None = None
    outage: Outage | None = None
    cache_scope: CacheScope | None = None


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as it is stored: everything but the key.

    `id` is the public part of the key; `created`, `expires` and `revoked` are epoch seconds.
    """

    id: str
    name: str
    team: str
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    created: float
    expires: float | None = None
    revoked: float | None = None
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True)
class Principal:
    """What a key proves. `levels` are those with limits, innermost first.

    `root` is what all its levels share (its organisation): the ledger keeps them side by side.
    `tenant` says whose kept replies may serve. `tiers` and `models` None: all. `expires` is epoch
    seconds.
    """

    key: str = ""
    name: str = ""
    team: str = ""
    organisation: str = ""
    root: str = ""
    tenant: str = ""
    levels: tuple[Level, ...] = ()
    tiers: frozenset[Tier] | None = None
    models: frozenset[str] | None = None
    quality: float | None = None
    max_cost: NanoUSD | None = None
    deadline: float | None = None
    hold: HoldPolicy = HoldPolicy.WORST
    clamp: bool = True
    outage: Outage = Outage.CLOSED
    expires: float | None = None


ANYONE = Principal()
"""Whoever calls a gateway that has no keys."""
