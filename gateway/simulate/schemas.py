"""JSON Schema, taken apart: references followed, parts merged, one branch chosen.

`flatten` turns any schema node into a plain one without `$ref`, `allOf`, `anyOf` or `oneOf`,
which `instances` can fill. `not`, `if`/`then`/`else` and remote references are not understood and
are left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

Schema = Mapping[str, Any]

# References that lead only to references end here.
MOST_STEPS = 24
LARGER_WINS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
SMALLER_WINS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
JOINERS = ("$ref", "allOf", "anyOf", "oneOf")


def flatten(node: object, root: Schema, *, deep: bool, branch: int = 0) -> Schema:
    """A node without references and combinations; `deep` prefers branches that end recursion.

    `branch` chooses among alternatives of equal standing.
    """
    schema: Schema = node if isinstance(node, Mapping) else {}
    for _ in range(MOST_STEPS):
        if not any(joiner in schema for joiner in JOINERS):
            break
        schema = _one_step(schema, root, deep=deep, branch=branch)
    return schema


def _one_step(schema: Schema, root: Schema, *, deep: bool, branch: int) -> Schema:
    rest = {key: value for key, value in schema.items() if key not in JOINERS}
    parts: list[Schema] = []
    if "$ref" in schema:
        parts.append(find(schema["$ref"], root))
    parts.extend(each for each in _listed(schema, "allOf") if isinstance(each, Mapping))
    for joiner in ("anyOf", "oneOf"):
        options = [each for each in _listed(schema, joiner) if isinstance(each, Mapping)]
        if options:
            parts.append(_choose(options, root, deep=deep, branch=branch))
    for part in parts:
        rest = merge(rest, part)
    return rest


def _listed(schema: Schema, key: str) -> list[Any]:
    value = schema.get(key)
    return value if isinstance(value, list) else []


def find(reference: object, root: Schema) -> Schema:
    """The node a local reference points to; an empty schema when there is none."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return {}
    node: Any = root
    for step in _steps(reference):
        if isinstance(node, Mapping):
            node = node.get(step)
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return {}
    return node if isinstance(node, Mapping) else {}


def _steps(reference: str) -> Iterator[str]:
    for step in reference.lstrip("#").split("/")[1:]:
        yield step.replace("~1", "/").replace("~0", "~")


def _choose(options: list[Schema], root: Schema, *, deep: bool, branch: int) -> Schema:
    if deep:
        return min(options, key=lambda option: _weight(option, root))
    # A value is more telling than null.
    telling = [option for option in options if option.get("type") != "null"] or options
    return telling[branch % len(telling)]


def _weight(option: Schema, root: Schema) -> int:
    """How far an option is from ending: null, scalars, lists, objects, references."""
    if "$ref" in option:
        target = find(option["$ref"], root)
        return 2 + (_weight(target, root) if "$ref" not in target else 9)
    kind = option.get("type")
    if kind == "array":
        return 3 if option.get("minItems") else 1
    if kind == "object" or "properties" in option:
        return 4 + len(_listed(option, "required"))
    return 0


def merge(left: Schema, right: Schema) -> dict[str, Any]:
    """A schema that satisfies both, as far as they can be satisfied together."""
    merged: dict[str, Any] = {**right, **left}
    for key in left.keys() & right.keys():
        merged[key] = _both(key, left[key], right[key])
    return merged


def _both(key: str, left: object, right: object) -> object:
    """One keyword's value that satisfies two."""
    if key in ("type", "enum"):
        return _common(left, right)
    if key in ("properties", "$defs", "definitions", "patternProperties"):
        return merge_maps(left, right)
    if _is_number(left) and _is_number(right):
        return _tighter(key, left, right)
    if isinstance(left, list) and isinstance(right, list):
        return left + [each for each in right if each not in left]
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return {"allOf": [left, right]}
    return left


def _tighter(key: str, left: float, right: float) -> float:
    if key in LARGER_WINS:
        return max(left, right)
    return min(left, right) if key in SMALLER_WINS else left


def merge_maps(left: object, right: object) -> object:
    """Two maps of schemas as one; a name in both must satisfy both."""
    if not isinstance(left, Mapping) or not isinstance(right, Mapping):
        return left or right
    both = {name: {"allOf": [left[name], right[name]]} for name in left.keys() & right.keys()}
    return {**left, **right, **both}


def _common(left: object, right: object) -> list[object]:
    lefts: list[object] = left if isinstance(left, list) else [left]
    rights: list[object] = right if isinstance(right, list) else [right]
    if "number" in rights and "integer" in lefts:
        rights = [*rights, "integer"]
    if "number" in lefts and "integer" in rights:
        lefts = [*lefts, "integer"]
    return [each for each in lefts if each in rights] or lefts


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def kind_of(schema: Schema, *, deep: bool) -> str:
    """The JSON type to write: as declared, or as its keywords suggest."""
    declared = schema.get("type")
    kinds = declared if isinstance(declared, list) else [declared]
    known = [kind for kind in kinds if isinstance(kind, str)]
    if known:
        wanted = [kind for kind in known if (kind == "null") == deep]
        return (wanted or known)[0]
    for kind, keywords in KEYWORDS.items():
        if any(keyword in schema for keyword in keywords):
            return kind
    return "string"


KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "object": ("properties", "required", "additionalProperties", "minProperties"),
    "array": ("items", "prefixItems", "minItems", "contains"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
