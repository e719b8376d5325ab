"""Whether a JSON schema is one that OpenAI can guarantee.

Anthropic guarantees schemas with optional properties; OpenAI's strict mode wants every object
closed and every property required, and refuses the call otherwise. A schema that fits is asked for
strictly; another is passed on without the guarantee, which models follow nearly always.
"""

from collections.abc import Iterator
from typing import Any

_NESTED = ("items", "not", "additionalProperties")
_NESTED_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
_NESTED_MAPS = ("properties", "$defs", "definitions")
# OpenAI's own bound on properties is 5,000; more is no schema to look at.
MOST_SCHEMAS = 10_000


def is_strict(schema: object) -> bool:
    """Whether every object in it is closed and requires all its properties."""
    waiting = [schema]
    for _ in range(MOST_SCHEMAS):
        if not waiting:
            return True
        part = waiting.pop()
        if not isinstance(part, dict) or not _is_closed(part):
            return False
        waiting += _inside(part)
    return False


def _is_closed(schema: dict[str, Any]) -> bool:
    properties = schema.get("properties")
    if properties is None and schema.get("type") != "object":
        return True
    if not isinstance(properties, dict) or schema.get("additionalProperties") is not False:
        return False
    required = schema.get("required")
    named = {n for n in required if isinstance(n, str)} if isinstance(required, list) else set()
    return named == properties.keys()


def _inside(schema: dict[str, Any]) -> Iterator[object]:
    for name in _NESTED:
        if isinstance(part := schema.get(name), dict):
            yield part
    for name in _NESTED_LISTS:
        if isinstance(parts := schema.get(name), list):
            yield from parts
    for name in _NESTED_MAPS:
        if isinstance(named := schema.get(name), dict):
            yield from named.values()
