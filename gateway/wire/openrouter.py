"""OpenRouter's words in a body: `models[]`, `provider{}` and the auto-router of `plugins[]`.

Each reader returns fields of `Wishes`, or None when the member is none of OpenRouter's: then it is
the upstream's to judge. Sub-fields that mean nothing here (allow_fallbacks, order, …) are ignored.
"""

from collections.abc import Mapping
from typing import Any

from gateway.call import Sort
from gateway.wire.values import choice, names, number, per_token, refuse

_SORTS: Mapping[str, Sort] = {
    "price": Sort.FLOOR,
    "throughput": Sort.NITRO,
    "latency": Sort.NITRO,
}
_AUTO = "auto-router"
# Its `cost_quality_tradeoff`: 0 is best, 10 is cheapest.
_CHEAPEST = 10


def from_models(value: object) -> dict[str, Any] | None:
    """Read `models`, the names to fall back to.

    Raises:
        InvalidValue: names that are none, or too many.
    """
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return {"models": names(value, "models")}


def from_provider(value: object) -> dict[str, Any] | None:
    """Read `provider`: `sort` and `max_price`, in dollars per million tokens.

    Raises:
        InvalidValue: values they cannot have.
    """
    if not isinstance(value, dict):
        return None
    fields: dict[str, Any] = {}
    sort = value.get("sort")
    if isinstance(sort, dict):
        sort = sort.get("by")
    if sort is not None:
        fields["sort"] = _SORTS[choice(sort, "provider.sort", tuple(_SORTS))]
    prices = value.get("max_price")
    if prices is not None:
        if not isinstance(prices, dict):
            refuse("provider.max_price", "an object with prompt and completion")
        fields["max_price"] = tuple(
            None
            if prices.get(kind) is None
            else per_token(prices[kind], f"provider.max_price.{kind}")
            for kind in ("prompt", "completion")
        )
    return fields


def from_plugins(value: object) -> dict[str, Any] | None:
    """Read the auto-router among `plugins`; None when it is not among them.

    Raises:
        InvalidValue: values it cannot have.
    """
    if not isinstance(value, list):
        return None
    for place, plugin in enumerate(value):
        if isinstance(plugin, dict) and plugin.get("id") == _AUTO:
            return _from_auto_router(plugin, f"plugins[{place}]")
    return None


def _from_auto_router(plugin: Mapping[str, Any], param: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if plugin.get("enabled") is False:
        return fields
    tradeoff = plugin.get("cost_quality_tradeoff")
    if tradeoff is not None:
        dial = number(tradeoff, f"{param}.cost_quality_tradeoff", 0, _CHEAPEST)
        fields["quality"] = (_CHEAPEST - dial) / _CHEAPEST
    allowed = plugin.get("allowed_models")
    if allowed is not None:
        fields["allowed"] = names(allowed, f"{param}.allowed_models")
    return fields
