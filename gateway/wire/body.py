"""A request's body: looked at once, spliced at most.

`rewrite` changes the bytes routing must change and no others; it never dumps what it read. Its
usual case rests on one fact: a document that has a member `model`, in bytes that hold `"model"`
exactly once and no escape that could spell one of its letters, has that member just there.
"""

import json
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import orjson

from gateway.errors import MalformedBody
from gateway.wire.members import Edit, Member, cuts, members, splice
from gateway.wire.reader import MAX_DEPTH, Unreadable, deeper_than, look

_MODEL = b'"model"'
# m, o, d, e and l are \u006d, 6f, 64, 65 and 6c.
_ESCAPED_LETTER = b"\\u006"
_QUOTE, _BRACE, _BACKSLASH = b'"{\\'
_ASK = b'"include_usage":true'
_OPTIONS = b'"stream_options":{' + _ASK + b"}"
_OPTIONS_FIRST = _OPTIONS + b","
CHAT_LIMITS = ("max_completion_tokens", "max_tokens")
Editor = Callable[[Member], list[Edit]]
# Below this many bytes counting brackets is cheaper than walking the document.
_COUNTED_BYTES = 1024
_KINDS = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


def read(body: bytes) -> dict[str, Any]:
    """Read a request's body.

    Of a name given twice the last counts; integers beyond 64 bits become floats.

    Raises:
        MalformedBody: when it is no JSON object, or nests deeper than `MAX_DEPTH` levels.
    """
    try:
        document = look(body)
    except Unreadable as refusal:
        message = f"We could not parse the JSON body of your request: {refusal}."
        raise MalformedBody(message) from None
    if document.__class__ is not dict:
        kind = _KINDS.get(type(document), "a number")
        message = f"The JSON body of your request must be an object, not {kind}."
        raise MalformedBody(message)
    if _may_be_deep(body) and deeper_than(document, MAX_DEPTH):
        message = f"The JSON body of your request nests deeper than {MAX_DEPTH} levels."
        raise MalformedBody(message)
    return document


def rewrite(  # noqa: PLR0913 - all that may be changed, each by its name
    body: bytes,
    document: Mapping[str, Any],
    *,
    model: str | None,
    drop: Collection[str] = (),
    include_usage: bool = False,
    max_tokens: int | None = None,
    limits: tuple[str, ...] = CHAT_LIMITS,
) -> bytes:
    """Splice a body that was read as `document`.

    The value of every top-level `model` becomes `model` (None: stays; a body without one gets
    none). The top-level members named in `drop` go. With `include_usage` the upstream is asked
    for a stream's usage. An answer may have at most `max_tokens`: a larger limit becomes this
    one, a missing one is added; `limits` are the members that say so, the one to add first. Options
    and limits of the wrong type are the upstream's to refuse.
    """
    ask = include_usage and not _asks(document)
    if max_tokens is None and not (ask and "stream_options" in document):
        # The usual case: nothing to do but rename, and perhaps ask.
        named = drop and not document.keys().isdisjoint(drop)
        quick = None if named else _rename(body, document, model, _OPTIONS_FIRST if ask else b"")
        if quick is not None:
            return quick
    editors: dict[str, Editor] = {}
    added: list[bytes] = []
    if model is not None:
        editors["model"] = partial(_replace, _spelled(model))
    if ask:
        editors["stream_options"] = partial(_ask_in, body)
        if "stream_options" not in document:
            added.append(_OPTIONS)
    if max_tokens is not None:
        _limit(document, max_tokens, limits, editors, added)
    return _edited(body, drop, editors, added)


def _edited(
    body: bytes, drop: Collection[str], editors: Mapping[str, Editor], added: list[bytes]
) -> bytes:
    found = members(body)
    edits = cuts(found, drop)
    kept = [member for member in found if member.name not in drop]
    for member in kept:
        if member.name in editors:
            edits += editors[member.name](member)
    body = splice(body, edits)
    if added and kept:
        added = [*added, b""]
    return _add(body, b",".join(added)) if added else body


def _may_be_deep(body: bytes) -> bool:
    return len(body) > _COUNTED_BYTES or body.count(b"[") + body.count(b"{") > MAX_DEPTH


def _spelled(text: str) -> bytes:
    # orjson refuses half a surrogate pair; the standard library escapes whatever it is given.
    return orjson.dumps(text) if text.isascii() else json.dumps(text).encode()


def _asks(document: Mapping[str, Any]) -> bool:
    options = document.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _rename(
    body: bytes, document: Mapping[str, Any], model: str | None, front: bytes
) -> bytes | None:
    """The body with another model and `front` behind its brace; None when that takes a scan."""
    if model is None and not front:
        return body
    if model is None:
        return _add(body, front) if document else None
    # Searching backwards is a third faster than forwards, in CPython 3.11 at least.
    at = body.rfind(_MODEL)
    escaped = _BACKSLASH in body
    if (
        document.get("model").__class__ is not str
        or body.rfind(_MODEL, 0, at) >= 0
        or (escaped and _ESCAPED_LETTER in body)
    ):
        return None
    # Only a colon and blanks stand before the value, as it is a string.
    start = body.find(_QUOTE, at + 7)
    end = body.find(_QUOTE, start + 1) + 1
    if escaped and _BACKSLASH in body[start:end]:
        return None
    if not front:
        return b"".join((body[:start], _spelled(model), body[end:]))
    brace = body.find(_BRACE) + 1
    return b"".join((body[:brace], front, body[brace:start], _spelled(model), body[end:]))


def _add(body: bytes, text: bytes) -> bytes:
    """Put text behind the opening brace."""
    brace = body.index(b"{") + 1
    return b"".join((body[:brace], text, body[brace:]))


def _limit(
    document: Mapping[str, Any],
    most: int,
    limits: tuple[str, ...],
    editors: dict[str, Editor],
    added: list[bytes],
) -> None:
    present = [n for n in limits if n in document]
    stated = [n for n in present if document[n] is not None]
    if stated:
        editors.update((n, partial(_lower, most, document[n])) for n in stated)
    elif present:
        # Only one of them: OpenAI refuses a call that sets both.
        editors[present[0]] = partial(_replace, b"%d" % most)
    else:
        added.append(b'"%b":%d' % (limits[0].encode(), most))


def _lower(most: int, limit: object, member: Member) -> list[Edit]:
    above = isinstance(limit, int | float) and limit > most
    return [Edit(member.value, member.end, b"%d" % most)] if above else []


def _replace(text: bytes, member: Member) -> list[Edit]:
    return [Edit(member.value, member.end, text)]


def _ask_in(body: bytes, options: Member) -> list[Edit]:
    _, _, start, end = options
    text = body[start:end]
    if text == b"null":
        return [Edit(start, end, b"{" + _ASK + b"}")]
    if not text.startswith(b"{"):
        return []
    found = members(text)
    own = [member for member in found if member.name == "include_usage"]
    if own:
        return [Edit(start + m.value, start + m.end, b"true") for m in own]
    return [Edit(start + 1, start + 1, _ASK + b"," if found else _ASK)]
