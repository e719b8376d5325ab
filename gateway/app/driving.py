"""Drives traffic at a gateway that runs elsewhere; one whose answers cost money is left alone."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random

from gateway.catalog import Deployment, Secret
from gateway.clock import SystemClock
from gateway.http.server import loop_factory
from gateway.settings.catalog import build
from gateway.settings.schema import Settings
from gateway.simulate.drive import Drive, Seen
from gateway.simulate.traffic import prompts
from gateway.upstream.client import DirectUpstream


def drive(
    settings: Settings,
    url: str,
    *,
    seconds: float | None,
    rate: float,
    show: Callable[[str], AbstractContextManager[Callable[[Seen], None]]],
) -> bool:
    """Send simulated callers to the gateway at `url`; whether a simulation answers them there.

    Raises:
        GatewayError: the gateway cannot be reached.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_drive(settings, url, seconds=seconds, rate=rate, show=show))


async def _drive(
    settings: Settings,
    url: str,
    *,
    seconds: float | None,
    rate: float,
    show: Callable[[str], AbstractContextManager[Callable[[Seen], None]]],
) -> bool:
    catalog, clock, client = build(settings), SystemClock(), DirectUpstream()
    seed = settings.simulate.seed
    model = catalog.models_by_tier[min(catalog.tiers)]
    gateway = Deployment("gateway", model, url.rstrip("/") + "/v1", Secret(""))
    bodies = prompts(seed)
    try:
        first = Drive(client, gateway, clock, clock.sleep, lambda _: None, rate, seconds)
        if not await first.simulated(next(bodies)):
            return False
        with show(url.rstrip("/")) as tell:
            sending = Drive(client, gateway, clock, clock.sleep, tell, rate, seconds)
            await sending.run(bodies, Random(seed))  # noqa: S311 - invented traffic needs no secrets
        return True
    finally:
        await client.close()
