"""Which of a LiteLLM proxy's models stand behind nano, mini and full.

A family known by name takes its own tiers. Otherwise the cheapest model is nano, the dearest full,
and the one whose price lies nearest between them mini; two models share the smaller tiers' place,
one takes all three. A model without any price is guessed from words in its name.
"""

import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from math import log
from typing import Any, NamedTuple

from gateway.settings.catalog import SNAPSHOT
from gateway.settings.litellm_models import Endpoint, number
from gateway.settings.litellm_notes import Kind, Notes
from gateway.settings.presets import presets

Tiers = tuple[tuple[Endpoint, ...], ...]
"""The endpoints behind nano, mini and full; empty tuples where there is no model at all."""

_PER_MILLION = Decimal(1_000_000)
_STEP = Decimal("0.001")
_MOST = Decimal(10_000)
# Guessed prices are those of the family whose published tiers they resemble.
_GUESSES = ("gpt-4.1-nano", "gpt-4.1-mini", "gpt-4.1")
_SMALL = re.compile(r"nano|tiny|lite|haiku|flash|instant|(?<![0-9.])[1-9]b(?![a-z])")
_MIDDLE = re.compile(r"mini|small|medium|sonnet|turbo|(?<![0-9.])[1-6][0-9]b(?![a-z])")
_LETTERS = re.compile(r"[^a-z0-9]")
_COSTS = {
    "prompt": "input_cost_per_token",
    "cached": "cache_read_input_token_cost",
    "completion": "output_cost_per_token",
}


class Priced(NamedTuple):
    """What a model costs: dollars per million tokens; `known` is a model it is, or is like."""

    known: str
    price: Mapping[str, Decimal]
    guessed: bool


def assigned(listed: list[Endpoint], found: Notes) -> Tiers:
    """The endpoints behind each tier; `found` tells of models that stand behind none."""
    models = _models(listed, found)
    if not models:
        return ((), (), ())
    ordered = sorted(models, key=lambda name: _dearness(priced(models[name][0])))
    chosen = _family(models) or _by_price(ordered, models)
    for name in ordered:
        if name not in chosen:
            words = "stands behind no tier; callers who ask for it are routed as auto"
            found.add(Kind.DIFFERS, f"model {name}", words)
    return tuple(tuple(models[name]) for name in chosen)


def priced(endpoint: Endpoint) -> Priced:
    """What an endpoint's model costs, as told, as known, or as guessed."""
    known = _known(endpoint)
    told = {
        part: cost
        for part, name in _COSTS.items()
        if (cost := _per_million(endpoint.info.get(name))) is not None
    }
    if known or {"prompt", "completion"} <= told.keys():
        return Priced(known, told, guessed=False)
    if endpoint.local:
        return Priced("", {"prompt": Decimal(0), "completion": Decimal(0)}, guessed=True)
    return Priced("", _published(_GUESSES[_size(endpoint.model)]), guessed=True)


def _models(listed: list[Endpoint], found: Notes) -> dict[str, list[Endpoint]]:
    """Endpoints by the model's name: callers' groups first, as a group is what is alike."""
    groups: dict[str, list[Endpoint]] = {}
    for endpoint in listed:
        groups.setdefault(endpoint.public, []).append(endpoint)
    models: dict[str, list[Endpoint]] = {}
    for public, group in groups.items():
        usual = Counter(e.model for e in group).most_common(1)[0][0]
        for endpoint in group:
            if endpoint.model != usual and _known(endpoint) in {"", _known(group[0])}:
                words = f"shares {public} with {usual}: a tier's deployments share one name"
                found.add(Kind.LOST, f"{endpoint.place} ({endpoint.model})", words)
                continue
            alike = models.setdefault(endpoint.model, [])
            if all((e.base_url, e.key) != (endpoint.base_url, endpoint.key) for e in alike):
                alike.append(endpoint)
    return models


def _family(models: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """The names behind the tiers of a known family that is there as a whole."""
    names = {_known(endpoints[0]): name for name, endpoints in models.items()}
    for family in presets().presets.values():
        members = (family.nano, family.mini, family.full)
        if all(member in names for member in members):
            return names[members[0]], names[members[1]], names[members[2]]
    return None


def _by_price(ordered: list[str], models: Mapping[str, list[Endpoint]]) -> tuple[str, str, str]:
    small, large = ordered[0], ordered[-1]
    between = ordered[1:-1]
    if not between:
        return small, small, large
    costs = {name: log(_dearness(priced(models[name][0])) + 1e-3) for name in ordered}
    middle = (costs[small] + costs[large]) / 2
    return small, min(between, key=lambda name: abs(costs[name] - middle)), large


def _dearness(model: Priced) -> float:
    """A call's price at three prompt tokens to one of the answer, as `tiergate check` compares."""
    price = {**(_published(model.known) if model.known else {}), **model.price}
    return float(3 * price["prompt"] + price["completion"])


def _known(endpoint: Endpoint) -> str:
    """The model we know that this is; empty when none."""
    known = presets().models
    base = endpoint.info.get("base_model")
    for name in (endpoint.model, base):
        last = name.rpartition("/")[2] if isinstance(name, str) else ""
        if (found := SNAPSHOT.sub("", last)) in known:
            return found
    if not endpoint.provider.startswith("azure"):
        return ""
    # Deployments are named by people: gpt41-mini-eu is a gpt-4.1-mini.
    letters = _LETTERS.sub("", endpoint.model.lower())
    alike = [name for name in known if _LETTERS.sub("", name) in letters]
    return max(alike, key=len, default="")


def _published(name: str) -> dict[str, Decimal]:
    price = presets().models[name].price
    if price is None:
        return {"prompt": Decimal(0), "completion": Decimal(0)}
    return {
        "prompt": Decimal(price.prompt) / 1_000,
        "completion": Decimal(price.completion) / 1_000,
    }


def _size(name: str) -> int:
    low = name.lower()
    return 0 if _SMALL.search(low) else 1 if _MIDDLE.search(low) else 2


def _per_million(cost: object) -> Decimal | None:
    """A price in dollars per token as dollars per million, in whole nano-dollars per token."""
    if isinstance(cost, bool) or not isinstance(cost, int | float | str):
        return None
    try:
        amount = (Decimal(str(cost)) * _PER_MILLION).quantize(_STEP)
    except InvalidOperation:
        return None
    return amount.normalize() + 0 if 0 <= amount <= _MOST else None


def weights(endpoints: tuple[Endpoint, ...]) -> tuple[int, ...]:
    """The shares of a tier's endpoints as weights from 1 to 1000."""
    most = max((endpoint.share for endpoint in endpoints), default=0)
    if not most or len({endpoint.share for endpoint in endpoints}) == 1:
        return (1,) * len(endpoints)
    return tuple(max(number(endpoint.share * 100 / most), 1) for endpoint in endpoints)
