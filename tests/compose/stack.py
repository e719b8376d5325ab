"""The stack as `docker compose` runs it: up, down, and what can be asked of it from outside.

It runs under a project name and on ports of its own, so that nothing else on the machine notices.
"""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.compose.engine import Engine
from tests.processes import free_port

PROJECT = "tiergate-proof"
PORTS = ("TIERGATE_PORT", "TIERGATE_EDGE_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")
PASSWORD = "proof0f7a1c"
POLL_SECONDS = 0.2
CALL_SECONDS = 60.0
# What callers of these names would bring along.
NOT_PASSED_ON = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "GATEWAY_CATALOG", "TIERGATE_FILE")

Found = TypeVar("Found")


@dataclass(frozen=True)
class Reply:
    """A reply: names of header fields in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass
class Stack:
    """The services of one project."""

    engine: Engine
    files: tuple[str, ...] = ("docker-compose.yml",)
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in PORTS})

    def compose(self, *words: str, profiles: tuple[str, ...] = (), seconds: float = 900) -> str:
        """Run docker compose on this project."""
        environ = {k: v for k, v in self.engine.environ.items() if k not in NOT_PASSED_ON}
        environ |= {name: str(port) for name, port in self.ports.items()}
        environ |= {"REDIS_PASSWORD": PASSWORD, "DEMO_RATE": "20"}
        engine = Engine(environ, self.engine.own)
        options = [*(f"--file={file}" for file in self.files)]
        options += [f"--profile={profile}" for profile in profiles]
        return engine.docker(
            "compose", "--project-name", PROJECT, *options, *words, seconds=seconds
        )

    def up(self, *profiles: str) -> float:
        """Start and wait until all is well; how many seconds that took."""
        began = time.perf_counter()
        self.compose("up", "--detach", "--wait", "--no-build", profiles=profiles)
        return time.perf_counter() - began

    def down(self, *options: str) -> None:
        """Stop and remove everything but the volumes."""
        self.compose("down", "--timeout", "20", *options, profiles=("demo", "scale"))

    def containers(self, service: str) -> list[str]:
        """The ids of a service's containers."""
        listed = self.compose("ps", "--all", "--quiet", service, profiles=("demo", "scale"))
        return listed.split()

    def inspect(self, container: str) -> Any:
        """What the engine knows of a container."""
        return json.loads(self.engine.docker("inspect", container))[0]

    def execute(self, service: str, *words: str) -> str:
        """Run a command in a service's container."""
        return self.compose("exec", "-T", service, *words, profiles=("scale",))

    def get(self, port: str, path: str, **fields: str) -> Reply:
        """Fetch a page from a published port."""
        return _asked(self.ports[port], "GET", path, None, fields)

    def call(self, text: str, *, port: str = "TIERGATE_PORT", **more: Any) -> Reply:
        """Make a call through a published port."""
        return _asked(self.ports[port], "POST", "/v1/chat/completions", _chat(text, **more), JSON)

    def stream(self, text: str, *, port: str = "TIERGATE_PORT", **more: Any) -> "Streaming":
        """Begin a streamed call."""
        return Streaming(self.ports[port], _chat(text, stream=True, **more))

    def figure(self, query: str) -> float | None:
        """What Prometheus answers to a query that has one value."""
        escaped = "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in query)
        found = self.get("PROMETHEUS_PORT", f"/api/v1/query?query={escaped}").json()
        results = found["data"]["result"]
        return float(results[0]["value"][1]) if results else None


class Streaming:
    """A streamed call under way; `id` tells which gateway has it."""

    def __init__(self, port: int, body: bytes) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CALL_SECONDS)
        self._connection.request("POST", "/v1/chat/completions", body, JSON)
        self._reply = self._connection.getresponse()
        self.status = self._reply.status
        self.headers = {name.lower(): value for name, value in self._reply.getheaders()}

    def first(self) -> bytes:
        """The next piece, as soon as it is there."""
        return self._reply.read1(65536)

    def rest(self) -> bytes:
        """All that comes; what came, if the connection is lost."""
        pieces = []
        try:
            while piece := self._reply.read1(65536):
                pieces.append(piece)
        except (http.client.HTTPException, OSError):
            pass
        self._connection.close()
        return b"".join(pieces)

    def pieces(self) -> Iterator[tuple[float, bytes]]:
        """Every piece and when it came."""
        while piece := self._reply.read1(65536):
            yield time.perf_counter(), piece


JSON = {"content-type": "application/json"}


def _chat(text: str, **more: Any) -> bytes:
    body = {"model": "auto", "messages": [{"role": "user", "content": text}], **more}
    return json.dumps(body).encode()


def _asked(
    port: int, method: str, path: str, body: bytes | None, fields: Mapping[str, str]
) -> Reply:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=CALL_SECONDS)) as there:
        there.request(method, path, body, dict(fields))
        reply = there.getresponse()
        headers = {name.lower(): value for name, value in reply.getheaders()}
        return Reply(reply.status, headers, reply.read())


def eventually(found: Callable[[], Found | None], what: str, seconds: float = 30.0) -> Found:
    """Ask until there is an answer.

    Raises:
        AssertionError: there was none in time.
    """
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        if answer := found():
            return answer
        time.sleep(POLL_SECONDS)
    message = f"not within {seconds:.0f} s: {what}"
    raise AssertionError(message)
