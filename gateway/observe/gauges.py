"""Figures that others keep, and their metric families, made up at scrape time.

What stands in a label is looked up in a closed set before it gets here; a figure nobody keeps (a
store where there is none) has no series.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import NamedTuple

from prometheus_client.metrics_core import InfoMetricFamily, Metric

from gateway.catalog import Catalog
from gateway.money import NANO_PER_USD
from gateway.observe import families
from gateway.observe.families import Family
from gateway.observe.shapes import counter, gauge


class Budget(NamedTuple):
    """One allowance: whose kind of level it is, nano-dollars left, its pace (1: as planned)."""

    level: str
    left: int
    pace: float


class StoreFigures(NamedTuple):
    """What there is to say of a store elsewhere or on disk; `errors` by kind.

    `seconds` is the last probe's round trip, None where nothing is probed.
    """

    name: str
    up: bool
    errors: Mapping[str, int]
    commands: int = 0
    round_trips: int = 0
    seconds: float | None = None


def _nothing() -> Mapping[str, int]:
    return {}


@dataclass(frozen=True, slots=True)
class Gauges:
    """Figures others keep, asked for at each scrape, in the scrape's thread.

    `open_breakers` names the deployments that rest; `held` is nano-dollars; `limited` counts by
    level and limit, `stages` is seconds; `config` names the configuration that is in use.
    """

    in_flight: Callable[[], int] = int
    open_breakers: Callable[[], Collection[str]] = frozenset
    cache_bytes: Callable[[], int] = int
    cache_entries: Callable[[], int] = int
    cache_evictions: Callable[[], int] = int
    log_dropped: Callable[[], int] = int
    spans: Callable[[], Mapping[str, int]] = _nothing
    attempts_in_flight: Callable[[], Mapping[str, int]] = _nothing
    held: Callable[[], int] = int
    limited: Callable[[], Mapping[tuple[str, str], int]] = dict
    budgets: Callable[[], Iterable[Budget]] = tuple
    stages: Callable[[], Mapping[str, float]] = dict
    turns: Callable[[], Mapping[str, int]] = _nothing
    loop_lag: Callable[[], float] = float
    queues: Callable[[], Mapping[str, int]] = _nothing
    store: Callable[[], StoreFigures | None] = lambda: None
    shared_cache: Callable[[], Mapping[str, int]] = _nothing
    config: Callable[[], str] = str


class State:
    """The families of a process's gauges."""

    def __init__(self, catalog: Catalog, gauges: Gauges, version: str) -> None:
        self._deployments = [deployment.name for deployment in catalog.deployments()]
        self._catalog = catalog
        self._shutdowns = {
            model.name: datetime.combine(model.shutdown, time(), UTC).timestamp()
            for model in catalog.ever()
            if model.shutdown is not None
        }
        self._gauges = gauges
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """Everything, in the order it is documented in."""
        yield from self._work()
        yield from self._money()
        yield from self._memory()
        yield from self._store()
        yield gauge(families.SHUTDOWN, [((name,), when) for name, when in self._shutdowns.items()])
        yield gauge(
            families.SUCCEEDED,
            [
                ((one.name, one.instead_of, one.model.name), 1)
                for one in self._catalog.deployments()
                if one.instead_of
            ],
        )
        yield counter(families.LOG_DROPPED, [((), self._gauges.log_dropped())])
        yield counter(families.SPANS, _named(self._gauges.spans()))
        yield _info(families.CONFIG, self._gauges.config())
        yield _info(families.BUILD, self._version)

    def _work(self) -> Iterator[Metric]:
        gauges = self._gauges
        resting, attempts = gauges.open_breakers(), gauges.attempts_in_flight()
        yield counter(families.STAGES, _named(gauges.stages()))
        yield gauge(families.IN_FLIGHT, [((), gauges.in_flight())])
        yield gauge(
            families.ATTEMPTS_IN_FLIGHT,
            [((name,), attempts.get(name, 0)) for name in self._deployments],
        )
        yield gauge(
            families.BREAKER_OPEN, [((name,), name in resting) for name in self._deployments]
        )
        yield gauge(families.LOOP_LAG, [((), gauges.loop_lag())])
        yield gauge(families.QUEUES, _named(gauges.queues()))
        yield counter(families.TURNS, _named(gauges.turns()))

    def _money(self) -> Iterator[Metric]:
        gauges = self._gauges
        left: dict[str, int] = {}
        pace: dict[str, float] = {}
        for budget in gauges.budgets():
            left[budget.level] = min(budget.left, left.get(budget.level, budget.left))
            pace[budget.level] = max(budget.pace, pace.get(budget.level, 0.0))
        yield gauge(families.HELD, [((), gauges.held() / NANO_PER_USD)])
        yield gauge(
            families.BUDGET_LEFT, [((level,), nano / NANO_PER_USD) for level, nano in left.items()]
        )
        yield gauge(families.BUDGET_PACE, _named(pace))
        yield counter(families.LIMITED, gauges.limited().items())

    def _memory(self) -> Iterator[Metric]:
        gauges = self._gauges
        yield gauge(families.CACHE_BYTES, [((), gauges.cache_bytes())])
        yield gauge(families.CACHE_ENTRIES, [((), gauges.cache_entries())])
        yield counter(families.CACHE_EVICTIONS, [((), gauges.cache_evictions())])
        yield counter(families.SHARED_CACHE, _named(gauges.shared_cache()))

    def _store(self) -> Iterator[Metric]:
        store = self._gauges.store()
        if store is None:
            return
        name, seconds = (store.name,), store.seconds
        yield gauge(families.STORE_UP, [(name, store.up)])
        yield counter(
            families.STORE_ERRORS, [((store.name, kind), n) for kind, n in store.errors.items()]
        )
        yield counter(families.STORE_COMMANDS, [(name, store.commands)])
        yield counter(families.STORE_TRIPS, [(name, store.round_trips)])
        yield gauge(families.STORE_SECONDS, [] if seconds is None else [(name, seconds)])


def _named(figures: Mapping[str, float]) -> list[tuple[Sequence[str], float]]:
    return [((name,), figure) for name, figure in figures.items()]


def _info(family: Family, value: str) -> Metric:
    name = family.name.removesuffix("_info")
    return InfoMetricFamily(name, family.help, {family.labels[0]: value})
