"""The operations of an OpenAPI specification as requests to send.

Each is asked for with as little as it takes, with everything the specification knows, and, where it
streams, for its events.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from tests.spec.samples import FILE, PLAIN, Sampler, Schema

ROOT = "/v1"
METHODS = ("get", "post", "put", "patch", "delete")
BOUNDARY = "a-line-between-parts"
CONTENT = bytes(range(256))
EVENTS = "text/event-stream"
FORM = "application/x-www-form-urlencoded"
# Here the gateway must know the model.
ROUTED = {
    f"{ROOT}/{name}"
    for name in ("chat/completions", "completions", "responses", "responses/compact")
}
MODEL = "gpt-4.1-mini"


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    told: Schema

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def area(self) -> str:
        """The first part of its path below the root."""
        return self.path.removeprefix(ROOT).split("/")[1]

    @property
    def routed(self) -> bool:
        """Whether the gateway chooses the model, and so reads what passes."""
        return self.method == "post" and self.path in ROUTED


class Sent(NamedTuple):
    """A request: the variant it is, its target, its fields and body."""

    variant: str
    method: str
    target: str
    fields: Mapping[str, str]
    body: bytes


def operations(spec: Schema) -> Iterator[Operation]:
    """All of them, in the specification's order."""
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                yield Operation(method, path, item[method])


def requests(spec: Schema, operation: Operation) -> Iterator[Sent]:
    """What an operation is asked with."""
    for much in (False, True):
        sampler = Sampler(spec, much)
        contents = operation.told.get("requestBody", {}).get("content", {"": {}})
        for kind, content in contents.items():
            if operation.routed and kind == FORM:
                # Answered with 415: whom to ask is read from JSON only.
                continue
            value = sampler.value(content.get("schema", {})) if kind else None
            if operation.routed and isinstance(value, dict):
                value["model"] = MODEL
            name = " ".join(filter(None, ("most" if much else "least", kind)))
            yield _sent(operation, sampler, name, kind, value)
            if much and isinstance(value, dict) and EVENTS in _answers(operation):
                streamed = {**value, "stream": True} if "stream" in value else value
                yield _sent(operation, sampler, f"events {kind}", kind, streamed)


def _answers(operation: Operation) -> set[str]:
    replies = operation.told["responses"].values()
    return {kind for reply in replies for kind in reply.get("content", ())}


def _sent(operation: Operation, sampler: Sampler, name: str, kind: str, value: Any) -> Sent:
    fields = {"accept": EVENTS if name.startswith("events") else "application/json"}
    body = b""
    if kind:
        fields["content-type"], body = _written(kind, value)
    return Sent(name, operation.method.upper(), _target(operation, sampler), fields, body)


def _target(operation: Operation, sampler: Sampler) -> str:
    path, query = operation.path, []
    for parameter in operation.told.get("parameters", ()):
        name, schema = parameter["name"], parameter.get("schema", {})
        if parameter["in"] == "path":
            value = MODEL if name == "model" else sampler.resolved(schema).get("enum", [PLAIN])[0]
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        elif parameter.get("required") or sampler.much:
            query += _asked(parameter, sampler.value(schema, name))
    return f"{path}?{urlencode(query)}" if query else path


def _asked(parameter: Schema, value: Any) -> list[tuple[str, str]]:
    """A parameter of a query: lists name by name, objects by name and member."""
    name = parameter["name"]
    if isinstance(value, list):
        return [(name, _word(each)) for each in value]
    if isinstance(value, dict):
        deep = parameter.get("style") == "deepObject"
        return [(f"{name}[{key}]" if deep else key, _word(value[key])) for key in value]
    return [(name, _word(value))]


def _written(kind: str, value: Any) -> tuple[str, bytes]:
    """A body, and its type as a header says it."""
    if kind == "multipart/form-data":
        return f"{kind}; boundary={BOUNDARY}", _form(value)
    if kind == FORM:
        return kind, urlencode(list(_flat(value))).encode()
    if kind == "application/json":
        return kind, json.dumps(value, ensure_ascii=False).encode()
    return kind, str(value).encode()


def _form(members: Mapping[str, Any]) -> bytes:
    parts = [_part(name, word) for name, word in _flat(members)]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Members of members as forms have them, in the spelling of OpenAI's clients."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}[{key}]" if name else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(inner, f"{name}[]")
    else:
        yield name, _word(value)


def _part(name: str, value: str) -> bytes:
    said = f'form-data; name="{name}"'
    head, content = "", value.encode()
    if value == FILE:
        said += '; filename="a file.bin"'
        head, content = "content-type: application/octet-stream\r\n", CONTENT
    lines = f"--{BOUNDARY}\r\ncontent-disposition: {said}\r\n{head}\r\n"
    return b"%b%b\r\n" % (lines.encode(), content)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
