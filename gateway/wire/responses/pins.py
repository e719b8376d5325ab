"""What ties a request to where earlier answers came from.

Stored responses, conversations and items live in one upstream account, and encrypted reasoning can
be read only by the account and model that wrote it. Ids are looked up in this order; the first one
that is known decides.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

MOST_IDS = 32
"""Ids that are looked up; a conversation's items were all made in one place."""


REFERRING = frozenset({"item_reference", "reasoning", "compaction"})


class Pins(NamedTuple):
    """The ids a request refers to, strongest first; `sealed`: it carries encrypted reasoning."""

    ids: tuple[str, ...]
    sealed: bool

    def __bool__(self) -> bool:
        return bool(self.ids) or self.sealed


NO_PINS = Pins((), sealed=False)


def pins(document: Mapping[str, Any]) -> Pins:
    """What a request's document is pinned by."""
    items = document.get("input")
    items = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    sealed = any(item.get("encrypted_content") for item in items)
    named = [*_stored(document), *_of_items(items)]
    if not named and not sealed:
        return NO_PINS
    return Pins(tuple(dict.fromkeys(named))[:MOST_IDS], sealed)


def _stored(document: Mapping[str, Any]) -> Iterator[str]:
    conversation = document.get("conversation")
    if isinstance(conversation, dict):
        conversation = conversation.get("id")
    for name in (document.get("previous_response_id"), conversation):
        if isinstance(name, str) and name:
            yield name


def _of_items(items: list[dict[str, Any]]) -> Iterator[str]:
    """What refers or is sealed, the latest first: that is likeliest to be remembered."""
    for item in reversed(items):
        name = item.get("id")
        refers = item.get("type") in REFERRING
        # A reference may leave its type out: an item of nothing but an id.
        if isinstance(name, str) and name and (refers or item.keys() <= {"id", "type"}):
            yield name
