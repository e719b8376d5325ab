"""Drives traffic at a gateway and tells what came back, call by call.

For demonstrations: arrivals are random in time (Poisson) at a given rate, calls overlap, and some
prompts come again, as they do in production. What is told comes from the replies alone, as any
client sees them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from gateway.catalog import Deployment
from gateway.errors import GatewayError
from gateway.ports import Clock, Deadlines, Reply, Request, Upstream

PATH = "/chat/completions"
MAX_REPLY = 8 * 1024 * 1024
# One call in seven repeats one of the last few.
REPEATED_SHARE = 1 / 7
REMEMBERED = 20
PROMPT_SHOWN = 60
FIRST_CALL_SECONDS = 0.05
# What every reply of the simulation carries, and no other.
MARK = b"x-tiergate-simulated"


@dataclass(frozen=True, slots=True)
class Seen:
    """One call as its client saw it; `seconds` to the last byte, money in dollars."""

    prompt: str
    status: int
    tier: str
    model: str
    reason: str
    cache: str
    cost: float
    saved: float
    overhead_ms: float
    seconds: float
    stream: bool


@dataclass(frozen=True, slots=True)
class Drive:
    """Where traffic goes, how much of it, and who is told."""

    upstream: Upstream
    gateway: Deployment
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]
    tell: Callable[[Seen], None]
    rate: float
    seconds: float | None

    async def run(self, bodies: Iterator[dict[str, Any]], dice: Random) -> None:
        """Send calls until the time is up; returns when the last has been answered."""
        end = None if self.seconds is None else self.clock.now() + self.seconds
        recent: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        await self.sleep(FIRST_CALL_SECONDS)
        async with asyncio.TaskGroup() as calls:
            while end is None or self.clock.now() < end:
                again = recent and dice.random() < REPEATED_SHARE
                body = dice.choice(recent) if again else next(bodies)
                recent.append(body)
                calls.create_task(self._call(body))
                await self.sleep(dice.expovariate(self.rate))

    async def simulated(self, body: dict[str, Any]) -> bool:
        """Make one call and look whether a simulation answered it.

        Raises:
            GatewayError: there is no gateway.
        """
        reply = await self._answered(body)
        return any(name == MARK for name, _ in reply.headers)

    async def _call(self, body: dict[str, Any]) -> None:
        began = self.clock.now()
        try:
            reply = await self._answered(body)
        except GatewayError:
            # A gateway that is being stopped drops its last calls; there is nothing to tell.
            return
        self.tell(seen(body, reply, self.clock.now() - began))

    async def _answered(self, body: dict[str, Any]) -> Reply:
        stream = body.get("stream") is True
        request = Request(
            self.gateway, PATH, (), orjson.dumps(body), stream, Deadlines(first_byte=60.0)
        )
        reply = await self.upstream.send(request)
        await reply.read(MAX_REPLY)
        return reply


def seen(body: dict[str, Any], reply: Reply, seconds: float) -> Seen:
    """Read what a reply's head says about its call."""
    head = {n.decode("latin-1"): v.decode("latin-1") for n, v in reply.headers}
    return Seen(
        prompt=shown(body),
        status=reply.status,
        tier=head.get("x-gateway-tier", "none"),
        model=head.get("x-gateway-model", ""),
        reason=head.get("x-gateway-reason", ""),
        cache=head.get("x-gateway-cache", "").partition(";")[0],
        cost=_number(head.get("x-gateway-cost-usd")),
        saved=_number(head.get("x-gateway-saved-usd")),
        overhead_ms=_number(head.get("x-gateway-overhead-ms")),
        seconds=seconds,
        stream=body.get("stream") is True,
    )


def shown(body: dict[str, Any]) -> str:
    """The last user turn in one short line."""
    content = body["messages"][-1].get("content")
    if isinstance(content, list):
        content = next((p.get("text") for p in content if p.get("type") == "text"), "")
    text = " ".join(str(content or "(tool result)").split())
    return text if len(text) <= PROMPT_SHOWN else text[: PROMPT_SHOWN - 1] + "…"


def _number(text: str | None) -> float:
    return float(text) if text else 0.0
