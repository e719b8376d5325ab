"""Keys, limits and spend as rows to be shown: one spelling for the admin API and the command line.

Never a key, a salt or a digest. Money is text in plain dollars, exact to the nano-dollar.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from gateway.access.records import status
from gateway.access.spelling import spell_allowance, spell_moment
from gateway.holds import Account, Meter, Spent, Stand, Standing
from gateway.money import NanoUSD, spell
from gateway.principal import KeyRecord, Level, Principal, Terms

Row = dict[str, Any]
COLUMNS = (
    *("day", "organisation", "team", "key", "key_name", "model", "tier", "calls"),
    *("prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens"),
    *("cost_usd", "estimated_usd", "saved_usd"),
)
NO_DAY = date(1970, 1, 1)


def key_row(record: KeyRecord, now: float, *, configured: bool = False) -> Row:
    """A key; `configured` where it stands in the configuration and not in the store."""
    return {
        "id": record.id,
        "object": "key",
        "name": record.name,
        "team": record.team or None,
        "status": status(record, now).value,
        "source": "configuration" if configured else "store",
        "created": None if configured else spell_moment(record.created),
        "expires": None if record.expires is None else spell_moment(record.expires),
        "revoked": None if record.revoked is None else spell_moment(record.revoked),
        **terms_row(record.terms),
    }


def terms_row(terms: Terms) -> Row:
    """What a level allows, under the names of the configuration; null says nothing."""
    return {
        "allowances": [spell_allowance(one) for one in terms.allowances],
        "requests_per_minute": terms.requests_per_minute,
        "tokens_per_minute": terms.tokens_per_minute,
        "parallel": terms.parallel,
        "tiers": None if terms.tiers is None else [tier.label for tier in sorted(terms.tiers)],
        "models": None if terms.models is None else sorted(terms.models),
        "quality": terms.quality,
        "max_cost_usd": None if terms.max_cost is None else spell(terms.max_cost),
        "deadline": terms.deadline,
        "hold": None if terms.hold is None else terms.hold.value,
        "clamp": terms.clamp,
        "on_outage": None if terms.outage is None else terms.outage.value,
        "cache_scope": None if terms.cache_scope is None else terms.cache_scope.value,
    }


def spend_rows(spent: Iterable[Spent], names: Mapping[str, str]) -> list[Row]:
    """Rows with the members of `COLUMNS`; `names` are those of the keys, by id."""
    return [_spend_row(one, names) for one in spent]


def total_row(spent: Iterable[Spent]) -> Row:
    """The sums of rows."""
    total = Spent(NO_DAY, Account())
    for one in spent:
        total = Spent(
            NO_DAY,
            Account(),
            total.calls + one.calls,
            total.prompt + one.prompt,
            total.cached + one.cached,
            total.completion + one.completion,
            total.reasoning + one.reasoning,
            NanoUSD(total.cost + one.cost),
            NanoUSD(total.estimated + one.estimated),
            NanoUSD(total.saved + one.saved),
        )
    row = _spend_row(total, {})
    return {name: row[name] for name in COLUMNS[COLUMNS.index("calls") :]}


def _spend_row(spent: Spent, names: Mapping[str, str]) -> Row:
    account = spent.account
    return {
        "day": spent.day.isoformat(),
        "organisation": account.organisation,
        "team": account.team,
        "key": account.key,
        "key_name": names.get(account.key, ""),
        "model": account.model,
        "tier": account.tier,
        "calls": spent.calls,
        "prompt_tokens": spent.prompt,
        "cached_tokens": spent.cached,
        "completion_tokens": spent.completion,
        "reasoning_tokens": spent.reasoning,
        "cost_usd": spell(spent.cost),
        "estimated_usd": spell(spent.estimated),
        "saved_usd": spell(spent.saved),
    }


def as_csv(rows: Iterable[Row]) -> str:
    """Rows of spend as CSV with a head (RFC 4180)."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def standing_row(principal: Principal, standing: Standing) -> Row:
    """Where the levels of a principal stand."""
    levels = {level.id: level for level in principal.levels}
    return {
        "object": "standing",
        "levels": [level.id for level in principal.levels],
        "requests": _meter_row(standing.requests),
        "tokens": _meter_row(standing.tokens),
        "allowances": [_stand_row(one, levels.get(one.level)) for one in standing.allowances],
    }


def _meter_row(meter: Meter | None) -> Row | None:
    if meter is None:
        return None
    return {"limit": meter.limit, "remaining": meter.remaining, "reset_seconds": meter.reset}


def _stand_row(stand: Stand, level: Level | None) -> Row:
    said = () if level is None else level.allowances
    spelt = next((spell_allowance(one) for one in said if one.amount == stand.amount), None)
    return {
        "level": stand.level,
        "allowance": spelt,
        "amount_usd": spell(stand.amount),
        "settled_usd": spell(stand.settled),
        "held_usd": spell(stand.held),
        "remaining_usd": spell(stand.remaining),
        "elapsed": round(stand.elapsed, 6),
        "reset_seconds": round(stand.reset, 3),
    }


def month_of(day: date) -> date:
    """The day a month began; what is asked for where nothing else is said."""
    return day.replace(day=1)
