"""The figures that rooms keep, gathered for the metrics."""

from collections.abc import Callable, Mapping
from hashlib import blake2b

from gateway.app.stores import State
from gateway.app.watchers import Watchers
from gateway.catalog import Catalog
from gateway.flow.life import Flow
from gateway.flow.tallies import STAGES, rank_of
from gateway.observe.gauges import Budget, Gauges
from gateway.observe.log import CallLog
from gateway.ports import Clock
from gateway.settings.schema import Settings
from gateway.store.memory import MemoryCache

DIGEST_BYTES = 6


def gauges(
    flow: Callable[[], Flow],
    clock: Clock,
    state: State,
    cache: MemoryCache,
    log: CallLog,
    watchers: Watchers,
) -> Gauges:
    """Everything but the configuration's name; `flow` is asked for when it is there."""
    return Gauges(
        in_flight=lambda: flow().in_flight,
        open_breakers=lambda: flow().health.resting(clock.now()),
        cache_bytes=lambda: cache.stats().bytes,
        cache_entries=lambda: cache.stats().entries,
        cache_evictions=lambda: cache.stats().evictions,
        log_dropped=lambda: log.dropped,
        spans=watchers.traces.spans if watchers.traces is not None else dict,
        attempts_in_flight=lambda: flow().health.in_flight,
        held=lambda: flow().tallies.held,
        limited=lambda: flow().tallies.limited,
        budgets=lambda: _budgets(flow()),
        stages=lambda: dict(zip(STAGES, flow().tallies.stages, strict=True)),
        turns=lambda: flow().tallies.turns,
        loop_lag=watchers.lag.worst,
        queues=lambda: _queues(state, log, watchers),
        store=state.figures,
        shared_cache=state.shared,
    )


def digest(settings: Settings, catalog: Catalog) -> str:
    """A short name for a configuration; a secret's value is no part of it."""
    said = f"{settings.model_dump_json()}\n{catalog.version}"
    return blake2b(said.encode(), digest_size=DIGEST_BYTES).hexdigest()


def _budgets(flow: Flow) -> list[Budget]:
    return [Budget(rank_of(level), left, pace) for level, left, pace in flow.courses()]


def _queues(state: State, log: CallLog, watchers: Watchers) -> Mapping[str, int]:
    queues = {"log": log.waiting(), "store": state.pending(), "redis": state.waiting()}
    return queues if watchers.traces is None else {**queues, "traces": watchers.traces.waiting()}
