"""Stored responses, so that they can be fetched, deleted and continued.

In memory and bounded: the oldest go first. The same question gets the same id, as it gets the same
answer, so asking again stores it again.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from gateway.simulate.refusals import Refusal

MOST_STORED = 4_096
MOST_BYTES = 64 * 1024 * 1024


class Stored(NamedTuple):
    """A response, and the chat messages that led to it with its own at their end."""

    response: Mapping[str, Any]
    messages: list[dict[str, Any]]


class Memory:
    """Holds responses by id, as bytes: their size is what is bounded."""

    __slots__ = ("_held", "_size")

    def __init__(self) -> None:
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def keep(self, stored: Stored) -> None:
        """Store a response under its id."""
        name = stored.response["id"]
        self._drop(name)
        self._held[name] = orjson.dumps([*stored])
        self._size += len(self._held[name])
        while len(self._held) > MOST_STORED or self._size > MOST_BYTES:
            self._drop(next(iter(self._held)))

    def find(self, name: str) -> Stored | None:
        """What is stored under an id."""
        data = self._held.get(name)
        return None if data is None else Stored(*orjson.loads(data))

    def fetch(self, name: str) -> Mapping[str, Any]:
        """A stored response.

        Raises:
            Refusal: 404.
        """
        stored = self.find(name)
        if stored is None:
            raise _unknown(name)
        return stored.response

    def delete(self, name: str) -> Mapping[str, Any]:
        """Forget a response; gives what OpenAI says then.

        Raises:
            Refusal: 404.
        """
        if not self._drop(name):
            raise _unknown(name)
        return {"id": name, "object": "response", "deleted": True}

    def _drop(self, name: str) -> bool:
        data = self._held.pop(name, None)
        self._size -= len(data or b"")
        return data is not None


def _unknown(name: str) -> Refusal:
    return Refusal(404, f"Response with id '{name[:100]}' not found.")
