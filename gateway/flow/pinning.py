"""Where earlier answers live: calls that refer to them go back to the account that made them.

Stored responses, conversations and encrypted reasoning exist in one upstream account only. The ids
of each reply that has some are remembered with its tenant and deployment; a call that names one is
pinned to that deployment's tier and account. An id nobody remembers pins nothing: the upstream will
say what it thinks of it. What another tenant made is not there, whatever the call calls it by.
"""

from collections.abc import Callable

from gateway.call import Call
from gateway.catalog import Catalog, Deployment
from gateway.flow.opening import Opened
from gateway.flow.owners import Owner, Owners, check_all, digest
from gateway.ports import Affinities
from gateway.route.reasons import Choice
from gateway.route.target import Target
from gateway.wire.api import APIS
from gateway.wire.responses.pins import MOST_IDS, NO_PINS, pins
from gateway.wire.stored import carries, may_refer, survey

# How long OpenAI keeps a stored response.
TTL_SECONDS = 30 * 86_400.0
# Ids remembered of one reply: later calls refer to it by one of the first.
MOST_NAMES = 8


class Pinning:
    """Remembers replies by their ids, and finds them again; tenants never meet."""

    def __init__(self, catalog: Catalog, affinities: Affinities) -> None:
        self._owners = Owners(affinities)
        self._catalog = catalog

    async def found(self, call: Call) -> Deployment | None:
        """The deployment that made what a call refers to, if it is remembered.

        Raises:
            ObjectNotFound: it refers to what another tenant made.
            InvalidValue: what it refers to could be read in two ways.
        """
        names = (pins(call.document) if APIS[call.api].stores else NO_PINS).ids
        more = _further(call, len(names)) if call.principal.tenant else ()
        if not (names or more):
            return None
        owners = await self._owners.of(names + more)
        check_all(names + more, owners, digest(call.principal.tenant))
        for owner in owners[: len(names)]:
            if owner is not None and (found := self._catalog.by_name.get(owner.deployment)):
                return found[1]
        return None

    async def remember(self, call: Call, opened: Opened) -> None:
        """Note where a reply's ids live."""
        if not APIS[call.api].stores and call.document.get("store") is not True:
            return
        owner = Owner(digest(call.principal.tenant), opened.step.deployment.name)
        brought = _brought(call) if call.principal.tenant else ()
        for name in opened.names()[:MOST_NAMES]:
            if name not in brought:
                await self._owners.made(name, owner, TTL_SECONDS)

    def narrowed(self, target: Target, home: Deployment) -> Target:
        """The target of a call whose earlier answers live at `home`."""
        if not target.routed:
            return target
        return Target((self._catalog.by_name[home.name][0],), target.sort, routed=False)


def _further(call: Call, pinned: int) -> tuple[str, ...]:
    """What a call refers to beside what pins it."""
    if not APIS[call.api].stores:
        looks = carries(call.document)
    else:
        looks = pinned >= MOST_IDS or may_refer(call.body)
    if not looks:
        return ()
    said = survey(call.body)
    return said.refers + said.seems


def _brought(call: Call) -> frozenset[str]:
    """What a call referred to itself: its reply did not make that, and makes it nobody's."""
    names = pins(call.document).ids if APIS[call.api].stores else ()
    return frozenset(names + _further(call, len(names)))


def at_home(home: Deployment | None) -> Callable[[Deployment], bool]:
    """Whether a deployment is of the same account."""
    if home is None:
        return lambda _: True
    return lambda other: other.base_url == home.base_url and other.key == home.key


def stays(choice: Choice) -> Choice:
    """The choice, with its true reason."""
    words = f"what it refers to was made on {choice.chosen.tier.label}"
    return Choice(choice.chosen, choice.candidates, "sticky", (words,))
