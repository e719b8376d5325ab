"""Servers as others run them, on real sockets: Azure OpenAI with both its APIs, and plain ones.

Each refuses what the real one refuses, in its own words, and remembers what it was asked.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

AZURE_KEY = "0123456789abcdef0123456789abcdef"
ENTRA_TOKEN = "eyJ0eXAiOiJKV1Qi.eyJhdWQi.c2lnbmF0dXJl"
VERSIONS = frozenset({"2024-10-21", "2025-04-01-preview", "preview"})
DEPLOYED = re.compile(r"/openai/deployments/([^/?]+)/chat/completions\?api-version=(.+)")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def document(self) -> dict[str, Any]:
        said = json.loads(self.body)
        assert isinstance(said, dict)
        return said


@dataclass
class Far:
    """A server: the names it serves, and what it was asked."""

    names: frozenset[str]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)
    date: str = ""

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        raise NotImplementedError

    def listed(self) -> tuple[int, bytes]:
        data = [{"id": name, "object": "model", **self.about} for name in sorted(self.names)]
        return 200, json.dumps({"object": "list", "data": data}).encode()


class Azure(Far):
    """Azure OpenAI: `names` are its deployments'."""

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        if not self._knows(asked.headers):
            return 401, _error("401", "Access denied due to invalid subscription key.")
        if asked.target in ("/openai/models?api-version=2024-10-21", "/openai/v1/models"):
            return self.listed()
        older = DEPLOYED.fullmatch(asked.target)
        if older:
            name, version = older.groups()
            if version not in VERSIONS:
                return 404, _error("404", "Resource not found")
        elif asked.target.partition("?")[0] == "/openai/v1/chat/completions":
            name = asked.document()["model"]
        else:
            return 404, _error("404", "Resource not found")
        if name not in self.names:
            message = "The API deployment for this resource does not exist."
            return 404, _error("DeploymentNotFound", message)
        return 200, _reply(name, asked.document())

    @staticmethod
    def _knows(headers: Mapping[str, str]) -> bool:
        bearer = headers.get("authorization")
        return headers.get("api-key") == AZURE_KEY or bearer == f"Bearer {ENTRA_TOKEN}"


class Plain(Far):
    """A server such as vLLM or Ollama: no key, `/v1`, and its own idea of an error."""

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        if asked.target == "/v1/models":
            return self.listed()
        if asked.target != "/v1/chat/completions":
            return 404, b'{"detail":"Not Found"}'
        name = asked.document()["model"]
        if name not in self.names:
            return 404, _error("404", f"The model `{name}` does not exist.")
        return 200, _reply(name, asked.document())


def _error(code: str, message: str) -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


USAGE = '{"completion_tokens":2,"prompt_tokens":9,"total_tokens":11}'
HEAD = '"created":1,"id":"c1","model":"NAME-2025","object":"chat.completion'
EVENTS = """
{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}
{"choices":[{"content_filter_results":{},"delta":{"content":"Hi there","role":"assistant"},
"finish_reason":null,"index":0}],HEAD.chunk","usage":null}
{"choices":[{"delta":{},"finish_reason":"stop","index":0}],HEAD.chunk","usage":null}
{"choices":[],HEAD.chunk","usage":USAGE}
[DONE]
"""
WHOLE = """
{"choices": [{"content_filter_results":{},"finish_reason":"stop","index":0,
"message":{"content":"Hi  there","role":"assistant"}}],HEAD","usage":USAGE}
"""


def _reply(name: str, document: Mapping[str, Any]) -> bytes:
    if not document.get("stream"):
        return _filled(WHOLE, name).encode()
    lines = _filled(EVENTS.replace(",\n", ","), name).strip().split("\n")
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def _filled(text: str, name: str) -> str:
    return text.replace("HEAD", HEAD).replace("USAGE", USAGE).replace("NAME", name)


@asynccontextmanager
async def far(server: Far) -> AsyncIterator[Far]:
    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                asked = await _asked(reader)
                server.asked.append(asked)
                status, body = server.answer(asked)
                events = body.startswith(b"data:")
                kind = b"text/event-stream" if events else b"application/json"
                head = b"HTTP/1.1 %d X\r\ncontent-type: %b\r\ncontent-length: %d\r\n"
                head += f"date: {server.date}\r\n\r\n".encode() if server.date else b"\r\n"
                writer.write(head % (status, kind, len(body)) + body)
                await writer.drain()
        writer.close()

    listening = await asyncio.start_server(visited, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


async def _asked(reader: asyncio.StreamReader) -> Asked:
    first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, target, headers, body)
