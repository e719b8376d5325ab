"""Sends the traces of calls to a collector, by OTLP over HTTP, in batches, beside the calls.

A collector that is slow or gone costs spans, never calls: what waits is bounded, what does not fit
is dropped and counted, and it is told once when sending fails and once when it works again.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway import __version__
from gateway.call import Call
from gateway.ended import Attempted, Ended
from gateway.observe.spans_otlp import Finished, document
from gateway.ports import Clock
from gateway.spans import RANDOM_BYTES, begun

LOG = logging.getLogger("tiergate.traces")
LIMIT: Final = 4096
"""Calls that may wait to be sent: some 8 MB."""
BATCH: Final = 256
PERIOD: Final = 1.0
"""Seconds between two looks: a trace is looked for by people."""
LAST_SECONDS: Final = 3.0
RETRIED: Final = frozenset((0, 429, 502, 503, 504))
OK: Final = 200

Send = Callable[[bytes], Awaitable[int]]
"""Sends one export; the status of the reply, 0 where there was none."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to trace: a share of the calls whose callers do not trace, and whether prompts too."""

    share: float = 1.0
    content: bool = False
    resource: Mapping[str, str] = field(default_factory=dict)


class Tracing:
    """Begins traces, and takes the calls that ended."""

    __slots__ = ("_clock", "_failing", "_queue", "_send", "_wanted", "dropped", "stopping")

    def __init__(self, send: Send, clock: Clock, wanted: Wanted) -> None:
        self._send = send
        self._clock = clock
        self._wanted = wanted
        self._queue: deque[Finished] = deque()
        self._failing = False
        self.dropped = 0
        self.stopping = asyncio.Event()

    def begin(self, call: Call, route: str) -> None:
        """Give a call its trace, if it is to have one."""
        trace = call.trace = begun(call.headers, os.urandom(RANDOM_BYTES), self._wanted.share)
        if trace is not None:
            trace.route = route
            if self._wanted.content:
                trace.messages = call.looked_at().get("messages")

    def attempted(self, attempt: Attempted) -> None:
        """Attempts are in their call's trace."""

    def ended(self, ended: Ended) -> None:
        """A call ended now."""
        if ended.trace is None:
            return
        if len(self._queue) >= LIMIT:
            self.dropped += 1
            return
        now, wall = self._clock.now(), self._clock.wall()
        self._queue.append(Finished(ended, ended.trace, now, wall))

    async def tend(self) -> None:
        """Send what waits, until `stopping`; then what is left, for a short while."""
        while not self.stopping.is_set():
            try:
                async with asyncio.timeout(PERIOD):
                    await self.stopping.wait()
            except TimeoutError:
                await self.flush()
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self.flush()
        except TimeoutError:
            self.dropped += len(self._queue)

    async def flush(self) -> None:
        """Send what waits now; what a collector cannot take now waits on."""
        waiting = len(self._queue)
        while waiting > 0:
            calls = [self._queue.popleft() for _ in range(min(BATCH, waiting))]
            waiting -= len(calls)
            status = await self._send(document(calls, self._wanted.resource, __version__))
            self._tell(status)
            if status in RETRIED:
                self._queue.extendleft(reversed(calls[: LIMIT - len(self._queue)]))
                return
            if status != OK:
                self.dropped += len(calls)

    def _tell(self, status: int) -> None:
        failing = status != OK
        if failing and not self._failing:
            why = f"answered {status}" if status else "cannot be reached"
            LOG.warning("the collector of traces %s; spans wait, then are dropped", why)
        elif self._failing and not failing:
            LOG.info("the collector of traces takes spans again")
        self._failing = failing
