"""JSON objects spelled every way the grammar allows, as hypothesis strategies."""

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

SPACE = st.text(" \t\n\r", max_size=2)
TEXT = st.one_of(
    st.sampled_from(
        ["model", '"model"', '"model":"x"', '\\"model', "usage", '"usage":null', "}", "{", ",", ""]
    ),
    st.text(st.characters(codec="utf-8"), max_size=6),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(-1e9, 1e9), TEXT
)
NAMES = st.sampled_from(["model", "stream_options", "usage", "models"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(NAMES, TEXT), inner, max_size=3)
    ),
    max_leaves=8,
)


@dataclass(frozen=True)
class Spelled:
    """A member, the bytes of its key and value, and the spaces between and around them."""

    name: str
    value: Any
    key: bytes
    colon: bytes
    text: bytes
    before: bytes
    after: bytes

    @property
    def bytes(self) -> bytes:
        return self.key + self.colon + self.text


def object_of(members: list[Spelled], outer: bytes = b"") -> bytes:
    inside = b",".join(m.before + m.bytes + m.after for m in members)
    return outer + b"{" + inside + b"}" + outer


def pairs(data: bytes) -> Any:
    """What JSON says, with duplicates and order."""
    return json.loads(data, object_pairs_hook=lambda found: found)


@st.composite
def member(draw: st.DrawFn, names: st.SearchStrategy[str], values: Any = VALUES) -> Spelled:
    name = draw(names)
    value = draw(values)
    ascii_only = draw(st.booleans())
    text = json.dumps(value, ensure_ascii=ascii_only, indent=draw(st.sampled_from([None, 1])))
    key = json.dumps(name)
    if draw(st.integers(0, 5)) == 0:
        key = '"' + "".join(f"\\u{ord(c):04x}" for c in name if ord(c) < 0x10000) + '"'
    space = [draw(SPACE).encode() for _ in range(4)]
    colon = space[0] + b":" + space[1]
    return Spelled(name, value, key.encode(), colon, text.encode(), space[2], space[3])
