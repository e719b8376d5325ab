"""Which account a passed request goes to: the one that made what it refers to, or the default.

Files, batches, stored replies and the like exist in one upstream account only. Where the catalog
has more than one, the id of what each reply made is remembered with its deployment, as it came: ids
are never written anew. With one account there is nothing to remember.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.catalog import Catalog, Deployment
from gateway.flow.passage import Wanted
from gateway.flow.pinning import KIND, TTL_SECONDS, named
from gateway.ports import Affinities
from gateway.wire.surface import named_model

# Ids looked up of one request; real ones refer to a few.
MOST_LOOKUPS = 8
# `file-abc…`, `resp_…`, `rtc_…`: shorter words are parts of paths.
SHORTEST_ID = 8
LONGEST_ID = 200


class Homes:
    """Finds and remembers accounts; tenants never meet."""

    def __init__(self, catalog: Catalog, affinities: Affinities, default: str) -> None:
        self._catalog = catalog
        self._affinities = affinities
        self._default = default
        self._several = len({(d.base_url, d.key) for d in catalog.deployments()}) > 1

    async def of(self, wanted: Wanted) -> Deployment:
        """The deployment whose account a request goes to."""
        document = wanted.document or {}
        if self._several:
            tenant = wanted.principal.tenant
            for name in _ids(wanted.path, document):
                note = await self._affinities.get(KIND, named(tenant, name))
                if note is not None and (found := self._catalog.by_name.get(note)) is not None:
                    return found[1]
        model = named_model(document) or wanted.query_model
        found_model = self._catalog.by_model.get(model)
        if found_model is None:
            named_one = self._catalog.by_name.get(self._default)
            largest = self._catalog.tiers[max(self._catalog.tiers)]
            return largest[0] if named_one is None else named_one[1]
        tier, wants = found_model
        return next(d for d in self._catalog.tiers[tier] if d.model.name == wants.name)

    async def made(self, wanted: Wanted, reply: Mapping[str, Any], where: Deployment) -> None:
        """Note where what a reply made lives."""
        made = reply.get("id")
        writes = wanted.method not in ("GET", "HEAD", "DELETE")
        if self._several and writes and isinstance(made, str) and _is_id(made):
            note = named(wanted.principal.tenant, made)
            await self._affinities.put(KIND, note, where.name, TTL_SECONDS)


def _is_id(text: str) -> bool:
    return SHORTEST_ID <= len(text) <= LONGEST_ID and ("-" in text or "_" in text)


def _ids(path: str, document: Mapping[str, Any]) -> list[str]:
    return [text for text in _words(path, document) if _is_id(text)][:MOST_LOOKUPS]


def _words(path: str, document: Mapping[str, Any]) -> Iterator[str]:
    yield from path.split("/")[2:]
    for name, value in document.items():
        if isinstance(value, str) and name.endswith(("_id", "file", "conversation")):
            yield value
        elif isinstance(value, list) and name.endswith("_ids"):
            yield from (one for one in value[:MOST_LOOKUPS] if isinstance(one, str))
