"""Writes a small value that satisfies a JSON Schema, filled with what the question mentions.

Required properties only (the first one if none is required), the fewest items, numbers and
lengths within their bounds. A schema nothing can satisfy gets a best effort; one that never ends
is cut at `DEEPEST` or `LARGEST`. Schemas are strangers': every keyword may hold nonsense.
"""

from collections.abc import Mapping
from typing import Any

from gateway.simulate.figures import another_number, number, whole
from gateway.simulate.hints import Hints
from gateway.simulate.patterns import sample
from gateway.simulate.schemas import Schema, flatten, kind_of

# Beyond DEEP the shortest way out is taken; at DEEPEST there is no way out.
DEEP = 4
DEEPEST = 40
# Values written, 64 letters counting as one: recursion can be wide as well as deep.
LARGEST = 5_000
MOST_ITEMS = 1_000
MOST_LETTERS = 100_000
# A pattern is a stranger's too: longer, or more deeply nested, and it is not followed.
LONGEST_PATTERN = 1_000
MOST_GROUPS = 100
MOST_TRIES = 64

FORMATS: Mapping[str, str] = {
    "time": "09:30:00Z",
    "duration": "P1D",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uri-reference": "/example",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "regex": "^a$",
    "json-pointer": "/a",
}


def instance(schema: Schema, hints: Hints, *, variant: int = 0) -> object:
    """A value for a schema; another `variant` may choose other branches and enum members."""
    return _Writer(schema, hints, variant).value(schema, "", 0)


class _Writer:
    """Walks one schema; `root` is where references start, `left` how much may be written."""

    __slots__ = ("hints", "left", "root", "variant")

    def __init__(self, root: Schema, hints: Hints, variant: int) -> None:
        self.root = root
        self.left = LARGEST
        self.hints = hints
        self.variant = variant

    def value(self, node: object, name: str, depth: int) -> object:
        self.left -= 1
        if depth >= DEEPEST or self.left < 0:
            return None
        deep = depth > DEEP
        schema = flatten(node, self.root, deep=deep, branch=self.variant)
        if "const" in schema:
            return schema["const"]
        options = schema.get("enum")
        if isinstance(options, list) and options:
            return self.member(options)
        kind = kind_of(schema, deep=deep)
        if kind == "object":
            return self.write_object(schema, depth)
        if kind == "array":
            return self.write_array(schema, name, depth)
        return self.scalar(kind, schema, name)

    def scalar(self, kind: str, schema: Schema, name: str) -> object:
        match kind:
            case "string":
                return self.write_text(schema, name)
            case "integer" | "number":
                return number(schema, self.hints, integer=kind == "integer")
            case "boolean":
                return self.variant % 2 == 0
        return None

    def member(self, options: list[object]) -> object:
        """The option the question mentions; else any that is not null."""
        asked = self.hints.question.lower()
        for option in options:
            if isinstance(option, str) and option and option.lower() in asked:
                return option
        telling = [option for option in options if option is not None] or options
        return telling[self.variant % len(telling)]

    def write_object(self, schema: Schema, depth: int) -> dict[str, object]:
        listed = schema.get("properties")
        properties: Mapping[str, Any] = listed if isinstance(listed, Mapping) else {}
        required = schema.get("required")
        required = required if isinstance(required, list) else []
        names = [key for key in required if isinstance(key, str)]
        least = min(whole(schema.get("minProperties"), 0), MOST_ITEMS)
        if not names and depth <= DEEP:
            least = max(least, min(1, whole(schema.get("maxProperties"), 1)))
        spare = [key for key in properties if key not in names]
        names += spare[: max(least - len(names), 0)]
        # Written in the order the schema lists them, as a constrained model would.
        order = {key: place for place, key in enumerate(properties)}
        names.sort(key=lambda key: order.get(key, len(order)))
        pattern, other = other_property(schema)
        nodes = {name: properties.get(name, other) for name in names}
        for extra in range(least if other is not False else 0):
            if len(nodes) >= least:
                break
            key = f"key_{extra + 1}" if pattern is None else sample(pattern, extra)
            nodes.setdefault(key, other)
        return {name: self.value(node, name, depth + 1) for name, node in nodes.items()}

    def write_array(self, schema: Schema, name: str, depth: int) -> list[object]:
        least = min(whole(schema.get("minItems"), 0), MOST_ITEMS)
        most = min(whole(schema.get("maxItems"), MOST_ITEMS), MOST_ITEMS)
        first = schema.get("prefixItems")
        first = first if isinstance(first, list) else []
        items = schema.get("items", {})
        if depth <= DEEP:
            least = max(least, min(1, most))
        length = max(least, min(len(first), most))
        if items is False:
            length = min(length, len(first))
        nodes = [first[place] if place < len(first) else items for place in range(length)]
        if "contains" in schema and length > len(first):
            nodes[-1] = {"allOf": [items, schema["contains"]]}
        unique = schema.get("uniqueItems") is True
        values: list[object] = []
        for place, node in enumerate(nodes):
            values.append(self.another(node, name, depth, values if unique else [], place))
        return values

    def another(
        self, node: object, name: str, depth: int, taken: list[object], place: int
    ) -> object:
        """An item; for unique items, one that is not among those taken if that can be had."""
        value = self.value(node, name, depth + 1)
        if value not in taken:
            return value
        schema = flatten(node, self.root, deep=depth + 1 > DEEP, branch=self.variant)
        if "enum" in schema or "const" in schema or isinstance(value, bool):
            return self.otherwise(node, name, depth, taken)
        if isinstance(value, str):
            return another_text(schema, value, place)
        if isinstance(value, (int, float)):
            return another_number(schema, value, taken)
        return self.otherwise(node, name, depth, taken)

    def otherwise(self, node: object, name: str, depth: int, taken: list[object]) -> object:
        """An item of another variant, which the question did not ask for."""
        kept = self.hints, self.variant
        value = None
        for variant in range(kept[1] + 1, kept[1] + 2 + len(taken)):
            self.hints, self.variant = Hints("", variant), variant
            value = self.value(node, name, depth + 1)
            if value not in taken:
                break
        self.hints, self.variant = kept
        return value

    def write_text(self, schema: Schema, name: str) -> str:
        least = min(whole(schema.get("minLength"), 0), MOST_LETTERS)
        most = whole(schema.get("maxLength"), MOST_LETTERS)
        pattern = schema.get("pattern")
        if isinstance(pattern, str) and is_followed(pattern):
            tries = (sample(pattern, extra) for extra in range(MOST_TRIES))
            fits = (text for text in tries if least <= len(text) <= most)
            return next(fits, sample(pattern))
        text = self.formatted(schema.get("format")) or self.hints.text_for(name)
        if len(text) < least:
            text = (text + " ").ljust(least, "x")
        self.left -= len(text) // 64
        return text[:most]

    def formatted(self, wanted: object) -> str | None:
        match wanted:
            case "date":
                return self.hints.date()
            case "date-time":
                return f"{self.hints.date()}T09:30:00Z"
            case "email" | "idn-email":
                return self.hints.email()
        return FORMATS.get(wanted) if isinstance(wanted, str) else None


def other_property(schema: Schema) -> tuple[str | None, object]:
    """The pattern of keys beyond those listed, if any, and their schema; False forbids them."""
    patterns = schema.get("patternProperties")
    for pattern, node in patterns.items() if isinstance(patterns, Mapping) else ():
        if is_followed(pattern):
            return pattern, node
    return None, schema.get("additionalProperties", {})


def another_text(schema: Schema, text: str, place: int) -> str:
    """A text like another, but different: numbered, or with more of its pattern's repetitions."""
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and is_followed(pattern):
        return sample(pattern, place)
    return f"{place + 1} {text}"[: whole(schema.get("maxLength"), MOST_LETTERS)]


def is_followed(pattern: str) -> bool:
    """Whether a pattern is small enough to sample."""
    return len(pattern) <= LONGEST_PATTERN and pattern.count("(") <= MOST_GROUPS
