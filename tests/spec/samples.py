"""Values that a JSON schema allows: with as little in them as it demands, or as much as it knows.

Refuses to be a general solver: it reads the keywords that OpenAI's specification uses. Files are
`FILE`, which whoever writes the body replaces.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
# Stands for the bytes of a file.
FILE = "«file»"
MODEL = "gpt-4.1-mini"
# Beyond this schemas that mention themselves are told with what they demand only.
DEEPEST = 5
FORMATS = {
    "binary": FILE,
    "uri": "https://example.com/a?b=c&d",
    "date-time": "2025-04-14T12:00:00Z",
    "date": "2025-04-14",
    "uuid": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "email": "a@example.com",
    "byte": "aGVsbG8=",
}
TEXT = "naïve “quotes”, \\ and 日本語"
PLAIN = "item-1"


@dataclass(frozen=True)
class Sampler:
    """Makes values of one specification's schemas; `much`: with all it knows."""

    spec: Schema
    much: bool

    def value(self, schema: Schema, name: str = "", depth: int = 0) -> Any:
        """A value; `name` is the member it becomes."""
        schema = self.resolved(schema)
        if "const" in schema:
            return schema["const"]
        if choices := [each for each in schema.get("enum", ()) if each is not None]:
            return choices[0]
        if any(word in schema for word in ("allOf", "oneOf", "anyOf")):
            return self._composed(schema, name, depth)
        return self._typed(schema, name, depth)

    def resolved(self, schema: Schema) -> Schema:
        """A schema that is no reference."""
        while "$ref" in schema:
            place: Any = self.spec
            for step in schema["$ref"].removeprefix("#/").split("/"):
                place = place[step]
            schema = place
        return schema

    def _composed(self, schema: Schema, name: str, depth: int) -> Any:
        parts = [*schema.get("allOf", ())]
        for word in ("oneOf", "anyOf"):
            branches = [each for each in schema.get(word, ()) if each.get("type") != "null"]
            if branches:
                parts.append(branches[-1 if self.much and depth < DEEPEST else 0])
        if "properties" in schema:
            parts.append({"properties": schema["properties"], **_demand(schema, parts)})
        values = [self.value(part, name, depth) for part in parts if _says_what(part)]
        members: dict[str, Any] = {}
        for value in values:
            if not isinstance(value, dict):
                return value
            members |= value
        return members

    def _typed(self, schema: Schema, name: str, depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next(each for each in kind if each != "null")
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                items = schema.get("items", {})
                count = max(1, schema.get("minItems", 1))
                return [self.value(items, "", depth + 1) for _ in range(count)]
            case "integer" | "number":
                return schema.get("minimum", min(1, schema.get("maximum", 1)))
            case "boolean":
                return name != "stream"
            case _:
                return _text(schema, name)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        known: Mapping[str, Schema] = schema.get("properties", {})
        demanded = schema.get("required", ())
        wanted = known if self.much and depth < DEEPEST else demanded
        return {
            name: self.value(known.get(name, {}), name, depth + 1)
            for name in wanted
            if name in demanded or not known[name].get("readOnly")
        }


def _says_what(part: Schema) -> bool:
    """Whether a part of a schema describes a value, rather than bounds one."""
    return not part.keys() <= {"required", "not", "nullable", "title", "description"}


def _demand(schema: Schema, parts: list[Schema]) -> Schema:
    """The members an object must have by itself, and by parts that demand no more than members."""
    bounds = [part for part in parts if not _says_what(part)]
    return {"required": [name for each in (schema, *bounds) for name in each.get("required", ())]}


def _text(schema: Schema, name: str) -> str:
    if name == "model":
        return MODEL
    plain = FORMATS.get(schema.get("format", ""), PLAIN if "pattern" in schema else TEXT)
    return plain.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
