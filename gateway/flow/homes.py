"""Which account a passed request goes to, and whether what it refers to is the caller's.

Files, batches, stored replies and the like exist in one upstream account only, which all keys of a
gateway share. The id of what each reply made is remembered with its tenant and its deployment.

| the caller has | refers to what it made | another made | nobody knows who made | lists all |
|---|---|---|---|---|
| a key | passes, to its account | 404 | 404, unless `unknown` | its own, unless `unknown` |
| none | passes, to its account | 404 | passes | passes |
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.catalog import Catalog, Deployment
from gateway.errors import PermissionDenied
from gateway.flow.owners import Owner, Owners, check_all, digest, not_there
from gateway.flow.passage import PassRules, Wanted
from gateway.ports import Affinities
from gateway.wire.stored import Refers, refers
from gateway.wire.surface import named_model

# What was made is its maker's for as long as Redis may keep a note.
TTL_SECONDS = 365 * 86_400.0
# Replies of these have ids by which nothing can be asked for.
FLEETING = frozenset({"completions", "embeddings", "images", "moderations"})
# What a thing of the caller's says was made on the way.
RESULTS = ("output_file_id", "error_file_id", "fine_tuned_model")
MOST_RESULTS = 16
LISTING = (
    "This lists what all keys of this gateway have stored. Ask for your own by its id, or see "
    "`passthrough.unknown`."
)
TUNNEL = (
    "Over a WebSocket each message may refer to what other keys have stored; see "
    "`passthrough.unknown`."
)


class Homes:
    """Finds and remembers accounts; tenants never meet."""

    def __init__(self, catalog: Catalog, affinities: Affinities, rules: PassRules) -> None:
        self._catalog = catalog
        self._owners = Owners(affinities)
        self._rules = rules
        self._several = len({(d.base_url, d.key) for d in catalog.deployments()}) > 1

    async def of(self, wanted: Wanted) -> Deployment:
        """The deployment whose account a request goes to.

        Raises:
            ObjectNotFound: what it refers to is not the caller's.
            PermissionDenied: it reaches for everybody's.
        """
        home = await self._home(wanted)
        if home is not None:
            return home
        model = named_model(wanted.document or {}) or wanted.query_model
        found_model = self._catalog.by_model.get(model)
        if found_model is None:
            return self._usual()
        tier, wants = found_model
        return next(d for d in self._catalog.tiers[tier] if d.model.name == wants.name)

    def _usual(self) -> Deployment:
        named_one = self._catalog.by_name.get(self._rules.deployment)
        largest = self._catalog.tiers[max(self._catalog.tiers)]
        return largest[0] if named_one is None else named_one[1]

    def strict(self, wanted: Wanted) -> bool:
        """Whether a caller may use only what its tenant is known to have made."""
        return bool(wanted.principal.tenant) and not self._rules.unknown

    async def places(self, wanted: Wanted, after: str) -> list[Deployment]:
        """One deployment of each account that may hold what follows an id, the usual one first."""
        usual = self._usual()
        accounts = {(d.base_url, d.key): d for d in (usual, *self._catalog.deployments(), usual)}
        places = list(accounts.values())
        owner = (await self._owners.of([after]))[0] if after else None
        found = self._catalog.by_name.get(owner.deployment) if owner is not None else None
        if found is None or owner is None or owner.tenant != digest(wanted.principal.tenant):
            return places
        begin = [(d.base_url, d.key) for d in places].index((found[1].base_url, found[1].key))
        return places[begin:]

    async def own(self, wanted: Wanted, names: Sequence[str]) -> list[bool]:
        """Which of these the caller's tenant is known to have made."""
        mine = digest(wanted.principal.tenant)
        owners = await self._owners.of(names) if names else []
        return [owner is not None and owner.tenant == mine for owner in owners]

    async def check(self, wanted: Wanted, found: Refers | None = None) -> Deployment | None:
        """Where what a request (or a part of it) refers to was made, if that is known.

        Raises:
            ObjectNotFound: something of it is not the caller's.
        """
        found = _refers(wanted) if found is None else found
        names = found.names()
        if not names:
            return None
        owners = await self._owners.of(names)
        check_all(names, owners, digest(wanted.principal.tenant))
        if self.strict(wanted):
            for name, owner in zip(found.must, owners, strict=False):
                if owner is None or not owner.tenant:
                    raise not_there(name)
        known = [self._catalog.by_name.get(owner.deployment) for owner in owners if owner]
        return next((one[1] for one in known if one is not None), None)

    async def _home(self, wanted: Wanted) -> Deployment | None:
        found = _refers(wanted)
        strict = self.strict(wanted)
        if strict and found.lists:
            raise PermissionDenied(LISTING)
        if strict and wanted.upgrade and wanted.path.startswith("/responses"):
            raise PermissionDenied(TUNNEL)
        return await self.check(wanted, found)

    async def made(self, wanted: Wanted, reply: Mapping[str, Any], where: Deployment) -> None:
        """Note where what a reply made lives, and whose it is."""
        tenant = wanted.principal.tenant
        if wanted.method in ("HEAD", "DELETE") or not (tenant or self._several):
            return
        owner = Owner(digest(tenant), where.name)
        names = tuple(_made(wanted, reply))
        for name, known in zip(names, await self._owners.of(names), strict=True):
            if known is None or known.tenant in ("", owner.tenant):
                await self._owners.made(name, owner, TTL_SECONDS)


def _refers(wanted: Wanted) -> Refers:
    _, _, query = wanted.target.partition("?")
    tunnel = bool(wanted.upgrade)
    return refers(wanted.method, wanted.path, query, wanted.said, tunnel=tunnel)


def _made(wanted: Wanted, reply: Mapping[str, Any]) -> Iterator[str]:
    """The ids of a reply that are new with it; those of a GET are what it led to meanwhile."""
    area = wanted.path[1:].partition("/")[0]
    if area in FLEETING:
        return
    if wanted.method != "GET":
        yield from _texts([reply.get("id")])
        inner = reply.get("file")
        yield from _texts([inner.get("id") if isinstance(inner, dict) else None])
    yield from _texts([reply.get(name) for name in RESULTS])
    results = reply.get("result_files")
    yield from _texts(results[:MOST_RESULTS] if isinstance(results, list) else [])


def _texts(values: list[Any]) -> Iterator[str]:
    yield from (value for value in values if isinstance(value, str) and value)
