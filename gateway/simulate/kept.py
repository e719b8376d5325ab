"""What callers store and fetch again: files, conversations, vector stores, chat completions.

One table says what each kind is called and holds; the verbs are the same for all. Not simulated:
what happens to the stored (nothing is indexed, a search finds the beginnings of files).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from gateway.simulate import refusals
from gateway.simulate.forms import Form
from gateway.simulate.shelf import Page, Shelf

Document = dict[str, Any]
FILES = "/files"
COMPLETIONS = "/chat/completions"
MOST_ITEMS = 20
FOUND_CHARACTERS = 400
DONE = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}


class Kind(NamedTuple):
    """A kind of object: its name, its ids, what it holds at first, what a caller may set."""

    name: str
    prefix: str
    first: Mapping[str, Any]
    settable: tuple[str, ...]
    created: str = "created_at"


KINDS: tuple[tuple[re.Pattern[str], Kind], ...] = tuple(
    (re.compile(f"({pattern})(?:/([^/]+))?"), kind)
    for pattern, kind in (
        (FILES, Kind("file", "file-", {}, ())),
        ("/batches", Kind("batch", "batch_", {}, ())),
        (COMPLETIONS, Kind("chat.completion", "chatcmpl-", {}, ("metadata",), "created")),
        ("/conversations", Kind("conversation", "conv_", {"metadata": {}}, ("metadata",))),
        ("/conversations/[^/]+/items", Kind("conversation.item", "msg_", {}, (), "")),
        (
            "/vector_stores",
            Kind(
                "vector_store",
                "vs_",
                {
                    "name": None,
                    "usage_bytes": 0,
                    "file_counts": DONE,
                    "status": "completed",
                    "expires_after": None,
                    "metadata": {},
                },
                ("name", "metadata", "expires_after"),
            ),
        ),
        (
            "/vector_stores/[^/]+/files",
            Kind("vector_store.file", "file-", {}, ("attributes",)),
        ),
    )
)
SEARCH = re.compile("(/vector_stores/[^/]+)/search")
# What the real thing has and this has not: an honest word is better than an unknown address.
NOT_SIMULATED = frozenset(
    (
        *("assistants", "chatkit", "containers", "evals", "fine_tuning", "realtime"),
        *("skills", "threads", "uploads", "videos"),
    )
)
# These are made by other means than a document that says what they hold.
MADE_OTHERWISE = (FILES, "/batches", COMPLETIONS)


class Wish(NamedTuple):
    """A request for something stored; `now` is seconds since the epoch."""

    method: str
    path: str
    asked: Document
    page: Page
    now: int


class Keeper:
    """Answers for what is stored on a shelf; `name` gives ids that no other object has."""

    def __init__(self, shelf: Shelf, name: Callable[[str], str]) -> None:
        self._shelf = shelf
        self._name = name

    def upload(self, form: Form, now: int) -> Document:
        """`POST /files`."""
        purpose, file = form.field("purpose"), form.file("file")
        return self.file(file.name, purpose, file.content, now)

    def file(self, filename: str, purpose: str, content: bytes, now: int) -> Document:
        """Store a file."""
        made = {
            "id": self._name("file-"),
            "object": "file",
            "bytes": len(content),
            "created_at": now,
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
        }
        self._shelf.put(FILES, made, content)
        return made

    def answer(self, wish: Wish) -> Document:
        """What a request for something stored gets.

        Raises:
            Refusal: there is no such address or object, or it cannot be what was asked for.
        """
        searched = SEARCH.fullmatch(wish.path)
        if searched is not None and wish.method == "POST":
            return self._search(searched[1], wish.asked)
        for pattern, kind in KINDS:
            if (found := pattern.fullmatch(wish.path)) is not None:
                return self._of_kind(kind, wish, found[1], found[2] or "")
        where = f"{wish.method} {wish.path[:200]}"
        if wish.path.split("/")[1] in NOT_SIMULATED:
            message = f"{where} is not simulated; only a real upstream answers it."
            raise refusals.Refusal(404, message, code="not_simulated")
        raise refusals.Refusal(404, f"Invalid URL ({where})")

    def _of_kind(self, kind: Kind, wish: Wish, collection: str, name: str) -> Document:
        parent, _, own = collection.rpartition("/")
        if own in ("items", "files") and parent:
            self._shelf.find(*_parted(parent))
        match wish.method, bool(name):
            case "GET", False:
                return self._shelf.listed(collection, wish.page)
            case "GET", True:
                return self._shelf.find(collection, name)
            case "DELETE", True:
                self._shelf.take(collection, name)
                return {"id": name, "object": f"{kind.name}.deleted", "deleted": True}
            case "POST", True if kind.settable:
                return self._changed(kind, collection, name, wish.asked)
            case "POST", False if own == "items":
                return self._added(collection, wish.asked)
            case "POST", False if collection not in MADE_OTHERWISE:
                return self._made(kind, collection, wish.asked, wish.now)
        raise refusals.Refusal(405, f"Not allowed to {wish.method} on {collection[:200]}.")

    def _changed(self, kind: Kind, collection: str, name: str, asked: Document) -> Document:
        changed = {**self._shelf.find(collection, name), **_set(kind, asked)}
        self._shelf.put(collection, changed, self._shelf.content(collection, name))
        return changed

    def _made(self, kind: Kind, collection: str, asked: Document, now: int) -> Document:
        name = self._name(kind.prefix)
        more: Document = {}
        if kind.name == "vector_store.file":
            name = refusals.text_of(asked, "file_id")
            store = collection.split("/")[2]
            size = self._shelf.find(FILES, name)["bytes"]
            more = {"vector_store_id": store, "usage_bytes": size, "status": "completed"}
        made = {"id": name, "object": kind.name, kind.created: now, **kind.first}
        made |= {**more, **_set(kind, asked)}
        inside = [_item(each, self._name) for each in _items(asked)] if "items" in asked else []
        self._shelf.put(collection, made)
        for item in inside if kind.name == "conversation" else ():
            self._shelf.put(f"{collection}/{name}/items", item)
        for file in asked.get("file_ids") or () if kind.name == "vector_store" else ():
            joint = f"{collection}/{name}/files"
            self.answer(Wish("POST", joint, {"file_id": file}, Page(), now))
        return made

    def _added(self, collection: str, asked: Document) -> Document:
        if "items" not in asked:
            refusals.refuse_missing("items")
        added = [_item(each, self._name) for each in _items(asked)]
        for item in added:
            self._shelf.put(collection, item)
        ends = {"first_id": added[0]["id"], "last_id": added[-1]["id"]} if added else {}
        return {"object": "list", "data": added, **ends, "has_more": False}

    def _search(self, store: str, asked: Document) -> Document:
        self._shelf.find(*_parted(store))
        query = refusals.text_of(asked, "query")
        data = []
        for file in self._shelf.all(f"{store}/files"):
            kept = self._shelf.find(FILES, file["id"])
            text = self._shelf.content(FILES, file["id"])[:FOUND_CHARACTERS].decode(
                "utf-8", "replace"
            )
            data.append(
                {
                    "file_id": file["id"],
                    "filename": kept["filename"],
                    "score": 0.5,
                    "attributes": {},
                    "content": [{"type": "text", "text": text}],
                }
            )
        return {
            "object": "vector_store.search_results.page",
            "search_query": [query],
            "data": data,
            "has_more": False,
            "next_page": None,
        }


def _parted(path: str) -> tuple[str, str]:
    collection, _, name = path.rpartition("/")
    return collection, name


def _set(kind: Kind, asked: Document) -> Document:
    said = {name: asked[name] for name in kind.settable if asked.get(name) is not None}
    if not isinstance(said.get("metadata", {}), dict):
        refusals.refuse_type("metadata", "an object", said["metadata"])
    return said


def _items(asked: Document) -> list[Document]:
    items = asked["items"]
    if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
        refusals.refuse_type("items", "an array of objects", items)
    if len(items) > MOST_ITEMS:
        refusals.refuse_value("items", f"At most {MOST_ITEMS} items at a time.")
    return items


def _item(said: Document, name: Callable[[str], str]) -> Document:
    """An item as it is stored: with an id, and its text as a part."""
    item = {"type": "message", **said, "status": "completed", "id": name("msg_")}
    if isinstance(said.get("content"), str):
        kind = "output_text" if said.get("role") == "assistant" else "input_text"
        item["content"] = [{"type": kind, "text": said["content"]}]
    return item


def messages_of(stored: Document, asked: bytes) -> Document:
    """The messages a stored chat completion answered, as a list."""
    data = [
        {"id": f"{stored['id']}-{index}", **message}
        for index, message in enumerate(orjson.loads(asked)["messages"])
    ]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
    return {"object": "list", "data": data, **ends, "has_more": False}
