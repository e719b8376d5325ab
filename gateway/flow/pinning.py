"""Where earlier answers live: calls that refer to them go back to the account that made them.

Stored responses, conversations and encrypted reasoning exist in one upstream account only. The ids
of each reply that has some are remembered with its deployment; a call that names one is pinned to
that deployment's tier and account. An id nobody remembers pins nothing: the upstream will say what
it thinks of it.
"""

from collections.abc import Callable

from gateway.call import Call
from gateway.catalog import Catalog, Deployment
from gateway.flow.opening import Opened
from gateway.ports import Affinities
from gateway.route.reasons import Choice
from gateway.route.target import Target
from gateway.wire.api import RESPONSES
from gateway.wire.responses.pins import pins

KIND = "reply"
# How long OpenAI keeps a stored response.
TTL_SECONDS = 30 * 86_400.0
# Ids remembered of one reply: later calls refer to it by one of the first.
MOST_NAMES = 8
LONGEST_NAME = 200


class Pinning:
    """Remembers replies by their ids, and finds them again; tenants never meet."""

    def __init__(self, catalog: Catalog, affinities: Affinities) -> None:
        self._affinities = affinities
        self._catalog = catalog

    async def found(self, call: Call) -> Deployment | None:
        """The deployment that made what a call refers to, if it is remembered."""
        if call.api != RESPONSES.name:
            return None
        for name in pins(call.document).ids:
            note = await self._affinities.get(KIND, named(call.principal.tenant, name))
            if note is not None and (found := self._catalog.by_name.get(note)) is not None:
                return found[1]
        return None

    async def remember(self, call: Call, opened: Opened) -> None:
        """Note where a reply's ids live."""
        for name in opened.names()[:MOST_NAMES]:
            note = opened.step.deployment.name
            await self._affinities.put(KIND, named(call.principal.tenant, name), note, TTL_SECONDS)

    def narrowed(self, target: Target, home: Deployment) -> Target:
        """The target of a call whose earlier answers live at `home`."""
        if not target.routed:
            return target
        return Target((self._catalog.by_name[home.name][0],), target.sort, routed=False)


def at_home(home: Deployment | None) -> Callable[[Deployment], bool]:
    """Whether a deployment is of the same account."""
    if home is None:
        return lambda _: True
    return lambda other: other.base_url == home.base_url and other.key == home.key


def stays(choice: Choice) -> Choice:
    """The choice, with its true reason."""
    words = f"what it refers to was made on {choice.chosen.tier.label}"
    return Choice(choice.chosen, choice.candidates, "sticky", (words,))


def named(tenant: str, name: str) -> str:
    """A name among its tenant's."""
    return f"{tenant}\n{name}"[:LONGEST_NAME]
