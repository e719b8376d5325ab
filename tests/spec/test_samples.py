"""Samples of schemas, and the requests and verdicts made of them."""

from typing import Any

import pytest

from tests.spec.exchange import FOREIGN_END, Got, difference
from tests.spec.operations import Operation, operations, requests
from tests.spec.samples import FILE, MODEL, TEXT, Sampler

SPEC: dict[str, Any] = {
    "components": {
        "schemas": {"Node": {"properties": {"next": {"$ref": "#/components/schemas/Node"}}}}
    },
    "paths": {
        "/v1/files/{id}": {
            "post": {
                "parameters": [
                    {"name": "id", "in": "path", "schema": {"type": "string"}},
                    {"name": "by", "in": "query", "schema": {"type": "array", "items": {}}},
                ],
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "required": ["file"],
                                "properties": {
                                    "file": {"type": "string", "format": "binary"},
                                    "on": {"properties": {"days": {"type": "integer"}}},
                                },
                            }
                        }
                    }
                },
                "responses": {"200": {}},
            }
        },
        "/v1/chat/completions": {
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "properties": {"model": {}, "stream": {"type": "boolean"}},
                            }
                        }
                    }
                },
                "responses": {"200": {"content": {"text/event-stream": {}}}},
            }
        },
        "/v1/models": {"get": {"responses": {"200": {}}}},
    },
}
LEAST, MOST = Sampler(SPEC, much=False), Sampler(SPEC, much=True)
JSON = {"content-type": "application/json", "date": "now", "x-steady-error-count": "0"}
FILES, CHAT, MODELS = operations(SPEC)


@pytest.mark.parametrize(
    ("schema", "least", "most"),
    [
        ({"const": 7}, 7, 7),
        ({"enum": [None, "a"]}, "a", "a"),
        ({"type": ["null", "integer"], "minimum": 3}, 3, 3),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True] * 2, [True] * 2),
        ({"oneOf": [{"type": "null"}, {"const": 1}, {"const": 2}]}, 1, 2),
        ({"allOf": [{"properties": {"a": {"const": 1}}}, {"nullable": True}]}, {}, {"a": 1}),
        ({"properties": {"a": {}}, "anyOf": [{"required": ["a"]}]}, {"a": TEXT}, {"a": TEXT}),
        ({"required": ["unknown"]}, TEXT, TEXT),
        ({"type": "string", "format": "binary"}, FILE, FILE),
        (
            {"type": "string", "pattern": "^x", "minLength": 8, "maxLength": 9},
            "item-1xx",
            "item-1xx",
        ),
        ({"properties": {"model": {}}, "required": ["model"]}, {"model": MODEL}, {"model": MODEL}),
    ],
)
def test_a_schema_has_a_value_with_little_and_one_with_much(
    schema: dict[str, Any], least: Any, most: Any
) -> None:
    assert LEAST.value(schema) == least
    assert MOST.value(schema) == most


def test_a_schema_that_mentions_itself_ends() -> None:
    value = MOST.value({"$ref": "#/components/schemas/Node"})

    assert str(value).count("next") < 9


def test_a_form_has_its_file_and_the_clients_spelling_of_members() -> None:
    least, most = requests(SPEC, FILES)

    assert (least.method, least.target) == ("POST", "/v1/files/item-1")
    assert b'name="file"; filename="a file.bin"' in least.body
    assert b"name=" not in least.body.partition(b"filename")[2]
    assert b'name="on[days]"\r\n\r\n1\r\n' in most.body
    assert most.target.startswith("/v1/files/item-1?by=")


def test_an_operation_with_events_is_asked_for_them() -> None:
    *_, events = requests(SPEC, CHAT)

    assert events.fields["accept"] == "text/event-stream"
    assert b'"stream": true' in events.body
    assert CHAT.routed
    assert CHAT.area == "chat"


@pytest.mark.parametrize(
    ("operation", "direct", "through", "words"),
    [
        (FILES, Got(200, JSON, b"{}"), Got(200, {**JSON, "date": "later"}, b"{}"), ""),
        (FILES, Got(200, JSON, b"{}"), Got(404, JSON, b"{}"), "status 200 became 404"),
        (FILES, Got(200, JSON, b"{}"), Got(200, {}, b"{}"), "content-type"),
        (FILES, Got(200, JSON, b"{}"), Got(200, JSON, b"{ }"), "became"),
        (MODELS, Got(200, {}, b'{"data":[{"id":1}]}'), Got(200, {}, b'{"data":[{"id":2}]}'), ""),
        (MODELS, Got(200, {}, b'{"data":[{"id":1}]}'), Got(200, {}, b'{"data":[{}]}'), "lack"),
    ],
)
def test_replies_differ_by_what_matters(
    operation: Operation, direct: Got, through: Got, words: str
) -> None:
    found = difference(operation, direct, through)

    assert words in found
    assert bool(found) is bool(words)


def test_a_routed_stream_of_the_servers_own_kind_must_end_in_an_error() -> None:
    fields = {"content-type": "text/event-stream"}
    direct = Got(200, fields, b"data: {}\n\n" + FOREIGN_END)
    error = b'data: {"error":{"code":"upstream_broken"}}\n\n'

    assert difference(CHAT, direct, Got(200, fields, b"data: {}\n\n" + error)) == ""
    assert "became" in difference(CHAT, direct, direct)
