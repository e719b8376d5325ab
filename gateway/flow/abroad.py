"""Identical calls of other replicas: waited for, instead of being fetched twice.

Only whole answers that may be kept: what is kept is how they travel, and a stream is not kept
before its end. A caller in a hurry waits for nobody: a leader elsewhere may be dead.

Refused: sharing across tenants, whose name is part of the key, and failing because of the store.
"""

from typing import NamedTuple

from gateway.call import Call
from gateway.flow.journey import Journey
from gateway.flow.parts import Parts
from gateway.ports import Kept, Lead
from gateway.reuse.policy import Verdict


class Abroad(NamedTuple):
    """Asks whoever knows of other replicas, if anyone does."""

    parts: Parts

    async def look(self, call: Call, verdict: Verdict, key: bytes) -> Kept | Lead | None:
        """The reply that is kept, or who of the replicas fetches it; None: each for itself."""
        flights, wishes = self.parts.flights, call.wishes
        hurried = wishes.deadline is not None or wishes.ttft is not None
        oldest = wishes.cache.max_age
        alone = call.stream or hurried or oldest is not None
        if flights is None or alone or not (verdict.write and verdict.share):
            kept = await self.parts.cache.get(key)
            if kept is None or oldest is None:
                return kept
            return kept if self.parts.clock.wall() - kept.stored <= oldest else None
        return await flights.look(key)

    async def wait(self, journey: Journey, lead: Lead | None) -> Kept | None:
        """What another replica fetches, if one does."""
        if lead is None or self.parts.flights is None or not lead.follows:
            return None
        now = self.parts.clock.now
        began = now()
        try:
            return await self.parts.flights.wait(lead.key)
        finally:
            journey.waited += now() - began

    def landed(self, lead: Lead | None) -> None:
        """What was led is over: the reply is kept, or there is none."""
        if lead is not None and self.parts.flights is not None:
            self.parts.flights.landed(lead)
