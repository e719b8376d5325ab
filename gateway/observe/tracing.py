"""Sends the traces of calls to a collector, by OTLP over HTTP, in batches, beside the calls.

A collector that is slow or gone costs spans, never calls: what waits is bounded, what does not fit
is dropped and counted, and it is told once when sending fails and once when it works again. One
that asks for a pause gets it; one that fails is asked ever less often. What it took in part is not
sent again: nobody can say which part.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway import __version__
from gateway.call import Call
from gateway.ended import Attempted, Ended
from gateway.observe.spans_otlp import Finished, document
from gateway.ports import Clock
from gateway.spans import RANDOM_BYTES, begun

LOG = logging.getLogger("tiergate.traces")
LIMIT: Final = 4096
"""Calls that may wait to be sent: some 8 MB."""
BATCH: Final = 64
"""Calls in one export, which takes the event loop about two milliseconds to write."""
PERIOD: Final = 1.0
"""Seconds between two looks: a trace is looked for by people."""
LAST_SECONDS: Final = 3.0
RETRIED: Final = frozenset((0, 429, 502, 503, 504))
OK: Final = 200
MOST_WAIT: Final = 30.0
"""Seconds between two tries where the collector does not say."""
MOST_ASKED: Final = 300.0
"""Seconds that a collector may ask us to wait: longer is no pause, but an end."""


class Taken(NamedTuple):
    """What a collector answered: its status (0: nothing), the seconds it wants to be left alone.

    Of what it took it `refused` so many spans.
    """

    status: int
    wait: float = 0.0
    refused: int = 0


Send = Callable[[bytes], Awaitable[Taken]]
"""Sends one export."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to trace: a share of the calls, whether callers that trace decide for theirs (`follow`).

    And whether prompts too (`content`), and what is said of this service (`resource`).
    """

    share: float = 1.0
    follow: bool = True
    content: bool = False
    resource: Mapping[str, str] = field(default_factory=dict)


class Tracing:
    """Begins traces, and takes the calls that ended; `dropped`, `refused` and `sent` are spans."""

    __slots__ = (
        *("_clock", "_due", "_queue", "_send", "_trouble", "_wait", "_wanted"),
        *("dropped", "refused", "sent", "stopping"),
    )

    def __init__(self, send: Send, clock: Clock, wanted: Wanted) -> None:
        self._send = send
        self._clock = clock
        self._wanted = wanted
        self._queue: deque[Finished] = deque()
        self._trouble = ""
        self._due = self._wait = 0.0
        self.sent = self.dropped = self.refused = 0
        self.stopping = asyncio.Event()

    def begin(self, call: Call, route: str) -> None:
        """Give a call its trace, if it is to have one."""
        wanted = self._wanted
        randomness = os.urandom(RANDOM_BYTES)
        trace = begun(call.headers, randomness, wanted.share, follow=wanted.follow)
        call.trace = trace
        if trace is not None:
            trace.route = route
            if wanted.content:
                trace.messages = call.looked_at().get("messages")

    def attempted(self, attempt: Attempted) -> None:
        """Attempts are in their call's trace."""

    def ended(self, ended: Ended) -> None:
        """A call ended now."""
        if ended.trace is None:
            return
        if len(self._queue) >= LIMIT:
            self.dropped += ended.trace.spans
            return
        now, wall = self._clock.now(), self._clock.wall()
        self._queue.append(Finished(ended, ended.trace, now, wall))

    def waiting(self) -> int:
        """How many calls wait to be sent."""
        return len(self._queue)

    def spans(self) -> Mapping[str, int]:
        """What became of spans so far."""
        return {"sent": self.sent, "dropped": self.dropped, "refused": self.refused}

    async def tend(self) -> None:
        """Send what waits, until `stopping`; then what is left, for a short while."""
        while not self.stopping.is_set():
            try:
                async with asyncio.timeout(PERIOD):
                    await self.stopping.wait()
            except TimeoutError:
                await self.look()
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self.flush()
        except TimeoutError:
            LOG.warning("the collector of traces is too slow to take the last spans")
        self.dropped += sum(call.trace.spans for call in self._queue)

    async def look(self) -> None:
        """Send what waits, unless the collector is to be left alone."""
        if self._clock.now() >= self._due:
            await self.flush()

    async def flush(self) -> None:
        """Send what waits now; what a collector cannot take now waits on."""
        waiting = len(self._queue)
        while waiting > 0:
            calls = [self._queue.popleft() for _ in range(min(BATCH, waiting))]
            waiting -= len(calls)
            taken = await self._send(document(calls, self._wanted.resource, __version__))
            self._tell(taken)
            if not self._counted(taken, calls):
                return

    def _counted(self, taken: Taken, calls: list[Finished]) -> bool:
        """Whether a collector will hear the next calls now; these, if not, wait on."""
        spans = sum(call.trace.spans for call in calls)
        if taken.status in RETRIED:
            room = LIMIT - len(self._queue)
            self._queue.extendleft(reversed(calls[:room]))
            self.dropped += sum(call.trace.spans for call in calls[room:])
            self._wait = pause(taken.wait, self._wait)
            self._due = self._clock.now() + self._wait
            return False
        self._wait = self._due = 0.0
        refused = min(taken.refused, spans) if taken.status == OK else spans
        self.refused += refused
        self.sent += spans - refused
        return True

    def _tell(self, taken: Taken) -> None:
        trouble = _trouble(taken)
        if trouble and trouble != self._trouble:
            LOG.warning("the collector of traces %s: %s", _answer(taken), trouble)
        elif self._trouble and not trouble:
            LOG.info("the collector of traces takes spans again")
        self._trouble = trouble


def pause(asked: float, last: float) -> float:
    """Seconds to leave a collector alone: as many as it asked for, else twice the last."""
    return min(asked, MOST_ASKED) or min(MOST_WAIT, 2 * last or PERIOD)


def _trouble(taken: Taken) -> str:
    """What becomes of spans; empty where all is well."""
    if taken.status in RETRIED:
        return f"spans wait, and of more than {LIMIT:,} calls they are dropped"
    if taken.status != OK:
        return "spans are lost until it takes them"
    return "they are not sent again" if taken.refused else ""


def _answer(taken: Taken) -> str:
    if taken.status == OK:
        return f"refuses {taken.refused} spans of a batch"
    return f"answered {taken.status}" if taken.status else "cannot be reached"
