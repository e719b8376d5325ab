"""A conversation keeps its tier.

Its cached prompt tokens cost a quarter, and moving up cold costs thirteen times a warm turn. It
may move up once, when it gets harder, and never flaps.

Time is an argument in monotonic seconds; the table is bounded and forgets the longest unused.
"""

from collections import OrderedDict
from dataclasses import dataclass

from gateway.catalog import Tier

# Upstream prompt caches live 5–10 idle minutes; after that there is nothing to keep.
KEPT_SECONDS = 600.0
MAX_SESSIONS = 50_000


@dataclass(frozen=True, slots=True)
class Stay:
    """A conversation's tier, whether its one move is used up, and when it is forgotten."""

    tier: Tier
    moved: bool
    until: float


class Sessions:
    """The bounded table of conversations."""

    __slots__ = ("_stays", "limit")

    def __init__(self, limit: int = MAX_SESSIONS) -> None:
        self.limit = limit
        self._stays: OrderedDict[str, Stay] = OrderedDict()

    def __len__(self) -> int:
        return len(self._stays)

    def settle(self, session: str, chosen: Tier, now: float) -> Tier:
        """The tier this turn should use, given what its own prompt would choose."""
        stay = self._stays.pop(session, None)
        if stay is None or stay.until < now:
            stay = Stay(chosen, moved=False, until=now + KEPT_SECONDS)
        elif chosen > stay.tier and not stay.moved:
            stay = Stay(chosen, moved=True, until=now + KEPT_SECONDS)
        else:
            stay = Stay(stay.tier, stay.moved, now + KEPT_SECONDS)
        self._stays[session] = stay
        if len(self._stays) > self.limit:
            self._stays.popitem(last=False)
        return stay.tier
