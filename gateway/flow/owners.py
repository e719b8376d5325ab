"""Whose is what the upstream stores: who made it through this gateway, and on which deployment.

What a reply says was made belongs to the tenant of the call that made it. Notes hold a digest of
that tenant and the deployment's name. A lost note makes its object one whose maker nobody knows;
it never makes it another's. Ids are kept as they came and never written anew.
"""

import asyncio
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from gateway.errors import ObjectNotFound
from gateway.ports import Affinities
from gateway.wire.stored import LONGEST_ID

# Objects, and the many items within them, have rooms of their own: neither crowds out the other.
OBJECTS, ITEMS = "object", "item"
ITEM_PREFIXES = ("msg_", "rs_", "fc_", "fs_", "ws_", "ci_", "cu_", "ig_", "mcp_", "mcpr_", "ctc_")
TENANT_BYTES = 10
QUOTED = 80


class Owner(NamedTuple):
    """Who made something, as a digest ("": a caller without a key), and where."""

    tenant: str
    deployment: str


class Owners:
    """Remembers makers; `of` takes ids as they come from callers."""

    def __init__(self, affinities: Affinities) -> None:
        self._affinities = affinities

    async def of(self, names: Sequence[str]) -> list[Owner | None]:
        """The maker of each, where it is known."""
        if len(names) == 1:
            return [await self._one(names[0])]
        return await asyncio.gather(*map(self._one, names))

    async def _one(self, name: str) -> Owner | None:
        if not 0 < len(name) <= LONGEST_ID:
            return None
        note = await self._affinities.get(_room(name), name)
        tenant, line, deployment = (note or "").partition("\n")
        return Owner(tenant, deployment) if line else None

    async def made(self, name: str, owner: Owner, ttl: float) -> None:
        """Something was made, or is there still."""
        if 0 < len(name) <= LONGEST_ID:
            await self._affinities.put(_room(name), name, "\n".join(owner), ttl)


def digest(tenant: str) -> str:
    """A tenant as notes have it."""
    return blake2b(tenant.encode(), digest_size=TENANT_BYTES).hexdigest() if tenant else ""


def check_all(names: Sequence[str], owners: Sequence[Owner | None], mine: str) -> None:
    """Refuse what is another's.

    Raises:
        ObjectNotFound: one of them is known to be.
    """
    for name, owner in zip(names, owners, strict=True):
        if owner is not None and owner.tenant not in ("", mine):
            raise not_there(name)


def not_there(name: str) -> ObjectNotFound:
    """What is said of another's, and of what nobody knows: the same."""
    message = f"There is no `{name[:QUOTED]}` that this key may use."
    return ObjectNotFound(message, param="id")


def _room(name: str) -> str:
    return ITEMS if name.startswith(ITEM_PREFIXES) else OBJECTS
