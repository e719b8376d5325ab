"""A key's record as JSON, for stores that keep texts. Salt and digest are hexadecimal."""

import json
from typing import Any

from gateway.catalog import TIERS_BY_LABEL
from gateway.money import NanoUSD
from gateway.principal import (
    Allowance,
    CacheScope,
    HoldPolicy,
    KeyRecord,
    Outage,
    Period,
    Terms,
)


def to_json(record: KeyRecord) -> str:
    """Write a record."""
    return json.dumps(
        {
            "id": record.id,
            "name": record.name,
            "team": record.team,
            "salt": record.salt.hex(),
            "digest": record.digest.hex(),
            "created": record.created,
            "expires": record.expires,
            "revoked": record.revoked,
            "terms": _terms(record.terms),
        }
    )


def from_json(text: str) -> KeyRecord:
    """Read a record.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    said = json.loads(text)
    return KeyRecord(
        id=said["id"],
        name=said["name"],
        team=said["team"],
        salt=bytes.fromhex(said["salt"]),
        digest=bytes.fromhex(said["digest"]),
        created=said["created"],
        expires=said["expires"],
        revoked=said["revoked"],
        terms=_read_terms(said["terms"]),
    )


def _terms(terms: Terms) -> dict[str, Any]:
    said = {
        "allowances": [[a.amount, a.period.value, a.rolling] for a in terms.allowances],
        "requests_per_minute": terms.requests_per_minute,
        "tokens_per_minute": terms.tokens_per_minute,
        "parallel": terms.parallel,
        "tiers": None if terms.tiers is None else sorted(tier.label for tier in terms.tiers),
        "models": None if terms.models is None else sorted(terms.models),
        "quality": terms.quality,
        "max_cost": terms.max_cost,
        "deadline": terms.deadline,
        "hold": None if terms.hold is None else terms.hold.value,
        "clamp": terms.clamp,
        "outage": None if terms.outage is None else terms.outage.value,
        "cache_scope": None if terms.cache_scope is None else terms.cache_scope.value,
    }
    return {name: value for name, value in said.items() if value not in (None, [])}


def _read_terms(said: dict[str, Any]) -> Terms:
    get = said.get
    tiers, models = get("tiers"), get("models")
    hold, outage, scope = get("hold"), get("outage"), get("cache_scope")
    return Terms(
        allowances=tuple(
            Allowance(NanoUSD(amount), Period(period), rolling)
            for amount, period, rolling in get("allowances", ())
        ),
        requests_per_minute=get("requests_per_minute"),
        tokens_per_minute=get("tokens_per_minute"),
        parallel=get("parallel"),
        tiers=None if tiers is None else frozenset(TIERS_BY_LABEL[label] for label in tiers),
        models=None if models is None else frozenset(models),
        quality=get("quality"),
        max_cost=get("max_cost"),
        deadline=get("deadline"),
        hold=None if hold is None else HoldPolicy(hold),
        clamp=get("clamp"),
        outage=None if outage is None else Outage(outage),
        cache_scope=None if scope is None else CacheScope(scope),
    )
