"""Identical calls of other replicas: waited for, instead of being fetched twice.

Only whole answers that may be kept: what is kept is how they travel, and a stream is not kept
before its end. A caller in a hurry waits for nobody: a leader elsewhere may be dead.

Refused: sharing across tenants, whose name is part of the key, and failing because of the store.
"""

from collections.abc import Callable
from typing import NamedTuple

from gateway.flow.journey import Journey
from gateway.ports import Kept, Lead, SharedFlights
from gateway.reuse.policy import Verdict


class Abroad(NamedTuple):
    """Asks whoever knows of other replicas, if anyone does."""

    flights: SharedFlights | None
    now: Callable[[], float]

    async def join(self, journey: Journey, verdict: Verdict, key: bytes) -> Kept | Lead | None:
        """The reply another replica fetched, or the lead among them; None: each for itself."""
        call = journey.call
        if self.flights is None or call.stream or not (verdict.read and verdict.write):
            return None
        if call.wishes.deadline is not None or call.wishes.ttft is not None:
            return None
        began = self.now()
        try:
            return await self.flights.join(key)
        finally:
            journey.waited += self.now() - began

    def landed(self, lead: Lead | None) -> None:
        """What was led is over: the reply is kept, or there is none."""
        if lead is not None and self.flights is not None:
            self.flights.landed(lead)
