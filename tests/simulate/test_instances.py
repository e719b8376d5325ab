"""Instances of JSON Schemas, judged by an independent validator."""

import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings, strategies as st

from gateway.simulate.hints import Hints
from gateway.simulate.instances import LARGEST, instance
from gateway.simulate.patterns import sample

HINTS = Hints("Book the Grand Hotel in Lisbon for 3 people on 2026-05-04, mail ada@lovelace.org.")

TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["value", "next", "children"],
            "additionalProperties": False,
        }
    },
}

SCHEMAS: list[Any] = [
    {},
    {"type": "object"},
    {"type": "object", "properties": {}, "additionalProperties": False},
    {"type": "object", "minProperties": 3},
    {"type": "object", "minProperties": 2, "properties": {"a": {"type": "null"}}},
    {"type": "object", "maxProperties": 0},
    {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
    {"type": "object", "patternProperties": {"^k[0-9]+$": {"const": 1}}, "minProperties": 3},
    {
        "type": "object",
        "patternProperties": {"^k$": {"type": "integer"}},
        "additionalProperties": False,
    },
    {"required": ["b", "a"], "properties": {"a": {"enum": [None, "x"]}}},
    {"type": ["null", "string"]},
    {"type": "null"},
    {"type": "boolean"},
    {"type": "string", "minLength": 40},
    {"type": "string", "maxLength": 2},
    {"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"},
    {"type": "string", "pattern": "^a+$", "minLength": 5, "maxLength": 5},
    {"type": "integer", "minimum": 10},
    {"type": "integer", "maximum": -10},
    {"type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 6},
    {"type": "integer", "multipleOf": 7, "minimum": 15},
    {"type": "integer", "multipleOf": 0.5, "minimum": 0.2},
    {"type": "number", "multipleOf": 0.01, "exclusiveMinimum": 0, "maximum": 0.05},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 0.1},
    {"type": "number", "minimum": -2, "maximum": -1.5},
    {"minimum": 3.5, "maximum": 3.7},
    {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
    {
        "type": "array",
        "items": {"type": "integer", "minimum": 1, "maximum": 4},
        "minItems": 4,
        "uniqueItems": True,
    },
    {"type": "array", "items": {"type": "number"}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "uniqueItems": True},
    {
        "type": "array",
        "items": {"type": "string", "pattern": "^x+$"},
        "minItems": 3,
        "uniqueItems": True,
    },
    {
        "type": "array",
        "items": {"type": "object", "properties": {"a": {"enum": [1, 2]}}, "required": ["a"]},
        "minItems": 2,
        "uniqueItems": True,
    },
    {"type": "array", "prefixItems": [{"const": 1}, {"type": "string"}], "items": False},
    {"type": "array", "maxItems": 0},
    {"type": "array", "minItems": 2, "contains": {"const": 5}, "items": {"type": "integer"}},
    {"items": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}},
    {"allOf": [{"type": "integer", "minimum": 2}, {"type": "number", "maximum": 2}]},
    {"allOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]},
    {
        "allOf": [
            {"properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"a": {"minimum": 9}, "b": {"type": "boolean"}}, "required": ["b"]},
        ]
    },
    {"allOf": [{"type": "string", "minLength": 3}, {"maxLength": 5}, {"minLength": 4}]},
    {"allOf": [{"items": {"type": "integer"}}, {"items": {"minimum": 5}, "minItems": 1}]},
    {"anyOf": [{"type": "null"}, {"type": "integer"}], "description": "either"},
    {"oneOf": [{"properties": {"kind": {"const": "a"}}, "required": ["kind"]}, {"type": "null"}]},
    {"$ref": "#/definitions/x~1y", "definitions": {"x/y": {"type": "integer"}}},
    {"anyOf": [{"properties": {"a": {"$ref": "#/anyOf/1"}}, "required": ["a"]}, {"const": 4}]},
    {"type": "number", "allOf": [{"type": "integer"}, {"maximum": 0}]},
    {"allOf": [{"type": "integer", "multipleOf": 4}, {"multipleOf": 4, "minimum": 5}]},
    {
        "$ref": "#/$defs/list",
        "$defs": {
            "list": {
                "type": "array",
                "minItems": 1,
                "items": {"oneOf": [{"$ref": "#/$defs/list"}, {"type": "array"}]},
            }
        },
    },
    TREE,
    *(
        {"type": "string", "format": name}
        for name in ("date", "date-time", "email", "ipv4", "uuid")
    ),
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:60])
@pytest.mark.parametrize("variant", [0, 1])
def test_an_instance_satisfies_its_schema(schema: Any, variant: int) -> None:
    value = instance(schema, HINTS, variant=variant)

    checker = jsonschema.FormatChecker()
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(value)


def scalars() -> st.SearchStrategy[Any]:
    whole = st.integers(-1_000, 1_000)
    return st.one_of(
        st.just({"type": "boolean"}),
        st.just({"type": "null"}),
        st.lists(st.text(max_size=5), min_size=1).map(lambda each: {"enum": each}),
        st.tuples(whole, st.integers(0, 50)).map(
            lambda ends: {"type": "integer", "minimum": ends[0], "maximum": sum(ends)}
        ),
        st.tuples(whole, st.integers(1, 50)).map(
            lambda ends: {
                "type": "number",
                "exclusiveMinimum": ends[0] / 8,
                "exclusiveMaximum": sum(ends) / 8,
            }
        ),
        st.tuples(st.integers(0, 30), st.integers(0, 30)).map(
            lambda ends: {"type": "string", "minLength": ends[0], "maxLength": sum(ends)}
        ),
    )


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.text("abcdef", min_size=1, max_size=4)
    properties = st.dictionaries(names, inner, min_size=1, max_size=4)
    return st.one_of(
        properties.map(
            lambda each: {
                "type": "object",
                "properties": each,
                "required": sorted(each)[::2],
                "additionalProperties": False,
            }
        ),
        st.tuples(inner, st.integers(0, 4)).map(
            lambda each: {"type": "array", "items": each[0], "minItems": each[1]}
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: {"anyOf": each}),
    )


@given(st.recursive(scalars(), nested, max_leaves=12), st.text(max_size=80))
@settings(max_examples=150, deadline=None)
def test_any_satisfiable_schema_gets_an_instance(schema: Any, question: str) -> None:
    jsonschema.Draft202012Validator(schema).validate(instance(schema, Hints(question)))


WORDS = (
    "type enum const properties required items prefixItems minItems maxItems uniqueItems contains "
    "minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum "
    "multipleOf anyOf oneOf allOf $ref $defs minProperties additionalProperties "
    "patternProperties"
)
KEYWORDS = st.sampled_from(WORDS.split())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYWORDS, JSON | st.sampled_from(["array", "#", "object"]), max_size=6))
@settings(max_examples=300, deadline=None)
def test_no_schema_however_odd_stops_the_writer(schema: Any) -> None:
    json.dumps(instance(schema, Hints("Give me 3.")))


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"type": "object", "required": ["a", "b"], "additionalProperties": {"$ref": "#"}},
        {"type": "array", "minItems": 1_000, "items": {"$ref": "#"}},
        {"type": "string", "pattern": "(" * 2_000},
        {"type": "string", "pattern": "((a{1000}){1000}){1000}", "minLength": 90_000},
        {"type": "object", "minProperties": 10**9},
    ],
)
def test_a_schema_without_end_is_cut(schema: Any) -> None:
    assert len(json.dumps(instance(schema, HINTS))) < 64 * LARGEST


@pytest.mark.parametrize(
    "item", [{"type": "boolean"}, {"const": "a"}, {"type": "integer", "minimum": 1, "maximum": 1}]
)
def test_what_cannot_be_unique_is_repeated(item: Any) -> None:
    schema = {"type": "array", "items": item, "minItems": 3, "uniqueItems": True}

    assert len(instance(schema, HINTS)) == 3  # type: ignore[arg-type]  # an array was asked for


@pytest.mark.parametrize("reference", ["#/type/x", "#/nowhere", "elsewhere.json", 3])
def test_a_reference_to_nothing_is_no_constraint(reference: Any) -> None:
    assert instance({"type": "integer", "$ref": reference}, HINTS) == 3


def test_keys_whose_pattern_is_too_large_are_left_out() -> None:
    schema = {"patternProperties": {"a" * 2_000: {}}, "minProperties": 1}

    assert list(instance(schema, HINTS)) == ["key_1"]  # type: ignore[call-overload]  # an object


def test_values_are_taken_from_the_question() -> None:
    properties: dict[str, Any] = {
        "hotel": {"type": "string"},
        "guests": {"type": "integer", "minimum": 1, "maximum": 10},
        "arrivalDate": {"type": "string"},
        "e_mail": {"type": "string"},
        "room": {"type": "string", "enum": ["suite", "grand"]},
    }
    schema = {"type": "object", "properties": properties, "required": list(properties)}

    assert instance(schema, HINTS) == {
        "hotel": "Grand Hotel",
        "guests": 3,
        "arrivalDate": "2026-05-04",
        "e_mail": "ada@lovelace.org",
        "room": "grand",
    }


@pytest.mark.parametrize(
    "pattern",
    [
        *("abc", "a|b", "^a.c$", "a?b*c+", "[abc]", "[^abc]", "[^a-z0-9]x", "\\d{2,4}", "\\w\\W"),
        *("\\s\\S\\D", "(ab){2}", "(?:x|y)z", "(?P<n>q)r", "(?<n>q)", "\\bword\\b", "\\x41\\u0042"),
        *("a{3}", "a{2,}", "a{0}b", "\\.\\\\\\/", "[\\d.]+", "[\\]]", "a+?b", "\\t\\n", "x(?=)y"),
    ],
)
@pytest.mark.parametrize("extra", [0, 2])
def test_a_sample_matches_its_pattern(pattern: str, extra: int) -> None:
    text = sample(pattern, extra)

    assert re.search(pattern.replace("(?<n>", "(?P<n>"), text), (pattern, text)


@pytest.mark.parametrize(
    "pattern", ["[", "(", "[^", "a)", "[[:alpha:]]", "\\", "(?", "[^\\", "(?<=a)b"]
)
def test_what_is_no_pattern_still_gives_a_text(pattern: str) -> None:
    assert isinstance(sample(pattern), str)
