"""What a principal may use, and its defaults under the caller's own wishes.

A tier is a role everybody knows, so a forbidden one is 403 and says what is allowed; a model that
may not be used is 404, in OpenAI's words, as if it were not there.
"""

from dataclasses import replace

from gateway.call import NO_WISHES, Wishes
from gateway.catalog import Catalog, Tier
from gateway.errors import ModelNotFound, PermissionDenied
from gateway.principal import Principal

# A name is quoted back in the error; longer ones are only cut.
MAX_QUOTED_NAME = 120


def reach(principal: Principal, catalog: Catalog) -> tuple[Tier, ...]:
    """The tiers a principal may be served by, smallest first: allowed, and so is their model."""
    return tuple(
        tier for tier in sorted(catalog.tiers) if _may_use(principal, tier, catalog, model=None)
    )


def usable(principal: Principal, catalog: Catalog) -> frozenset[str]:
    """The tiers and models, by name, that a principal may name."""
    models = [
        model.name
        for tier, model in catalog.models()
        if _may_use(principal, tier, catalog, model=model.name)
    ]
    return frozenset([*models, *[tier.label for tier in reach(principal, catalog)]])


def permitted(
    principal: Principal,
    tiers: tuple[Tier, ...],
    model: str | None,
    *,
    requested: str,
    catalog: Catalog,
) -> tuple[Tier, ...]:
    """Those of a target's tiers that a principal may use; the same object where it may use all.

    `model` is the model's own name where the caller named one, `requested` what was written.

    Raises:
        PermissionDenied: none of the tiers.
        ModelNotFound: the caller named a model, and it is not for this caller.
    """
    if principal.tiers is None and principal.models is None:
        return tiers
    left = tuple([tier for tier in tiers if _may_use(principal, tier, catalog, model=model)])
    if len(left) == len(tiers):
        return tiers
    if left:
        return left
    shown = requested if len(requested) <= MAX_QUOTED_NAME else requested[:MAX_QUOTED_NAME] + "…"
    if model is not None:
        message = f"The model `{shown}` does not exist or you do not have access to it."
        raise ModelNotFound(message)
    allowed = ", ".join(f"`{tier.label}`" for tier in reach(principal, catalog))
    message = f"This key may not use `{shown}`; it may use {allowed or 'no tier of this gateway'}."
    raise PermissionDenied(message, param="model")


def _may_use(principal: Principal, tier: Tier, catalog: Catalog, *, model: str | None) -> bool:
    if principal.tiers is not None and tier not in principal.tiers:
        return False
    models = principal.models
    if models is None or model in models:
        return True
    behind = catalog.models_by_tier.get(tier)
    return behind is not None and behind.name in models


def tightened(wishes: Wishes, principal: Principal) -> Wishes:
    """The caller's wishes under its key's: a dial where it sets none, caps it may only tighten."""
    quality, cost, deadline = principal.quality, principal.max_cost, principal.deadline
    if quality is None and cost is None and deadline is None:
        return wishes
    if wishes.quality is not None:
        quality = wishes.quality
    if wishes.max_cost is not None and (cost is None or wishes.max_cost < cost):
        cost = wishes.max_cost
    if wishes.deadline is not None and (deadline is None or wishes.deadline < deadline):
        deadline = wishes.deadline
    if wishes is NO_WISHES:
        return Wishes(quality=quality, max_cost=cost, deadline=deadline)
    if (quality, cost, deadline) == (wishes.quality, wishes.max_cost, wishes.deadline):
        return wishes
    return replace(wishes, quality=quality, max_cost=cost, deadline=deadline)
