"""A tour of a running gateway by somebody who means it harm: whatever comes, a clean answer.

Each request goes over a socket of its own. Refusals are in OpenAI's envelope (in Anthropic's where
Messages were asked for), nothing hangs, and the log tells of no exception.
"""

import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clients.stage import CONFIGURATION, running_simulated

SECONDS = 20.0
JSON = "Content-Type: application/json"
SAID = [{"role": "user", "content": "hi"}]
GOOD: Mapping[str, Mapping[str, Any]] = {
    "/v1/chat/completions": {"model": "auto", "messages": SAID},
    "/v1/responses": {"model": "auto", "input": "hi"},
    "/v1/messages": {"model": "auto", "max_tokens": 9, "messages": SAID},
    "/v1/embeddings": {"model": "any", "input": "hi", "dimensions": 4},
}
RUBBISH: Mapping[str, bytes] = {
    "nothing": b"",
    "half an object": b"{",
    "no number": b'{"a":NaN}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "bad UTF-8": b'{"model":"\xff\xfe"}',
    "nul bytes": b"\0" * 50,
    "a list": b"[]",
    "a huge number": b'{"model":' + b"9" * 5_000 + b"}",
    "the same name twice": b'{"model":"auto","model":5}',
}
FIELDS = [
    "model",
    "messages",
    "input",
    "stream",
    "n",
    "tools",
    "metadata",
    "max_tokens",
    "stop",
    "response_format",
]
ODD: tuple[object, ...] = (True, -1, 1e308, 10**40, "\0", "\ud800", [[]], {"a": {}}, [None])
HEADS: Mapping[str, tuple[str, ...]] = {
    "two keys": ("Authorization: Bearer a", "Authorization: Bearer b"),
    "a key of odd bytes": ("Authorization: \xff\xfe",),
    "an encoding": ("Content-Encoding: gzip",),
    "a patience that is none": ("X-Stainless-Timeout: abc",),
    "wishes that are none": ("X-Gateway-Max-Cost: nan", "X-Gateway-Cache: ???"),
    "two types": ("Content-Type: text/plain",),
}
PLACES = (
    *("/", "/v1/files", "/v1/files/%00", "/v1/%ff", "/v1/a\\b", "/v1//x", "/v1/files/..%2f.."),
    *("/v1/realtime", "/v1/organization/users", "/admin/v1/keys", "/admin/v1/decisions", "/ui/"),
)
QUERIES = ("", "?a=%ff&b", "?%00", "?" + "a=1&" * 2_000, "?limit=-1", "?limit=99999999999999999999")
METHODS = ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW")
CHUNKED = b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nzz\r\nabc\r\n"
RAW: Mapping[str, bytes] = {
    "a form that is none": b"POST /v1/files HTTP/1.1\r\nHost: x\r\n"
    b"Content-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\nabc",
    "chunks that are none": b"POST /v1/files HTTP/1.1\r\nHost: x\r\n" + CHUNKED,
    "embedded chunks that are none": b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\n" + CHUNKED,
    "a tunnel": b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "a giant field": b"GET /v1/models HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    "a giant address": b"GET /v1/" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
}


class Place(NamedTuple):
    """Where the gateway listens, and its log."""

    port: int
    log: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "gateway.yaml").write_text(CONFIGURATION)
    with running_simulated(folder / "gateway.yaml", folder / "log") as url:
        yield Place(int(url.rpartition(":")[2]), folder / "log")


def post(path: str, body: object, *lines: str, method: str = "POST") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [f"{method} {path} HTTP/1.1", "Host: x", JSON, f"Content-Length: {len(data)}", *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + data


def tour() -> Iterator[tuple[str, bytes]]:
    """Every request, by what it is."""
    yield from RAW.items()
    for path, good in GOOD.items():
        for name, body in RUBBISH.items():
            yield f"{path}: {name}", post(path, body)
        for field in FIELDS:
            for odd in ODD:
                yield f"{path}: {field}={odd!r}", post(path, {**good, field: odd})
        for name, lines in HEADS.items():
            yield f"{path}: {name}", post(path, good, *lines)
        for method in METHODS:
            yield f"{method} {path}", post(path, b"", method=method)
    for path in PLACES:
        for query in QUERIES:
            yield f"{path}{query[:20]}", post(path + query, b"", method="GET")
        yield f"{path}: half an object", post(path, b"{")


def answer(port: int, request: bytes) -> tuple[int, bytes]:
    """The status and body of the reply; a silence is an error."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
        connection.sendall(request)
        received = b""
        while not _is_whole(received):
            data = connection.recv(65_536)
            assert data, received
            received += data
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def _is_whole(received: bytes) -> bool:
    head, found, body = received.lower().partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    stated = head.partition(b"content-length: ")[2].split(b"\r\n")[0]
    return bool(found) and len(body) >= int(stated or b"0")


def faulty(port: int, request: bytes, *, anthropic: bool) -> str:
    """What is wrong with the answer, if something is."""
    status, body = answer(port, request)
    if status >= 500 or b"Traceback" in body:
        return f"{status}: {body[:200]!r}"
    if status < 400:
        return ""
    told = json.loads(body)
    if anthropic and told.get("type") == "error":
        return ""
    keys = sorted(told.get("error", ()))
    return "" if keys == ["code", "message", "param", "type"] else f"{status}: {body[:200]!r}"


def test_a_hostile_caller_gets_clean_answers_only(place: Place) -> None:
    found = {
        name: wrong
        for name, request in tour()
        if (wrong := faulty(place.port, request, anthropic="/v1/messages" in name))
    }

    assert found == {}
    status, _ = answer(place.port, post("/v1/responses", GOOD["/v1/responses"]))
    assert status == 200
    assert "Traceback" not in place.log.read_text()
