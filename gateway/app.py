"""The composition root: the only module that names concrete adapters. Importing it does nothing.

settings → log, classifier, catalog, socket → cache, upstream, metrics → flow → plane → server
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from gateway.call import NO_WISHES
from gateway.catalog import TIERS_BY_LABEL, Catalog
from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.clock import SystemClock
from gateway.flow.explain import candidate
from gateway.flow.health import Health
from gateway.flow.life import Flow
from gateway.flow.parts import Parts, Rules
from gateway.http.beside import beside
from gateway.http.pages import Page, create
from gateway.http.plane import Ids, Limits, Plane
from gateway.http.server import Server, listen, loop_factory
from gateway.observe.collector import Gauges
from gateway.observe.lines import Format, spelling
from gateway.observe.log import CallLog, to_descriptor
from gateway.observe.metrics import Metrics, media_type
from gateway.observe.recording import Recording
from gateway.observe.stdlog import configure_logging
from gateway.observe.text import Scrubber
from gateway.ports import Deadlines, Upstream
from gateway.reuse.policy import Policy as CachePolicy
from gateway.route.breaker import Breaker
from gateway.route.choose import Policy as RoutingPolicy, choose
from gateway.route.target import resolve
from gateway.settings.catalog import build
from gateway.settings.schema import Settings
from gateway.simulate.app import create as create_simulation
from gateway.simulate.upstream import Simulation
from gateway.store.memory import MemoryCache
from gateway.upstream.client import DirectUpstream
from gateway.upstream.httpx_adapter import HttpxUpstream
from gateway.upstream.pool import Limits as PoolLimits

LOG = logging.getLogger("tiergate")
STDOUT = 1
# Random bytes of the request ids' prefix: unique over restarts and replicas.
ID_BYTES = 5


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway on a loop."""

    flow: Flow
    metrics: Metrics
    server: Server


def serve(settings: Settings) -> int:
    """Serve until told to stop; the process's exit code.

    Raises:
        OSError: the address cannot be listened on.
    """
    with _open(settings) as opened, asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(opened))
    return 0


def explain(settings: Settings, body: dict[str, Any]) -> dict[str, Any]:
    """Where a request would go and why, without sending it; for an idle, healthy gateway.

    Raises:
        GatewayError: no tier can answer it.
    """
    catalog = build(settings)
    target = resolve(str(body.get("model", "auto")), NO_WISHES, catalog)
    assessment = Assessor(Tokenizer(), Difficulty.load()).assess(body)
    choice = choose(
        assessment,
        target,
        NO_WISHES,
        catalog=catalog,
        speeds=Health(catalog, Breaker()).speeds(assessment.text_tokens, 0.0),
        policy=_routing(settings),
    )
    return {
        "tier": choice.chosen.tier.label,
        "model": target.model or choice.chosen.model,
        "reason": choice.code,
        "reasons": list(choice.reasons),
        "score": round(assessment.score, 4),
        "quality": [round(q, 4) for q in assessment.quality],
        "prompt_tokens": assessment.text_tokens,
        "signals": list(assessment.signals),
        "candidates": [candidate(c) for c in choice.candidates],
    }


@dataclass(frozen=True, slots=True)
class Opened:
    """What is there before the loop runs."""

    settings: Settings
    catalog: Catalog
    clock: SystemClock
    assessor: Assessor
    log: CallLog
    listener: socket.socket


@contextmanager
def _open(settings: Settings, *, quiet: bool = False) -> Iterator[Opened]:
    """The log, the classifier, the catalog (simulated if so set), a listening socket."""
    clock = SystemClock()
    look = Assessor(Tokenizer(), Difficulty.load())
    with ExitStack() as stack:
        log = stack.enter_context(_log(settings, clock, quiet=quiet))
        url = None
        if settings.simulate.enabled:
            simulation = Simulation(
                build(settings),
                clock,
                clock.sleep,
                settings.simulate.seed,
                settings.simulate.speed,
                look.count,
            )
            url = stack.enter_context(beside(create_simulation(simulation))) + "/v1"
        catalog = build(settings, simulated_url=url)
        listener = stack.enter_context(listen(settings.server.host, settings.server.port))
        yield Opened(settings, catalog, clock, look, log, listener)


def _log(settings: Settings, clock: SystemClock, *, quiet: bool) -> CallLog:
    secrets = [deployment.key for deployment in build(settings).deployments()]
    terminal = os.isatty(STDOUT)
    spelt = spelling(Format(settings.log.format), Scrubber(secrets), terminal=terminal)
    log = CallLog(_nowhere if quiet else to_descriptor(STDOUT), spelt, clock)
    configure_logging(log.remark, settings.log.level)
    return log


def _nowhere(_data: bytes) -> None:
    """A log nobody wants to see."""


@asynccontextmanager
async def running(opened: Opened) -> AsyncIterator[Running]:
    """A gateway on the running loop; it listens once `server` is run."""
    settings, catalog, clock = opened.settings, opened.catalog, opened.clock
    cache = MemoryCache(
        clock, max_bytes=settings.cache.max_bytes, max_entry=settings.cache.max_entry
    )
    upstream = _upstream(settings)
    gauges = Gauges(
        in_flight=lambda: flow.in_flight,
        open_breakers=lambda: flow.health.resting(clock.now()),
        cache_bytes=lambda: cache.stats().bytes,
        cache_entries=lambda: cache.stats().entries,
        cache_evictions=lambda: cache.stats().evictions,
        log_dropped=lambda: opened.log.dropped,
    )
    metrics = Metrics(catalog, clock, gauges)
    parts = Parts(
        catalog=catalog,
        clock=clock,
        upstream=upstream,
        cache=cache,
        recorder=Recording(metrics, opened.log),
        assessor=opened.assessor,
        pause=clock.sleep,
        in_thread=asyncio.to_thread,
    )
    flow = Flow(parts, _rules(settings))
    ids = Ids(token_hex(ID_BYTES))
    plane = Plane(flow, clock, _limits(settings), ids)
    page = Page(
        catalog=catalog,
        render=metrics.render,
        media_type=media_type,
        ready=lambda: "stopping" if server.stopping() else "",
        make_id=ids.make,
        made=int(clock.wall()),
        cors_origins=settings.server.cors_origins,
    )
    server = Server(create(page), plane, opened.listener, settings.server.drain)
    try:
        yield Running(flow, metrics, server)
    finally:
        await upstream.close()


async def _serve(opened: Opened) -> None:
    async with running(opened) as gateway:
        address = "{}:{}".format(*opened.listener.getsockname()[:2])
        LOG.info("listening on http://%s", address)
        if opened.settings.simulate.enabled:
            LOG.warning(
                "answers are SIMULATED: set OPENAI_API_KEY, or OPENAI_BASE_URL, or a configuration"
            )
        await gateway.server.run_until_stopped()


def _upstream(settings: Settings) -> Upstream:
    wanted = settings.upstream
    limits = PoolLimits(connections=wanted.max_connections, keep_alive=wanted.keep_alive)
    ca_file = str(wanted.ca_file) if wanted.ca_file is not None else None
    if settings.simulate.enabled or (wanted.proxy == "off" and not wanted.http2):
        return DirectUpstream(ca_file=ca_file, limits=limits)
    proxies: dict[str, str] | None = None if wanted.proxy == "env" else {}
    return HttpxUpstream(ca_file=ca_file, http2=wanted.http2, proxies=proxies, limits=limits)


def _rules(settings: Settings) -> Rules:
    upstream, breaker, cache = settings.upstream, settings.breaker, settings.cache
    return Rules(
        routing=_routing(settings),
        caching=CachePolicy(cache.policy),
        cache_ttl=cache.ttl,
        cache_max_entry=cache.max_entry,
        deadlines=Deadlines(
            connect=upstream.connect_timeout,
            first_byte=upstream.first_byte_timeout,
            idle=upstream.idle_timeout,
            total=upstream.total_timeout,
        ),
        breaker=Breaker(limit=breaker.failures, cooldown=breaker.cooldown),
        max_attempts=upstream.max_attempts,
        retry_budget=upstream.retry_budget,
        max_in_flight=settings.server.max_calls_in_flight,
    )


def _routing(settings: Settings) -> RoutingPolicy:
    barred = frozenset(TIERS_BY_LABEL[label] for label in settings.routing.no_tools)
    return RoutingPolicy(quality=settings.routing.quality, no_tools=barred)


def _limits(settings: Settings) -> Limits:
    server = settings.server
    return Limits(
        max_body=server.max_body,
        max_headers=server.max_headers,
        max_header_bytes=server.max_header_bytes,
        receive_timeout=server.receive_timeout,
        keep_alive=server.keep_alive,
        cors_origins=server.cors_origins,
    )
