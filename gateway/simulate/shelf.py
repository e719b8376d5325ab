"""What callers have stored in the simulation: files, conversations, vector stores and the like.

In memory and bounded: the oldest go first. An object lies at its path (`/files/file-…`); what
belongs to it lies below and goes with it.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from gateway.simulate.refusals import Refusal

MOST_STORED = 4_096
MOST_BYTES = 64 * 1024 * 1024
# As many as the API gives in a page, at most and if nothing is said.
MOST_LISTED = 100
LISTED = 20


class Page(NamedTuple):
    """Which part of a list is wanted: so many behind an id, the newest first or not."""

    limit: int = LISTED
    after: str = ""
    newest_first: bool = True


class Shelf:
    """Holds objects as bytes, with the contents some of them have."""

    __slots__ = ("_held", "_size")

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[bytes, bytes]] = OrderedDict()
        self._size = 0

    def put(self, collection: str, thing: Mapping[str, Any], content: bytes = b"") -> None:
        """Lay an object under its id, in place of what lay there."""
        path = f"{collection}/{thing['id']}"
        document = orjson.dumps(thing)
        old = self._held.get(path, (b"", b""))
        self._held[path] = document, content
        self._size += len(document) + len(content) - len(old[0]) - len(old[1])
        while len(self._held) > MOST_STORED or self._size > MOST_BYTES:
            self._drop(next(iter(self._held)))

    def find(self, collection: str, name: str) -> dict[str, Any]:
        """An object.

        Raises:
            Refusal: 404.
        """
        found: dict[str, Any] = orjson.loads(self._at(collection, name)[0])
        return found

    def content(self, collection: str, name: str) -> bytes:
        """An object's contents.

        Raises:
            Refusal: 404.
        """
        return self._at(collection, name)[1]

    def take(self, collection: str, name: str) -> None:
        """Take an object away, with all that belongs to it.

        Raises:
            Refusal: 404.
        """
        self._at(collection, name)
        path = f"{collection}/{name}"
        for each in [each for each in self._held if each.startswith(f"{path}/")]:
            self._drop(each)
        self._drop(path)

    def all(self, collection: str) -> list[dict[str, Any]]:
        """What lies in a collection, the oldest first."""
        begin = f"{collection}/"
        inside = [path for path in self._held if path.startswith(begin)]
        return [
            orjson.loads(self._held[each][0]) for each in inside if "/" not in each[len(begin) :]
        ]

    def listed(self, collection: str, page: Page) -> dict[str, Any]:
        """A page of a collection, as the API gives lists."""
        found = self.all(collection)
        if page.newest_first:
            found.reverse()
        names = [each["id"] for each in found]
        if page.after in names:
            found = found[names.index(page.after) + 1 :]
        data = found[: page.limit]
        return {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(found) > len(data),
        }

    def _at(self, collection: str, name: str) -> tuple[bytes, bytes]:
        found = self._held.get(f"{collection}/{name}")
        if found is None:
            kind = collection.rpartition("/")[2]
            message = f"No such object in {kind}: {name[:100]}"
            raise Refusal(404, message, param="id")
        return found

    def _drop(self, path: str) -> None:
        document, content = self._held.pop(path)
        self._size -= len(document) + len(content)
