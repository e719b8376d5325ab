"""Where the top-level members of a JSON object lie, so that they can be spliced.

Read as Latin-1, character n is byte n: the standard library's C scanner then tells where a value
ends, in linear time and for any spelling (escaped keys, duplicates, spaces, nested look-alikes),
and what it thinks the value is does not matter. Only for JSON a reader has accepted.
"""

import json
import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

_SCANNER = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\n\r]*+")


class Member(NamedTuple):
    """A member from its key's first quote (`start`) over its `value` to its `end`.

    Names beyond ASCII are mangled: compare with ASCII names only.
    """

    name: str
    start: int
    value: int
    end: int


class Edit(NamedTuple):
    """Put `text` in the place of the bytes from `start` to `end`."""

    start: int
    end: int
    text: bytes


def members(data: bytes) -> list[Member]:
    """The members of the object, in order, duplicates included."""
    text = data.decode("latin-1")
    found: list[Member] = []
    position = _next(text, text.index("{") + 1)
    while text[position] != "}":
        start = position
        name, position = _SCANNER.raw_decode(text, start)
        value = _next(text, _next(text, position) + 1)
        _, end = _SCANNER.raw_decode(text, value)
        found.append(Member(name, start, value, end))
        position = _next(text, end)
        if text[position] == ",":
            position = _next(text, position + 1)
    return found


def elements(data: bytes) -> list[tuple[int, int]]:
    """Where the values of the array lie, in order."""
    text = data.decode("latin-1")
    found: list[tuple[int, int]] = []
    position = _next(text, text.index("[") + 1)
    while text[position] != "]":
        _, end = _SCANNER.raw_decode(text, position)
        found.append((position, end))
        position = _next(text, end)
        if text[position] == ",":
            position = _next(text, position + 1)
    return found


def cuts(found: list[Member], names: Collection[str]) -> list[Edit]:
    """Edits that remove members by name, each with one comma."""
    return cuts_at(found, [i for i, member in enumerate(found) if member.name in names])


def cuts_at(found: list[Member], doomed: list[int]) -> list[Edit]:
    """Edits that remove members by place (ascending), each with one comma."""
    last = len(found) - 1
    while doomed and doomed[-1] == last:
        doomed = doomed[:-1]
        last -= 1
    edits = [Edit(found[i].start, found[i + 1].start, b"") for i in doomed]
    if last < len(found) - 1:
        # Nothing is kept behind these: the comma to go is the one before them.
        start = found[last].end if last >= 0 else found[0].start
        edits.append(Edit(start, found[-1].end, b""))
    return edits


def splice(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Apply edits that do not overlap; all other bytes stay."""
    pieces: list[bytes] = []
    position = 0
    for start, end, text in sorted(edits):
        pieces += (data[position:start], text)
        position = end
    pieces.append(data[position:])
    return b"".join(pieces)


def _next(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position
