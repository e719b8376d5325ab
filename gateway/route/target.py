"""What the requested model name means: route freely, a tier, or one model.

| written | means |
|---|---|
| `auto`, a name under `reroute` | any tier, by policy |
| `nano`, `mini`, `full` | that tier, whatever stands behind it |
| a model's own name, or its dated snapshot | that model only |
| a model's name that ended while it stood behind a tier | that tier, whatever stands behind it |

`:floor` and `:nitro` after a name say what to prefer.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gateway.call import Sort, Wishes
from gateway.catalog import TIERS_BY_LABEL, Catalog, Tier
from gateway.errors import InvalidValue, ModelNotFound

AUTO_NAMES = frozenset({"auto", "openrouter/auto"})
# `gpt-4.1-mini-2025-04-14` is a dated snapshot of `gpt-4.1-mini`.
SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
# A name is quoted back in the error; longer ones are only cut.
MAX_QUOTED_NAME = 120

ALL_TIERS = (Tier.NANO, Tier.MINI, Tier.FULL)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call may go.

    `tiers` smallest first; `model` is the name to send upstream when the caller named one model
    (else the tier's own). `routed`: we choose; otherwise the caller did. `then` are the further
    targets to fall back to, in the caller's order.
    """

    tiers: tuple[Tier, ...]
    sort: Sort = Sort.BALANCED
    model: str | None = None
    routed: bool = True
    then: tuple["Target", ...] = ()


def split_sort(name: str) -> tuple[str, Sort]:
    """Cut `:floor` or `:nitro` from a model name."""
    if name.endswith(":floor"):
        return name[:-6], Sort.FLOOR
    if name.endswith(":nitro"):
        return name[:-6], Sort.NITRO
    return name, Sort.BALANCED


def resolve(name: str, wishes: Wishes, catalog: Catalog) -> Target:
    """Read the requested model and the caller's pin.

    Raises:
        ModelNotFound: nothing goes by that name.
        InvalidValue: the pin contradicts the name, or nothing is left of what is allowed.
    """
    target = _named(name, catalog)
    if wishes.sort is not Sort.BALANCED or wishes.tier is not None or wishes.allowed:
        target = _narrowed(target, wishes, catalog)
    if wishes.models:
        then = tuple(_named(other, catalog) for other in wishes.models if other != name)
        target = Target(target.tiers, target.sort, target.model, target.routed, then)
    return target


def _named(name: str, catalog: Catalog) -> Target:
    if name == "auto":
        return ROUTE_FREELY
    bare, sort = split_sort(name)
    # As OpenRouter's users write it.
    bare = bare.removeprefix("openai/")
    if bare in AUTO_NAMES or bare in catalog.reroute:
        return Target(ALL_TIERS, sort)
    if (tier := TIERS_BY_LABEL.get(bare)) is not None and tier in catalog.tiers:
        return Target((tier,), sort, routed=False)
    found = catalog.by_model.get(bare) or catalog.by_model.get(SNAPSHOT.sub("", bare))
    if found is None and (tier := catalog.former.get(bare)) is not None:
        return Target((tier,), sort, routed=False)
    if found is None:
        shown = name if len(name) <= MAX_QUOTED_NAME else name[:MAX_QUOTED_NAME] + "…"
        message = f"The model `{shown}` does not exist or you do not have access to it."
        raise ModelNotFound(message)
    return Target((found[0],), sort, bare, routed=False)


def _narrowed(target: Target, wishes: Wishes, catalog: Catalog) -> Target:
    sort = target.sort if target.sort is not Sort.BALANCED else wishes.sort
    tiers, routed = target.tiers, target.routed
    if wishes.tier is not None:
        if wishes.tier not in tiers:
            message = (
                f"x-gateway-tier asks for {wishes.tier.label}, "
                f"but the model names {tiers[0].label}."
            )
            raise InvalidValue(message, param="x-gateway-tier")
        tiers, routed = (wishes.tier,), False
    if wishes.allowed:
        tiers = tuple(t for t in tiers if _allowed(t, wishes.allowed, catalog))
        if not tiers:
            message = "No tier of this gateway is among the allowed models."
            raise InvalidValue(message, param="plugins")
    return Target(tiers, sort, target.model, routed)


def _allowed(tier: Tier, patterns: tuple[str, ...], catalog: Catalog) -> bool:
    names = (tier.label, catalog.models_by_tier[tier].name)
    return any(
        fnmatchcase(name, pattern.removeprefix("openai/")) for pattern in patterns for name in names
    )


ROUTE_FREELY = Target(ALL_TIERS)
