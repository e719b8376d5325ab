"""`tiergate bench`: a user's own load check, closed loop, as its clients would see it.

So many callers at a time, each sending its next call when the last is answered. Without an address
a gateway is started beside, in front of the simulation without its waits. A gateway whose answers
cost money is left alone unless that is said to be meant. Caller and gateway on one machine share
its cores: the figures are those of both.
"""

import asyncio
import os
import platform
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

import orjson

from gateway.catalog import Deployment, Model, Secret
from gateway.clock import SystemClock
from gateway.errors import GatewayError, UpstreamUnreachable
from gateway.http.server import loop_factory
from gateway.money import FREE
from gateway.ports import Deadlines, Reply, Request
from gateway.prices import Price
from gateway.simulate.drive import MARK, PATH
from gateway.upstream.client import DirectUpstream
from gateway.upstream.pool import Limits

MAX_REPLY = 32 * 2**20
# A started gateway listens within a second or two; a loaded machine takes longer.
START_SECONDS = 60.0
STOP_SECONDS = 10.0
PROMPT = "What is the capital of the country that is number {} on an alphabetical list?"


class Asked(NamedTuple):
    """What to measure: `url` "" starts a gateway beside; `body` None sends a prompt of ours.

    `paid` allows answers that cost money; `cached` sends the very same call each time.
    """

    url: str
    key: Secret
    concurrency: int
    seconds: float
    body: Mapping[str, Any] | None = None
    stream: bool = False
    cached: bool = False
    paid: bool = False


@dataclass(slots=True)
class Measured:
    """What came back: seconds of each good call, and the gateway's own share in milliseconds."""

    times: list[float] = field(default_factory=list)
    overheads: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    tiers: Counter[str] = field(default_factory=Counter)
    caches: Counter[str] = field(default_factory=Counter)
    cost: float = 0.0
    simulated: bool = False
    seconds: float = 0.0

    def document(self, asked: Asked) -> dict[str, Any]:
        """JSON-ready figures; times in milliseconds."""
        calls, good = sum(self.outcomes.values()), self.outcomes["200"]
        return {
            "url": asked.url or "a gateway started beside, in front of the simulation",
            "concurrency": asked.concurrency,
            "seconds": round(self.seconds, 2),
            "calls": calls,
            "calls_per_second": round(calls / self.seconds, 1) if self.seconds else 0.0,
            "errors": calls - good,
            "outcomes": dict(self.outcomes),
            "latency_ms": percentiles([1000 * seconds for seconds in self.times]),
            "added_ms": percentiles(self.overheads),
            "tiers": dict(self.tiers),
            "cache": dict(self.caches),
            "cost_usd": round(self.cost, 9),
            "simulated": self.simulated,
            "machine": machine(),
        }


class Costly(Exception):
    """The gateway's answers cost money, and that was not meant."""


def percentiles(values: list[float]) -> dict[str, float]:
    """The usual ones; nothing where nothing was measured."""
    ordered = sorted(values)
    if not ordered:
        return {}
    last = len(ordered) - 1
    parts = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {name: round(ordered[round(part * last)], 4) for name, part in parts.items()}


def machine() -> dict[str, Any]:
    """What the figures were measured on, and what else it was doing."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load": [round(one, 2) for one in os.getloadavg()],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def bench(asked: Asked) -> dict[str, Any]:
    """Measure; the figures.

    Raises:
        GatewayError: there is no gateway.
        Costly: its answers cost money.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_bench(asked))


async def _bench(asked: Asked) -> dict[str, Any]:
    if asked.url:
        return await _measured(asked, asked.url)
    async with started() as url:
        return await _measured(asked, url)


async def _measured(asked: Asked, url: str) -> dict[str, Any]:
    client = DirectUpstream(limits=Limits(connections=asked.concurrency))
    try:
        load = _Load(asked, client, url)
        await load.probe()
        return (await load.run()).document(asked)
    finally:
        await client.close()


class _Load:
    """The callers, and where they call."""

    def __init__(self, asked: Asked, client: DirectUpstream, url: str) -> None:
        model = Model("auto", Price(FREE, FREE, FREE), 1, 1)
        base = url.rstrip("/").removesuffix("/v1") + "/v1"
        self._gateway = Deployment(url, model, base, asked.key)
        self._asked, self._client, self._clock = asked, client, SystemClock()
        self._found, self._numbers = Measured(), count()
        self._until = 0.0

    async def probe(self) -> None:
        """Make one call, and look what it costs.

        Raises:
            GatewayError: there is no gateway, or it refuses this call.
            Costly: its answers cost money.
        """
        reply = await self._client.send(self._request())
        body = await reply.read(MAX_REPLY)
        if reply.status != 200:
            message = f"the gateway answered {reply.status}: {body[:300].decode(errors='replace')}"
            raise UpstreamUnreachable(message)
        self._found.simulated = any(name == MARK for name, _ in reply.headers)
        if not self._found.simulated and not self._asked.paid:
            raise Costly

    async def run(self) -> Measured:
        began = self._clock.now()
        self._until = began + self._asked.seconds
        async with asyncio.TaskGroup() as callers:
            for _ in range(self._asked.concurrency):
                callers.create_task(self._call())
        self._found.seconds = self._clock.now() - began
        return self._found

    async def _call(self) -> None:
        """One caller: call upon call until the time is up."""
        now = self._clock.now
        while (began := now()) < self._until:
            try:
                reply = await self._client.send(self._request())
                await reply.read(MAX_REPLY)
            except GatewayError as error:
                self._found.outcomes[error.kind] += 1
                continue
            self._count(reply, now() - began)

    def _count(self, reply: Reply, seconds: float) -> None:
        found = self._found
        found.outcomes[str(reply.status)] += 1
        head = {name: value.decode("latin-1") for name, value in reply.headers}
        found.tiers[head.get(b"x-gateway-tier", "none")] += 1
        found.caches[head.get(b"x-gateway-cache", "none").partition(";")[0]] += 1
        found.cost += float(head.get(b"x-gateway-cost-usd", 0))
        if reply.status == 200:
            found.times.append(seconds)
            found.overheads.append(float(head.get(b"x-gateway-overhead-ms", 0)))

    def _request(self) -> Request:
        number = 0 if self._asked.cached else next(self._numbers)
        body = dict(self._asked.body or _usual(number))
        if self._asked.stream:
            body["stream"] = True
        headers = () if self._asked.cached else ((b"x-gateway-cache", b"no-cache, no-store"),)
        stream = body.get("stream") is True
        return Request(self._gateway, PATH, headers, orjson.dumps(body), stream, Deadlines())


def _usual(number: int) -> dict[str, Any]:
    return {"model": "auto", "messages": [{"role": "user", "content": PROMPT.format(number)}]}


@asynccontextmanager
async def started() -> AsyncIterator[str]:
    """A gateway in a process of its own, in front of the simulation without its waits.

    Raises:
        GatewayError: it did not start.
    """
    said = {
        "GATEWAY_SIMULATE_ENABLED": "true",
        "GATEWAY_SIMULATE_SPEED": "0",
        "GATEWAY_STORE_DATA": "memory",
        "GATEWAY_SERVER_PORT": "0",
        "GATEWAY_LOG_FORMAT": "json",
        # Not the configuration that lies about here.
        "TIERGATE_CONFIG": os.devnull,
        # This very package, installed or not.
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    environ = {n: v for n, v in os.environ.items() if not n.startswith(("GATEWAY_", "TIERGATE_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve"),
        env={**environ, **said},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    lines = asyncio.StreamReader() if process.stdout is None else process.stdout
    try:
        async with asyncio.timeout(START_SECONDS):
            url = await _listening(lines)
        async with asyncio.TaskGroup() as group:
            draining = group.create_task(_drain(lines))
            try:
                yield url
            finally:
                draining.cancel()
    except TimeoutError:
        message = "the gateway did not start in time"
        raise UpstreamUnreachable(message) from None
    finally:
        await _stopped(process)


async def _listening(lines: asyncio.StreamReader) -> str:
    """Where a gateway listens, from its log.

    Raises:
        UpstreamUnreachable: it ended before it did.
    """
    while line := await lines.readline():
        _, found, rest = line.partition(b"listening on ")
        if found:
            return rest.split(b'"')[0].strip().decode()
    message = "the gateway did not start: run `tiergate serve --simulate` to see why"
    raise UpstreamUnreachable(message)


async def _drain(lines: asyncio.StreamReader) -> None:
    """Read its log away, or it would wait for a reader."""
    while await lines.read(65536):
        pass


async def _stopped(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
