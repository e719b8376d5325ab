"""One way to look at JSON, for requests and replies alike; it never writes any.

orjson reads by the book. One thing it refuses that lives in the wild: an escape of half a
surrogate pair (streams cut emoji in two). Such text is masked, judged by orjson all the same, and
only then read by the standard library, so the second reader is never the more lenient one:
NaN, Infinity, 1e400, a byte order mark, invalid UTF-8 and trailing bytes stay refused.
Integers beyond 64 bits are read as floats by both.
"""

import json
import re
from typing import Any

import orjson

MAX_DEPTH = 128
"""Levels of nesting. Real calls have fewer than 20; the standard library recurses on them."""

_CONTAINERS = frozenset((dict, list))
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
# Digits of 2**64. Python refuses to read integers of more than 4300 digits at all.
_INTEGER_DIGITS = 20


class Unreadable(ValueError):
    """The bytes are no JSON; the text says why and where."""


def look(data: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    """Read JSON.

    Raises:
        Unreadable: when it is none.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as refusal:
        if _SURROGATE.search(data) is None:
            raise Unreadable(_reason(data, refusal)) from None
    return _look_again(data)


def deeper_than(document: Any, levels: int) -> bool:  # noqa: ANN401 - JSON is anything
    """Whether a container nests deeper than this; looks at each value once."""
    level = [document]
    for _ in range(levels):
        level = [
            value
            for node in level
            for value in (node.values() if node.__class__ is dict else node)
            if value.__class__ is dict or value.__class__ is list
        ]
        if not level:
            return False
    return True


def _look_again(data: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    # The mask turns every surrogate into a harmless escape of the same length, so whatever orjson
    # still refuses is refused for another reason, and at the right place.
    masked = _SURROGATE.sub(rb"\\u00", data)
    try:
        judged = orjson.loads(masked)
    except orjson.JSONDecodeError as refusal:
        raise Unreadable(_reason(data, refusal)) from None
    if judged.__class__ in _CONTAINERS and deeper_than(judged, MAX_DEPTH):
        message = f"more than {MAX_DEPTH} levels of nesting"
        raise Unreadable(message)
    return json.loads(data.decode(), parse_int=_integer)


def _integer(digits: str) -> int | float:
    number = int(digits) if len(digits) <= _INTEGER_DIGITS else 1 << 64
    return number if -(1 << 63) <= number < 1 << 64 else float(digits)


def _reason(data: bytes, refusal: orjson.JSONDecodeError) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as broken:
        return f"invalid UTF-8 at byte {broken.start}"
    return f"{refusal.msg} at line {refusal.lineno}, column {refusal.colno}"
