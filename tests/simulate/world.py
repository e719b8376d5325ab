"""A simulated upstream on a real socket, with a clock that only tests move."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

import uvicorn

from gateway.catalog import Capability, Catalog, Deployment, Model, Secret, Tier
from gateway.money import NanoUSD
from gateway.prices import Price
from gateway.simulate.app import create
from gateway.simulate.asking import texts
from gateway.simulate.pieces import PIECE
from gateway.simulate.upstream import Simulation

PRICE = Price(NanoUSD(100), NanoUSD(25), NanoUSD(400))
THINKS = Capability.TOOLS | Capability.REASONING


def model(name: str, capabilities: Capability = Capability.TOOLS, window: int = 20_000) -> Model:
    return Model(
        name, PRICE, window, 4_096, capabilities, date(2024, 5, 31), shutdown=date(2027, 1, 14)
    )


def catalog() -> Catalog:
    behind = {
        Tier.NANO: (model("small"), Model("undated", PRICE, 9_000, 100)),
        Tier.MINI: (model("middle"),),
        Tier.FULL: (model("large", window=2_000_000), model("thinker", THINKS)),
    }
    url, key = "http://upstream.invalid/v1", Secret("unused")
    return Catalog(
        {
            tier: tuple(Deployment(each.name, each, url, key) for each in models)
            for tier, models in behind.items()
        }
    )


def count(document: Mapping[str, Any]) -> int:
    """A tokenizer that is right about everything but the number."""
    calls = sum(
        len(PIECE.findall(json.dumps(message["tool_calls"])))
        for message in document["messages"]
        if message.get("tool_calls")
    )
    words = sum(len(PIECE.findall(text)) for text in texts(document["messages"]))
    return 3 + 3 * len(document["messages"]) + words + calls


@dataclass
class HandClock:
    """Time that passes only when somebody sleeps."""

    time: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return 1_700_000_000.0 + self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def simulation(clock: HandClock | None = None, **changes: Any) -> Simulation:
    clock = clock or HandClock()
    usual: dict[str, Any] = {"sleep": clock.sleep, "seed": 7, "speed": 0.0, "count": count}
    return Simulation(catalog(), clock, **{**usual, **changes})


@contextmanager
def serving(simulated: Simulation) -> Iterator[int]:
    """Serve on a loopback port of the system's choice; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    app: Callable[..., Any] = create(simulated)
    # Uvicorn's HTTP on h11 and on httptools end replies alike; the latter is what we run.
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="critical", lifespan="on", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def ask(text: str = "What is inflation?", **fields: Any) -> dict[str, Any]:
    return {"model": "small", "messages": [{"role": "user", "content": text}], **fields}


@dataclass(frozen=True)
class Raw:
    """What came over a socket: the status line and headers, the body, and whether it ended."""

    head: bytes
    body: bytes
    closed: bool

    @property
    def status(self) -> int:
        return int(self.head.split()[1]) if self.head else 0

    def header(self, name: str) -> str | None:
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name:
                return value
        return None


def send(port: int, method: str, path: str, body: object = None, **headers: str) -> Raw:
    """One exchange, byte by byte; a silence ends reading (`closed` is false then)."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body else b""
    lines = [f"{method} {path} HTTP/1.1", "host: x", f"content-length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(0.3)
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + data)
        received, closed = _received(connection)
    head, _, rest = received.partition(b"\r\n\r\n")
    return Raw(head, rest, closed)


def _received(connection: socket.socket) -> tuple[bytes, bool]:
    received = b""
    while True:
        try:
            data = connection.recv(65_536)
        except TimeoutError:
            return received, False
        except ConnectionResetError:
            return received, True
        if not data:
            return received, True
        received += data
        if _is_whole(received):
            return received, False


def _is_whole(received: bytes) -> bool:
    """Whether a reply is complete by its own framing."""
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return False
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        return body.endswith(b"0\r\n\r\n")
    length = int(lower.partition(b"content-length: ")[2].split(b"\r\n")[0] or b"-1")
    return length == len(body)


def chat(port: int, **fields: Any) -> Raw:
    return send(port, "POST", "/v1/chat/completions", ask(**fields))


def events(raw: Raw) -> list[Any]:
    """The documents of a stream, without its framing; `[DONE]` as it is."""
    lines = [line[6:] for line in raw.body.split(b"\n") if line.startswith(b"data: ")]
    return [line.decode() if line == b"[DONE]" else json.loads(line) for line in lines]


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - tests hide nothing
