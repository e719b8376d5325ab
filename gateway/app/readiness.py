"""Whether calls should be sent here: not while it stops, nor while they would be refused.

The store is probed at most once a second, however many ask. A gateway that serves without its store
(open to all, or some key fails open) stays ready and says what is amiss: were all replicas to be
taken out of service at once, nobody would be served at all.
"""

from collections.abc import Awaitable, Callable
from math import inf

from gateway.http.pages import Ready
from gateway.ports import Clock
from gateway.settings.access import levels
from gateway.settings.schema import Settings

FRESH = 1.0
"""Seconds a probe is believed: balancers ask every few."""


def outlives_store(settings: Settings) -> bool:
    """Whether any caller is served while the store is away."""
    return settings.access.open or any(
        said.on_outage == "fail_open" for _, said in levels(settings)
    )


class Readiness:
    """Says whether calls should come; `trouble` is what is wrong with the store, or empty."""

    def __init__(
        self,
        stopping: Callable[[], bool],
        trouble: Callable[[], Awaitable[str]],
        clock: Clock,
        *,
        outlives: bool,
    ) -> None:
        self._stopping = stopping
        self._trouble = trouble
        self._now = clock.now
        self._outlives = outlives
        self._asked = -inf
        self._said = ""

    async def ready(self) -> Ready:
        """Whether calls should come now."""
        if self._stopping():
            return Ready("stopping")
        now = self._now()
        if now - self._asked >= FRESH:
            self._asked = now
            self._said = await self._trouble()
        if not self._said:
            return Ready()
        return Ready(store=self._said) if self._outlives else Ready(self._said, self._said)
