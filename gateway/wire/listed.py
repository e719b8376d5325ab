"""Lists of what an account stores, as pages to be read and made anew.

A page is an object whose `data` holds objects with an `id`, newest or oldest first; `after` asks
for what follows an id, `has_more` says whether something does. Kept entries stay byte for byte, and
so does all else of the last page read but what must say something different now.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

import orjson

from gateway.errors import InvalidValue
from gateway.wire.members import Edit, elements, members, splice
from gateway.wire.reader import Unreadable, look
from gateway.wire.stored import MOST_FIELDS

# The collections that are listed, with how many a page has where the caller does not say.
COLLECTIONS: Mapping[str, int] = {
    "/assistants": 20,
    "/batches": 20,
    "/chat/completions": 20,
    "/containers": 20,
    "/evals": 20,
    "/files": 10_000,
    "/fine_tuning/jobs": 20,
    "/skills": 20,
    "/vector_stores": 20,
    "/videos": 20,
}
# What all of them give at once.
PAGE = 100


class Listing(NamedTuple):
    """A list that is asked for: `limit` entries that follow `after`; `fields` are the others."""

    path: str
    fields: tuple[tuple[str, str], ...]
    limit: int
    after: str
    page: str = str(PAGE)

    def target(self, after: str) -> str:
        """What to ask for what follows an id ("": from the beginning)."""
        more = [*self.fields, ("limit", self.page), *([("after", after)] if after else [])]
        return f"{self.path}?{urlencode(more)}"


class Page(NamedTuple):
    """One page as it came: `ids` and `texts` of its entries, whether more follow."""

    body: bytes
    entries: tuple[Mapping[str, Any], ...]
    texts: tuple[bytes, ...]
    more: bool

    @property
    def ids(self) -> tuple[str, ...]:
        """The entries' ids, in order."""
        return tuple(str(entry.get("id", "")) for entry in self.entries)

    def follows(self, after: str) -> str:
        """What the next page comes after; "" where there is none, or it would be the same again."""
        last = self.ids[-1] if self.more and self.entries else ""
        return last if last != after else ""


def listing(method: str, path: str, query: str) -> Listing | None:
    """The list a request asks for, if it is one.

    Raises:
        InvalidValue: it says twice where it begins, or is asked for backwards.
    """
    usual = COLLECTIONS.get(path)
    if method != "GET" or usual is None:
        return None
    fields = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    said = {name: value for name, value in fields if name in ("limit", "after", "before")}
    others = tuple(field for field in fields if field[0] not in said)
    if len(said) + len(others) != len(fields):
        message = "The query says `limit`, `after` or `before` more than once."
        raise InvalidValue(message)
    if said.get("before"):
        message = "With this key lists are read forwards: say `after`, and `order` where it may be."
        raise InvalidValue(message, param="before")
    after, limit = said.get("after", ""), said.get("limit", "")
    most = max(usual, PAGE)
    if limit.isascii() and limit.isdigit() and 0 < int(limit) <= most:
        return Listing(path, others, int(limit), after)
    # Any other limit is the upstream's to refuse.
    return Listing(path, others, usual, after, limit or str(PAGE))


def page(body: bytes) -> Page | None:
    """Read a page; None where it is none."""
    try:
        document = look(body)
    except Unreadable:
        return None
    entries = document.get("data") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        return None
    start, end = next((m.value, m.end) for m in reversed(members(body)) if m.name == "data")
    data = body[start:end]
    texts = tuple(data[first:last] for first, last in elements(data))
    return Page(body, tuple(entries), texts, document.get("has_more") is True)


def composed(last: Page, kept: Sequence[tuple[str, bytes]], *, more: bool) -> bytes:
    """A page of these entries (ids and texts), made of the last one that was read."""
    ends = (kept[0][0], kept[-1][0]) if kept else (None, None)
    said = {
        "data": b"[%b]" % b",".join([text for _, text in kept]),
        "first_id": orjson.dumps(ends[0]),
        "last_id": orjson.dumps(ends[1]),
        "has_more": b"true" if more else b"false",
    }
    edits = [Edit(m.value, m.end, said[m.name]) for m in members(last.body) if m.name in said]
    return splice(last.body, edits)
