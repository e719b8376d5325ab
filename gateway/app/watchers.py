"""What runs beside the calls and looks on, for as long as a gateway runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from gateway.app.traces import tracing
from gateway.clock import SystemClock
from gateway.observe.lag import LoopLag
from gateway.observe.tracing import Tracing
from gateway.ports import Upstream
from gateway.settings.schema import Settings


class Watchers(NamedTuple):
    """How late the loop is, and where traces go (None: nowhere)."""

    lag: LoopLag
    traces: Tracing | None


@asynccontextmanager
async def watching(
    settings: Settings, clock: SystemClock, upstream: Upstream
) -> AsyncIterator[Watchers]:
    """The watchers; at the end the last traces leave, and then the upstream is closed."""
    lag, traces = LoopLag(clock, clock.sleep), tracing(settings, clock, upstream)
    async with asyncio.TaskGroup() as group:
        beating = group.create_task(lag.beat())
        sending = group.create_task(traces.tend()) if traces is not None else None
        try:
            yield Watchers(lag, traces)
        finally:
            beating.cancel()
            if traces is not None and sending is not None:
                traces.stopping.set()
                await asyncio.wait((sending,))
            await upstream.close()
