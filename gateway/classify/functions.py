"""What tools cost in tokens, by the published formula, and how heavy any JSON value is.

The formula (OpenAI's cookbook, "How to count tokens with tiktoken") was measured on flat function
schemas: 7 a function and the tokens of `name:description`, 3 for having properties, 3 a property
and the tokens of `key:type:description`, 3 less and 3 more a value for an enumeration, 12 for all
of it. Nested objects, arrays and alternatives have no published figures; they are counted as if
their properties stood at the top. It is an estimate, and the weight of the same JSON bounds it.
"""

from collections.abc import Iterator
from typing import Any

import orjson

FUNCTION = 7
FUNCTION_END = 12
PROPERTIES = 3
PROPERTY = 3
ENUM = -3
ENUM_ITEM = 3

_SUBSCHEMAS = ("items", "additionalProperties", "not")
_ALTERNATIVES = ("anyOf", "oneOf", "allOf", "prefixItems")
_DEFINITIONS = ("$defs", "definitions")


def weigh(value: object) -> int:
    """Bytes of a value as compact JSON, or a little more: a bound on its tokens."""
    try:
        return len(orjson.dumps(value))
    except TypeError:
        return _weigh_by_hand(value)


def utf8_length(text: str) -> int:
    """Bytes of a text as the tokenizer sees it: lone surrogates are replaced, pairs joined."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return len(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode())


def pieces(tools: list[Any]) -> tuple[list[str], int]:
    """The texts that the formula tokenises, each by itself, and the tokens it adds to them.

    A tool is a function nested (Chat Completions), flat (Responses) or bare (legacy functions).
    """
    texts: list[str] = []
    overhead = 0
    for tool in tools:
        function = tool.get("function", tool) if isinstance(tool, dict) else None
        if isinstance(function, dict):
            line = f"{_text(function.get('name'))}:{_text(function.get('description'))}"
            texts.append(line.removesuffix("."))
            overhead += FUNCTION + _schema(function.get("parameters"), texts)
    return texts, overhead + FUNCTION_END if texts else 0


def schema_pieces(schema: object) -> tuple[list[str], int]:
    """The same for the schema of a `response_format`."""
    texts: list[str] = []
    overhead = _schema(schema, texts)
    return texts, overhead


def _schema(schema: object, texts: list[str]) -> int:
    """Add a schema's texts and return the tokens around them; schemas nest without limit."""
    overhead = 0
    pending = [schema]
    while pending:
        node = pending.pop()
        if not isinstance(node, dict):
            continue
        properties = node.get("properties")
        if isinstance(properties, dict) and properties:
            overhead += PROPERTIES
            for key, value in properties.items():
                overhead += _property(key, value, texts)
            pending.extend(properties.values())
        pending.extend(_below(node))
    return overhead


def _property(key: str, value: object, texts: list[str]) -> int:
    if not isinstance(value, dict):
        value = {}
    line = f"{key}:{_text(value.get('type'))}:{_text(value.get('description'))}"
    texts.append(line.removesuffix("."))
    choices = value.get("enum")
    if not isinstance(choices, list) or not choices:
        return PROPERTY
    texts.extend(map(_text, choices))
    return PROPERTY + ENUM + ENUM_ITEM * len(choices)


def _below(node: dict[str, Any]) -> Iterator[Any]:
    """The schemas right below one, other than its properties."""
    for name in _SUBSCHEMAS:
        yield node.get(name)
    for name in _ALTERNATIVES:
        if isinstance(several := node.get(name), list):
            yield from several
    for name in _DEFINITIONS:
        if isinstance(named := node.get(name), dict):
            yield from named.values()


def _text(value: object) -> str:
    """A string as it is, a list's strings in one, a plain number or boolean as JSON spells it."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(item for item in value if isinstance(item, str))
    if isinstance(value, bool | float):
        return str(value).lower()
    # A hostile integer of thousands of digits is one that Python refuses to spell.
    return str(value) if isinstance(value, int) and value.bit_length() <= 64 else ""


def _weigh_by_hand(value: object) -> int:
    """For what orjson refuses: lone surrogates, great depth, integers beyond 64 bits."""
    weight = 0
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            weight += 2 + 2 * len(node)
            pending.extend(node)
            pending.extend(node.values())
        elif isinstance(node, list):
            weight += 2 + len(node)
            pending.extend(node)
        else:
            weight += _weigh_leaf(node)
    return weight


def _weigh_leaf(leaf: object) -> int:
    if isinstance(leaf, str):
        return 2 + utf8_length(leaf)
    if isinstance(leaf, int):
        return leaf.bit_length() // 3 + 2
    return 24
