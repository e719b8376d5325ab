"""What a request refers to of what the upstream stores: by its path, its query and its body.

A path below `/v1` names a collection, then one thing in it, then what lies within that:

    /files                    lists all there is in the account
    /files/file-1/content     `file-1` is what must be the caller's
    /threads/t/messages/m     so must `t`; `m` is within it

A body may refer to things anywhere in it. It is read strictly: a member given twice, or again in
other letters, is one that two readers may read differently.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from gateway.errors import InvalidValue
from gateway.wire.surface import READING, area

# Longer ones are no ids, and nobody made them.
LONGEST_ID = 200
# More than any request refers to; a batch of files for a vector store has up to 2,000.
MOST_NAMES = 2_048
# Longer queries are no query of this API.
MOST_FIELDS = 64
# Areas whose collections are the second part of a path.
NESTED = frozenset({"audio", "chat", "chatkit", "fine_tuning", "images", "realtime"})
# Parts of paths that stand where an id would, and are none.
VERBS = frozenset({"client_secrets", "compact", "graders", "input_tokens", "runs"})
# Members that refer to something by its id.
REFERRING = frozenset(
    {
        "assistant_id",
        "batch_id",
        "consent",
        "container",
        "container_id",
        "conversation",
        "conversation_id",
        "eval_id",
        "file_id",
        "file_ids",
        "input_file_id",
        "part_ids",
        "previous_response_id",
        "response_id",
        "skill_id",
        "thread_id",
        "training_file",
        "upload_id",
        "validation_file",
        "vector_store_id",
        "vector_store_ids",
        "video_id",
    }
)
# What stands there where nothing is referred to.
NO_IDS = frozenset({"", "auto", "none"})
# A caller's own words, whatever they look like.
FREE_FORM = frozenset({"metadata", "parameters", "schema"})
# Models that were made of somebody's files.
TUNED = "ft:"
# Sources of an evaluation that are whatever the account keeps.
WHOLE_ACCOUNT = frozenset({"logs", "responses", "stored_completions"})
# What a routed call must hold that refers to more than its own members say, or says those twice.
IDS = (b"file_id", b"vector_store_id", b"skill_id")
MARKS = (b'"container', b"item_reference")
ONCE = (b'"previous_response_id"', b'"conversation"')
# Parts of a chat that hold what they say.
WHOLE_PARTS = frozenset({"text", "image_url", "input_audio", "refusal"})
# An escape of ASCII could spell each of them.
ESCAPED = re.compile(rb"\\u00[2-7]")
# Not worth asking whose they are: parts of paths within a thing are words, or ids as these.
ID_SHAPE = re.compile(r"(?=.*[0-9])[A-Za-z0-9]+[-_].{4,}")


class Refers(NamedTuple):
    """What must be the caller's, what may only not be another's, and whether it lists all."""

    must: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    lists: bool = False

    def names(self) -> tuple[str, ...]:
        """All of them, what must be the caller's first."""
        return self.must + self.within


class Said(NamedTuple):
    """What a body says: the models it names anywhere, and what it refers to or seems to."""

    models: tuple[str, ...] = ()
    refers: tuple[str, ...] = ()
    seems: tuple[str, ...] = ()
    whole_account: bool = False


NOTHING = Said()


def refers(method: str, inside: str, query: str, said: Said, *, tunnel: bool = False) -> Refers:
    """What a request refers to; `inside` is its path below `/v1`."""
    first, within = _of_path(inside)
    lists = not first and method in READING and not tunnel
    lists = lists or (said.whole_account and area(inside) == "evals")
    names = (*([first] if first else []), *_of_query(query), *said.refers)
    return Refers(tuple(dict.fromkeys(names)), within + said.seems, lists)


def _of_path(inside: str) -> tuple[str, tuple[str, ...]]:
    parts = [unquote(part) for part in inside.split("/")[1:]]
    where = area(inside)
    if where == "models":
        return "/".join(parts[1:]), ()
    rest = parts[2:] if where in NESTED else parts[1:]
    if not rest or rest[0] in VERBS:
        return "", ()
    return rest[0], tuple(part for part in rest[1:] if ID_SHAPE.fullmatch(part))


def _of_query(query: str) -> Iterator[str]:
    if "id" not in query and "%" not in query:
        return
    try:
        fields = parse_qsl(query, max_num_fields=MOST_FIELDS)
    except ValueError:
        message = f"The query has more than {MOST_FIELDS} fields."
        raise InvalidValue(message) from None
    for name, value in fields:
        if name.lower() == "id" or name.lower().endswith(("_id", "_ids", "_id[]", "_ids[]")):
            yield value


def may_refer(body: bytes) -> bool:
    """Whether a response's body must be surveyed; most need not."""
    for mark in (*IDS, *MARKS) if b"_id" in body else MARKS:
        if mark in body:
            return True
    for name in ONCE:
        if body.count(name) > 1:
            return True
    return b"\\u00" in body and ESCAPED.search(body) is not None


def carries(document: Mapping[str, Any]) -> bool:
    """Whether a chat holds more than its own words: a part or a tool that may refer to a file.

    Looking at the document's parts takes microseconds where searching its bytes takes hundreds.
    """
    messages, tools = document.get("messages"), document.get("tools")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if content.__class__ is list else ():
            if isinstance(part, dict) and _kind(part) not in WHOLE_PARTS:
                return True
    return any(
        isinstance(tool, dict) and _kind(tool) != "function"
        for tool in (tools if isinstance(tools, list) else ())
    )


def _kind(part: Mapping[str, Any]) -> str:
    kind = part.get("type")
    return kind if isinstance(kind, str) and "file" not in part else ""


def survey(body: bytes) -> Said:
    """What a body says that was read as a JSON object before.

    Raises:
        InvalidValue: it says something twice, or refers to too much.
    """
    document = json.loads(body.decode(), object_pairs_hook=_once, parse_int=str, parse_float=str)
    looking = _Looking()
    level = [document]
    while level:
        level = [inner for node in level for inner in looking.see(node)]
    if len(looking.refers) + len(looking.seems) > MOST_NAMES:
        message = f"The body refers to more than {MOST_NAMES} stored objects."
        raise InvalidValue(message)
    return Said(
        tuple(dict.fromkeys(looking.models)),
        tuple(dict.fromkeys(looking.refers)),
        tuple(dict.fromkeys(looking.seems)),
        looking.whole_account,
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's members by their names in small letters, each said once."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        lowered = name.lower()
        if lowered in found:
            message = f"The body says `{name[:64]}` more than once in one object."
            raise InvalidValue(message, param=name[:64])
        found[lowered] = value
    return found


class _Looking:
    """Collects over the objects of one body."""

    def __init__(self) -> None:
        self.models: list[str] = []
        self.refers: list[str] = []
        self.seems: list[str] = []
        self.whole_account = False

    def see(self, node: Any) -> list[Any]:  # noqa: ANN401 - JSON is anything
        """Look at one value; gives what lies in it and must be looked at too."""
        if isinstance(node, list):
            return [inner for inner in node if isinstance(inner, dict | list)]
        for name, value in node.items():
            if name == "model" and isinstance(value, str):
                self.models.append(value)
                if value.startswith(TUNED):
                    self.seems.append(value)
            elif name in REFERRING:
                self._refer(self.refers, value)
            elif name.endswith(("_id", "_ids")):
                self._refer(self.seems, value)
        kind = node.get("type")
        kind = kind if isinstance(kind, str) else ""
        if kind in ("file_id", "item_reference") or node.keys() == {"id"}:
            self._refer(self.seems if kind != "file_id" else self.refers, node.get("id"))
        self.whole_account = self.whole_account or kind in WHOLE_ACCOUNT
        return [v for n, v in node.items() if n not in FREE_FORM and isinstance(v, dict | list)]

    def _refer(self, found: list[str], value: object) -> None:
        for one in value if isinstance(value, list) else (value,):
            name = one.get("id") if isinstance(one, dict) else one
            if isinstance(name, str) and name not in NO_IDS:
                found.append(name)
