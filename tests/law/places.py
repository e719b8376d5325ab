"""Whole gateways as processes on one allowance, and callers that come, retry and hang up."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from gateway.clock import SystemClock
from tests.app.bookkeeping import COMPLETION, COST, PRICES, Upstream, upstream
from tests.processes import bare_environment, free_port

CLOCK = SystemClock()
START_SECONDS = 60.0
USD = 1_000_000_000


def settings(base_url: str) -> dict[str, object]:
    """One model, whose calls cost what is held for them, and no reply is given twice."""
    model = {"price": PRICES, "context_window": 100_000, "max_output": 1_000}
    tiers = {tier: {"model": "made-up", "base_url": base_url} for tier in ("nano", "mini", "full")}
    return {
        "cache": {"policy": "off"},
        "catalog": {"models": {"made-up": model}, "tiers": tiers},
        # The machine may be busy with something else: patience is not what is proved here.
        "store": {"redis_timeout": "5s"},
        "log": {"level": "error"},
    }


@dataclass
class Gateway:
    """A process that can be killed and started again at the same address."""

    environ: Mapping[str, str]
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "gateway", "serve", "--port", str(self.port)],
            env=self.environ,
            stdout=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    async def serves(self) -> None:
        due = CLOCK.now() + START_SECONDS
        while not await self._answers():
            assert CLOCK.now() < due, "it does not serve"
            await CLOCK.sleep(0.05)

    async def _answers(self) -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False) as http:
                return (await http.get(f"{self.url}/healthz")).status_code == 200
        except httpx.HTTPError:
            return False


@dataclass
class Place:
    """Gateways, their upstream, and a key whose allowance is `calls` calls' worth."""

    books: Upstream
    gateways: list[Gateway]
    calls: int
    key: str = ""

    async def ask(self, http: httpx.AsyncClient, url: str, text: str) -> str:
        """One call; what came of it in a word."""
        reply = await http.post(
            f"{url}/v1/chat/completions",
            json={
                "model": "made-up",
                "max_tokens": COMPLETION,
                "messages": [{"role": "user", "content": text}],
            },
            headers={"authorization": f"Bearer {self.key}"},
        )
        return "ok" if reply.status_code == 200 else str(reply.json()["error"]["code"])

    async def stands(self) -> tuple[int, int]:
        """What is settled and held by the gateways' own word, in calls."""
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            said = await http.get(f"{self.gateways[0].url}/admin/v1/standing?key=proof")
        [allowance] = said.json()["allowances"]
        return in_calls(allowance["settled_usd"]), in_calls(allowance["held_usd"])


def in_calls(dollars: str) -> int:
    calls, rest = divmod(round(float(dollars) * USD), COST)
    assert rest == 0
    return calls


@asynccontextmanager
async def place(
    directory: Path, environ: Mapping[str, str], *, replicas: int, calls: int
) -> AsyncIterator[Place]:
    """Running gateways; `environ` says where they keep their books."""
    dice = Random(1)  # noqa: S311 - how long an answer takes is no secret

    async def takes_a_while() -> None:
        await CLOCK.sleep(dice.uniform(0.0, 0.08))

    async with upstream(takes_a_while) as books:
        config = directory / "tiergate.yaml"
        config.write_text(json.dumps(settings(books.url)))
        full = {**bare_environment(), **environ, "TIERGATE_CONFIG": str(config)}
        gateways = [Gateway(full) for _ in range(replicas)]
        try:
            for gateway in gateways:
                gateway.start()
            for gateway in gateways:
                await gateway.serves()
            made = Place(books, gateways, calls)
            await _give_key(made)
            yield made
        finally:
            for gateway in gateways:
                gateway.kill()


async def _give_key(made: Place) -> None:
    allowance = f"{made.calls * COST / USD:.9f}usd/month"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        said = await http.post(
            f"{made.gateways[0].url}/admin/v1/keys",
            json={"name": "proof", "allowances": [allowance], "clamp": False},
        )
    assert said.status_code == 201, said.text
    made.key = said.json()["key"]


@dataclass
class Crowd:
    """Callers with lives of their own; `came` counts what came of their calls."""

    place: Place
    hang_up: float = 0.0
    came: Counter[str] = field(default_factory=Counter)

    async def all_call(self, callers: int, *, once: bool) -> None:
        """Every caller calls once, or until it is told that the money is spent."""
        limits = httpx.Limits(max_connections=None)
        async with (
            httpx.AsyncClient(trust_env=False, timeout=60, limits=limits) as http,
            asyncio.TaskGroup() as group,
        ):
            for number in range(callers):
                group.create_task(self._caller(http, number, once=once))

    async def _caller(self, http: httpx.AsyncClient, number: int, *, once: bool) -> None:
        dice = Random(number)  # noqa: S311 - no secrets
        for turn in range(10_000):
            gateway = self.place.gateways[(number + turn) % len(self.place.gateways)]
            word = await self._call(http, gateway.url, f"{number}, {turn}", dice)
            self.came[word] += 1
            assert self.place.books.spent() <= self.place.calls * COST
            if once or word == "insufficient_quota":
                return
            if word == "gone":
                await CLOCK.sleep(0.5)

    async def _call(self, http: httpx.AsyncClient, url: str, text: str, dice: Random) -> str:
        patience = dice.uniform(0.0, 0.15) if dice.random() < self.hang_up else None
        try:
            async with asyncio.timeout(patience):
                return await self.place.ask(http, url, text)
        except TimeoutError:
            return "hung up"
        except httpx.HTTPError:
            return "gone"
