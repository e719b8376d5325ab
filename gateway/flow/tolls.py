"""What a request that is passed on may name and cost, known before it is sent.

| the key | may send what has no price here | must name a model |
|---|---|---|
| has no limits on money or models | yes | no |
| has an allowance, or a cap a call | only what costs nothing, unless the operator says so | no |
| is limited to some models or tiers | as above | its own alone, where it may cost anything |

Such a key is refused whatever may be charged for a model that nobody can tell beforehand: areas
that use others than the body names, and bodies that are not read. Embeddings have models of their
own, which stand behind no tier. A price bounds a request by its bytes: a token has at least one.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.call import Usage
from gateway.catalog import TIERS_BY_LABEL, Catalog
from gateway.errors import InvalidValue, ModelNotFound, PermissionDenied
from gateway.flow.passage import PassRules, Wanted
from gateway.money import FREE, NanoUSD
from gateway.prices import Manner, Price, service_named
from gateway.principal import Principal
from gateway.route.target import AUTO_NAMES, SNAPSHOT, split_sort
from gateway.wire.surface import (
    ACCOUNT_WIDE,
    NAMING,
    Toll,
    area,
    named_model,
    named_models,
    toll,
)

MAX_QUOTED_NAME = 120
# What these APIs answer with where the caller sets no limit (legacy completions: 16).
LEGACY_TOKENS = 16
# More choices than any API gives; a larger number is the upstream's to refuse.
MOST_CHOICES = 128
BYTES_PER_TOKEN = 4
# Elsewhere a body's bytes bound nothing: a file it names is trained on, an image is made.
BOUNDED = frozenset(("completions", "embeddings"))


class Bill(NamedTuple):
    """What a request names and may cost: `most` nano-dollars, `tokens` of prompt about.

    `requested` is the model as the caller wrote it, `priced` its name where it has a price.
    """

    requested: str = ""
    priced: str = ""
    price: Price | None = None
    most: NanoUSD = FREE
    tokens: int = 0

    def guessed(self, reply_bytes: int) -> Usage:
        """What was used where the upstream does not say."""
        return Usage(self.tokens, reply_bytes // BYTES_PER_TOKEN, estimated=True)


class Tolls:
    """Knows the prices and the permissions."""

    def __init__(self, catalog: Catalog, rules: PassRules) -> None:
        self._catalog = catalog
        self._rules = rules

    def bill(self, wanted: Wanted) -> Bill:
        """What a request may cost.

        Raises:
            PermissionDenied: the area is not passed on, or the key may not cause unknown costs.
            ModelNotFound: the model is not for this key.
            InvalidValue: the model is a name that only routed calls may use.
        """
        first = self._open_area(wanted.path)
        document = wanted.document or {}
        requested = named_model(document) or wanted.query_model
        costs = toll(wanted.method, wanted.path) is Toll.UNKNOWN or bool(wanted.upgrade)
        if limited(wanted.principal) and wanted.routed is None:
            named = [*named_models(document), *wanted.said.models] or [requested]
            self._check(wanted.principal, named, first, costs=costs)
            _check_any(wanted, first)
        if not costs:
            return Bill(requested)
        _check_routed(requested, first)
        name, price = self._price(requested)
        if price is None or wanted.upgrade or first not in BOUNDED:
            self._check_money(wanted.principal)
            return Bill(requested, name, price)
        completion = _answer_tokens(document)
        rates = price.bound(Manner(service_named(document.get("service_tier"))))
        most = len(wanted.body) * rates.prompt + completion * rates.completion
        return Bill(requested, name, price, NanoUSD(most), len(wanted.body) // BYTES_PER_TOKEN)

    def priced(self, model: str) -> Bill:
        """The bill of a model that was only named on the way."""
        return Bill(model, *self._price(model))

    def _open_area(self, path: str) -> str:
        first = area(path)
        part = path[1:].partition("/")[0].lower()
        wide = part in ACCOUNT_WIDE and not self._rules.account
        if wide or not self._rules.deny.isdisjoint((first, part)):
            message = f"This gateway does not pass on /v1/{part[:MAX_QUOTED_NAME]}."
            raise PermissionDenied(message)
        return first

    def _price(self, requested: str) -> tuple[str, Price | None]:
        for name in (requested, SNAPSHOT.sub("", requested)):
            found = self._catalog.price(name)
            if found is not None:
                return name, found
        return "", None

    def _check(self, principal: Principal, named: list[str], first: str, *, costs: bool) -> None:
        for name in named:
            if name and not self._may_name(principal, name, first, costs=costs):
                raise _not_there(name)
        if costs and (first not in NAMING or not any(named)):
            message = (
                "This key may use certain models only, and which one this request uses cannot be "
                "told: it names none, its body is not read, or others may be used."
            )
            raise PermissionDenied(message, param="model")

    def _may_name(self, principal: Principal, name: str, first: str, *, costs: bool) -> bool:
        bare = SNAPSHOT.sub("", name)
        models, tiers = principal.models, principal.tiers
        if models is not None and models.isdisjoint((name, bare)):
            return False
        behind = self._catalog.by_model.get(bare)
        if tiers is None or (behind is not None and behind[0] in tiers):
            return True
        # A model that stands behind no tier must be the key's by its own name.
        return behind is None and (models is not None or first == "embeddings" or not costs)

    def _check_money(self, principal: Principal) -> None:
        limited = principal.max_cost is not None or any(
            level.allowances for level in principal.levels
        )
        if limited and not self._rules.unpriced:
            message = (
                "This key's money is limited, and what this request costs cannot be told: its "
                "model has no price here, or its price does not bound it. See "
                "`passthrough.unpriced` and `catalog.prices`."
            )
            raise PermissionDenied(message)


def limited(principal: Principal) -> bool:
    """Whether a key may use certain models only."""
    return principal.models is not None or principal.tiers is not None


def _check_any(wanted: Wanted, first: str) -> None:
    """Refuse a key of some models a tunnel whose every frame may name another."""
    if wanted.upgrade and first == "responses":
        message = "This key may use certain models only; over a WebSocket each message names one."
        raise PermissionDenied(message, param="model")


def _check_routed(requested: str, first: str) -> None:
    bare, _ = split_sort(requested)
    if bare in AUTO_NAMES or bare in TIERS_BY_LABEL:
        message = (
            f"`{requested}` is a name for routed calls (chat completions, responses, messages); "
            f"/v1/{first} is passed on as it is and needs a model's own name."
        )
        raise InvalidValue(message, param="model")


def _answer_tokens(document: Mapping[str, Any]) -> int:
    """The longest answers a legacy completion may get; an embedding has none to pay for."""
    limit, choices, best = (document.get(name) for name in ("max_tokens", "n", "best_of"))
    tokens = limit if isinstance(limit, int) and limit >= 0 else LEGACY_TOKENS
    each = max(_count(choices), _count(best))
    prompts = document.get("prompt")
    return tokens * each * (len(prompts) if isinstance(prompts, list) and prompts else 1)


def _count(said: object) -> int:
    return min(said, MOST_CHOICES) if isinstance(said, int) and said > 1 else 1


def _not_there(requested: str) -> ModelNotFound:
    shown = requested[:MAX_QUOTED_NAME]
    message = f"The model `{shown}` does not exist or you do not have access to it."
    return ModelNotFound(message, param="model")
