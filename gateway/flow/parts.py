"""What a flow is made of: ports and rules, handed over by the composition root."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.call import Assessment
from gateway.catalog import Catalog
from gateway.ports import (
    Affinities,
    Clock,
    Deadlines,
    Ledger,
    Recorder,
    ReplyCache,
    SharedFlights,
    Upstream,
)
from gateway.reuse.policy import Policy as CachePolicy
from gateway.route.breaker import Breaker
from gateway.route.choose import Policy as RoutingPolicy


class Assesses(Protocol):
    """The classifier as the flow needs it (`gateway.classify.assess`)."""

    def assess(self, document: Mapping[str, Any]) -> Assessment:
        """Look at a prompt; short ones cost microseconds, long ones belong in a thread."""
        ...

    def count(self, document: Mapping[str, Any]) -> int:
        """Count a prompt's text tokens exactly, piece by piece."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """The operator's settings for the life of a call; times in seconds, sizes in bytes.

    `thread_over`: bodies larger than this are looked at in a thread, so that the loop goes on.
    `decisions`: how many of the latest are kept to be looked at.
    """

    routing: RoutingPolicy = field(default_factory=RoutingPolicy)
    caching: CachePolicy = CachePolicy.DEFAULT
    cache_ttl: float = 600.0
    deadlines: Deadlines = field(default_factory=Deadlines)
    breaker: Breaker = field(default_factory=Breaker)
    max_attempts: int = 3
    retry_budget: float = 0.2
    max_reply: int = 32 * 1024 * 1024
    max_in_flight: int = 1024
    thread_over: int = 64 * 1024
    decisions: int = 1_000


@dataclass(frozen=True, slots=True)
class Parts:
    """The adapters behind the ports, and the two ways of waiting; no `flights`: no replicas."""

    catalog: Catalog
    clock: Clock
    upstream: Upstream
    cache: ReplyCache
    affinities: Affinities
    ledger: Ledger
    recorder: Recorder
    assessor: Assesses
    pause: Callable[[float], Awaitable[None]]
    in_thread: "InThread"
    flights: SharedFlights | None = None


class InThread(Protocol):
    """Runs a function beside the loop and awaits its result."""

    async def __call__(self, function: Callable[..., Any], /, *args: object) -> Any:  # noqa: ANN401 - what it returns
        """Call it with the arguments, elsewhere."""
        ...
