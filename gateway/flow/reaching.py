"""Which tiers a call may go to: what its model name means, narrowed to what its key permits."""

from dataclasses import replace

from gateway.access.permissions import permitted, reach
from gateway.call import Call
from gateway.catalog import Catalog
from gateway.route.target import Target


def allowed(call: Call, target: Target, catalog: Catalog) -> Target:
    """What of a target a call's principal may use.

    Raises:
        CallerError: nothing of it.
    """
    principal = call.principal
    if principal.tiers is None and principal.models is None:
        return target
    tiers = permitted(principal, target.tiers, target.model, requested=call.model, catalog=catalog)
    then = tuple(
        replace(other, tiers=kept)
        for other in target.then
        if (kept := tuple(t for t in other.tiers if t in reach(principal, catalog)))
    )
    return replace(target, tiers=tiers, then=then)
