"""Where a request would go and why, without a server: for `tiergate route`.

The same dry run as `POST /v1/route`, over a gateway that has just started: healthy, idle, nothing
learnt, nobody's allowances.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson

from gateway.app import adapters
from gateway.app.assessing import assessor
from gateway.call import Call
from gateway.catalog import Catalog
from gateway.clock import SystemClock
from gateway.ended import Attempted, Ended
from gateway.flow.dry import considered
from gateway.flow.life import Flow
from gateway.flow.parts import Assesses, Parts, Rules
from gateway.settings.catalog import build
from gateway.settings.schema import Settings
from gateway.store.embedded.store import open_store
from gateway.store.memory import MemoryCache
from gateway.upstream.client import DirectUpstream
from gateway.wire.wishes import parse


class Nobody:
    """A recorder for what never happens."""

    def attempted(self, attempt: Attempted) -> None:
        """Nothing is attempted."""

    def ended(self, ended: Ended) -> None:
        """Nothing ends."""


def explain(
    settings: Settings, body: Mapping[str, Any], headers: Mapping[str, str]
) -> dict[str, Any]:
    """Where a chat request would go and why, without sending it.

    Raises:
        GatewayError: no tier can answer it.
    """
    fields = {name.lower().encode(): value.encode() for name, value in headers.items()}
    wishes, _ = parse(fields, body)
    clock = SystemClock()
    model = str(body.get("model", "auto"))
    call = Call("dry-run", orjson.dumps(body), body, model, False, False, wishes, (), clock.now())
    return asyncio.run(_considered(settings, clock, call))


async def _considered(settings: Settings, clock: SystemClock, call: Call) -> dict[str, Any]:
    with idle(build(settings), assessor(settings), adapters.rules(settings), clock) as flow:
        return await considered(flow, call)


@contextmanager
def idle(catalog: Catalog, assesses: Assesses, rules: Rules, clock: SystemClock) -> Iterator[Flow]:
    """A flow that decides and never sends anything."""
    with open_store(None, clock) as store:
        parts = Parts(
            catalog=catalog,
            clock=clock,
            upstream=DirectUpstream(),
            cache=MemoryCache(clock, max_bytes=0, max_entry=0),
            affinities=store.affinities,
            ledger=store.ledger,
            recorder=Nobody(),
            assessor=assesses,
            pause=clock.sleep,
            in_thread=_at_once,
        )
        yield Flow(parts, rules)


async def _at_once(function: Callable[..., Any], /, *args: object) -> Any:  # noqa: ANN401 - as it
    return function(*args)
