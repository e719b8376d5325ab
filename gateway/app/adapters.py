"""The settings, as the rooms they concern want to hear them; the adapters they ask for."""

import os
from importlib import import_module

from gateway.catalog import TIER_LABELS, TIERS_BY_LABEL
from gateway.clock import SystemClock
from gateway.flow.parts import Rules
from gateway.flow.passage import PassRules
from gateway.http.plane import Limits
from gateway.observe.lines import Format, spelling
from gateway.observe.log import CallLog, to_descriptor
from gateway.observe.stdlog import configure_logging
from gateway.observe.text import Scrubber
from gateway.ports import Deadlines, Upstream
from gateway.reuse.policy import Policy as CachePolicy
from gateway.route.breaker import Breaker
from gateway.route.look import NO_SHIFTS, Policy as RoutingPolicy
from gateway.settings import access
from gateway.settings.catalog import build
from gateway.settings.schema import Settings
from gateway.upstream.client import DirectUpstream
from gateway.upstream.pool import Limits as PoolLimits

STDOUT = 1


def log(settings: Settings, clock: SystemClock, *, quiet: bool) -> CallLog:
    """The log, with standard logging led into it; `quiet` writes nothing."""
    secrets = [secret for one in build(settings).deployments() for secret in one.secrets()]
    secrets += [*access.secrets(settings), *settings.tracing.headers.values()]
    terminal = os.isatty(STDOUT)
    spelt = spelling(Format(settings.log.format), Scrubber(secrets), terminal=terminal)
    made = CallLog(_nowhere if quiet else to_descriptor(STDOUT), spelt, clock)
    configure_logging(made.remark, settings.log.level)
    return made


def _nowhere(_data: bytes) -> None:
    """A log nobody wants to see."""


def upstream(settings: Settings) -> Upstream:
    """The client for the models' servers: ours, or httpx where it must be."""
    wanted = settings.upstream
    pool = PoolLimits(connections=wanted.max_connections, keep_alive=wanted.keep_alive)
    ca_file = str(wanted.ca_file) if wanted.ca_file is not None else None
    if settings.simulate.enabled or (wanted.proxy == "off" and not wanted.http2):
        return DirectUpstream(ca_file=ca_file, limits=pool)
    proxies: dict[str, str] | None = None if wanted.proxy == "env" else {}
    # Imported only where it is needed: httpx takes 5 MB and a quarter of the start.
    adapter = import_module("gateway.upstream.httpx_adapter")
    made: Upstream = adapter.HttpxUpstream(
        ca_file=ca_file, http2=wanted.http2, proxies=proxies, limits=pool
    )
    return made


def rules(settings: Settings) -> Rules:
    """What the flow must know."""
    far, breaker, cache = settings.upstream, settings.breaker, settings.cache
    return Rules(
        routing=routing(settings),
        caching=CachePolicy(cache.policy),
        cache_ttl=cache.ttl,
        deadlines=Deadlines(
            connect=far.connect_timeout,
            first_byte=far.first_byte_timeout,
            idle=far.idle_timeout,
            total=far.total_timeout,
        ),
        breaker=Breaker(limit=breaker.failures, cooldown=breaker.cooldown),
        max_attempts=far.max_attempts,
        retry_budget=far.retry_budget,
        max_in_flight=settings.server.max_calls_in_flight,
        decisions=settings.admin.decisions,
    )


def passed(settings: Settings) -> PassRules:
    """What passing on must know."""
    said = settings.passthrough
    return PassRules(
        enabled=said.enabled,
        deployment=said.deployment or "",
        deny=frozenset(said.deny),
        account=said.account == "allow",
        unknown=said.unknown == "allow",
        unpriced=said.unpriced == "allow",
        max_upload=said.max_upload,
        tunnels=said.max_tunnels,
        tunnel_seconds=said.tunnel_time,
    )


def routing(settings: Settings) -> RoutingPolicy:
    """What the choice of a tier must know."""
    said = settings.routing
    shifts = {str(label): points for label, points in said.shifts.items()}
    nano, mini, full = [shifts.get(label, 0.0) for label in TIER_LABELS]
    return RoutingPolicy(
        quality=said.quality,
        no_tools=frozenset(TIERS_BY_LABEL[label] for label in said.no_tools),
        confidence=said.confidence,
        hope=said.hope,
        shifts=(nano, mini, full) if any(shifts.values()) else NO_SHIFTS,
        doubling=said.doubling,
        second=said.second,
        acceptable=said.acceptable,
        sticky=said.sticky,
        pacing=said.pacing,
    )


def limits(settings: Settings) -> Limits:
    """What the edge must know."""
    server = settings.server
    return Limits(
        max_body=server.max_body,
        max_headers=server.max_headers,
        max_header_bytes=server.max_header_bytes,
        receive_timeout=server.receive_timeout,
        keep_alive=server.keep_alive,
        cors_origins=server.cors_origins,
    )
