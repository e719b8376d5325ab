"""How late the event loop is: what everything on it waits for, measured by waiting itself.

A beat asks to be woken after a quarter of a second; by how much it comes later is the lag. Reported
is the worst of the last ten to twenty seconds, so that no scrape misses a stall between two.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from gateway.ports import Clock

BEAT_SECONDS: Final = 0.25
SPAN_SECONDS: Final = 10.0


class LoopLag:
    """The worst lag lately; `beat` is to run beside the server, `worst` is for any thread."""

    __slots__ = ("_before", "_now", "_pause", "_since", "_worst")

    def __init__(self, clock: Clock, pause: Callable[[float], Awaitable[None]]) -> None:
        self._now = clock.now
        self._pause = pause
        self._since = clock.now()
        self._worst = self._before = 0.0

    async def beat(self) -> None:
        """Beat until cancelled."""
        while True:
            began = self._now()
            await self._pause(BEAT_SECONDS)
            self.saw(self._now() - began - BEAT_SECONDS)

    def saw(self, late: float) -> None:
        """A beat came so late."""
        now = self._now()
        if now - self._since >= SPAN_SECONDS:
            self._before, self._worst, self._since = self._worst, 0.0, now
        self._worst = max(self._worst, late)

    def worst(self) -> float:
        """Seconds."""
        return max(self._worst, self._before)
