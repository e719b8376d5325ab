"""What Prometheus sees of the tally, made up at scrape time.

Series appear with their first event, except those few that are always there, so that a rate over
them is right from the first event on. Sums of money leave as decimal dollars, exact below a million
dollars: beyond that Prometheus' own floating point ends.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from gateway.catalog import Catalog
from gateway.money import NANO_PER_USD
from gateway.observe import families, labels
from gateway.observe.families import Family
from gateway.observe.tally import NO_TIER_INDEX, Cell, Histogram, Tally

ALL_TIERS = range(len(labels.TIERS))


@dataclass(frozen=True, slots=True)
class Gauges:
    """Figures others keep, asked for at each scrape, in the scrape's thread.

    `open_breakers` names the deployments that rest.
    """

    in_flight: Callable[[], int] = int
    open_breakers: Callable[[], Collection[str]] = frozenset
    cache_bytes: Callable[[], int] = int
    cache_entries: Callable[[], int] = int
    cache_evictions: Callable[[], int] = int
    log_dropped: Callable[[], int] = int


class TallyCollector(Collector):
    """Turns a tally, a catalog and the gauges into metric families."""

    def __init__(self, tally: Tally, catalog: Catalog, gauges: Gauges, version: str) -> None:
        self._tally = tally
        self._deployments = [deployment.name for deployment in catalog.deployments()]
        self._shutdowns = [
            (model.name, datetime.combine(model.shutdown, time(), UTC).timestamp())
            for _, model in catalog.models()
            if model.shutdown is not None
        ]
        self._gauges = gauges
        self._version = version

    def collect(self) -> Iterator[Metric]:
        cells = self._tally.cells()
        yield from self._calls(cells)
        yield from self._times(cells)
        yield from self._state()
        yield from _gen_ai([cell for cell in cells if cell.tier != NO_TIER_INDEX])

    def _calls(self, cells: list[Cell]) -> Iterator[Metric]:
        tally = self._tally
        requests: dict[tuple[str, ...], float] = {}
        for cell in cells:
            for stream, calls in (("false", cell.whole), ("true", cell.streamed)):
                key = (labels.TIERS[cell.tier], cell.outcome, stream)
                requests[key] = requests.get(key, 0) + calls
        yield _counter(families.REQUESTS, _seen(requests.items()))
        yield _counter(
            families.ATTEMPTS,
            _seen(
                ((deployment, outcome), count)
                for deployment, counts in tally.attempts.items()
                for outcome, count in sorted(counts.items())
            ),
        )
        yield _histogram(
            families.ATTEMPT_SECONDS,
            [((name,), [histogram]) for name, histogram in tally.attempt_seconds.items()],
        )
        yield _counter(
            families.ROUTED,
            _seen(
                ((tier, reason), count)
                for tier, counts in zip(labels.TIERS, tally.routed, strict=True)
                for reason, count in counts.items()
            ),
        )
        yield _counter(families.TOKENS, _tokens(cells))
        spent = [sum(cell.cost for cell in cells if cell.tier == tier) for tier in ALL_TIERS]
        yield _counter(
            families.COST,
            [((labels.TIERS[tier],), spent[tier] / NANO_PER_USD) for tier in ALL_TIERS],
        )
        saved = (tally.saved_by_routing, tally.saved_by_cache)
        yield _counter(
            families.SAVED,
            [
                ((by,), amount / NANO_PER_USD)
                for by, amount in zip(labels.SAVERS, saved, strict=True)
            ],
        )
        yield _counter(families.CACHE_LOOKUPS, [((k,), n) for k, n in tally.cache.items()])

    def _times(self, cells: list[Cell]) -> Iterator[Metric]:
        yield _histogram(families.OVERHEAD, [((), [self._tally.overhead])])
        for family, of in (
            (families.FIRST_TOKEN, _first_token),
            (families.PER_TOKEN, _per_token),
            (families.DURATION, _duration),
        ):
            yield _histogram(
                family,
                [
                    ((labels.TIERS[tier],), [of(cell) for cell in cells if cell.tier == tier])
                    for tier in ALL_TIERS
                ],
            )

    def _state(self) -> Iterator[Metric]:
        gauges = self._gauges
        resting = gauges.open_breakers()
        yield _gauge(families.IN_FLIGHT, [((), gauges.in_flight())])
        yield _gauge(
            families.BREAKER_OPEN, [((name,), name in resting) for name in self._deployments]
        )
        yield _gauge(families.CACHE_BYTES, [((), gauges.cache_bytes())])
        yield _gauge(families.CACHE_ENTRIES, [((), gauges.cache_entries())])
        yield _counter(families.CACHE_EVICTIONS, [((), gauges.cache_evictions())])
        yield _gauge(families.SHUTDOWN, [((name,), when) for name, when in self._shutdowns])
        yield _counter(families.LOG_DROPPED, [((), gauges.log_dropped())])
        build = families.BUILD
        yield InfoMetricFamily(
            build.name.removesuffix("_info"), build.help, {"version": self._version}
        )


Values = Iterable[tuple[Sequence[str], float]]
"""Label values with the number that belongs to them."""


def _seen(values: Iterable[tuple[Sequence[str], float]]) -> Values:
    return [(names, value) for names, value in values if value]


def _counter(family: Family, values: Values) -> Metric:
    metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
    for names, value in values:
        metric.add_metric(names, value)
    return metric


def _gauge(family: Family, values: Values) -> Metric:
    metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for names, value in values:
        metric.add_metric(names, value)
    return metric


def _histogram(family: Family, groups: Iterable[tuple[Sequence[str], list[Histogram]]]) -> Metric:
    """One histogram per group, its parts added up; groups that saw nothing are left out."""
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    bounds = [*map(floatToGoString, family.buckets), "+Inf"]
    for names, parts in groups:
        # Copies: a bucket must not grow between being added up and being counted.
        columns = zip(*[part.counts.copy() for part in parts], strict=True)
        total, buckets = 0, []
        for bound, column in zip(bounds, columns, strict=False):
            total += sum(column)
            buckets.append((bound, total))
        if total or not names:
            metric.add_metric(names, buckets, sum(part.sum for part in parts))
    return metric


def _tokens(cells: list[Cell]) -> Iterator[tuple[Sequence[str], float]]:
    for tier, label in enumerate(labels.TIERS):
        mine = [cell for cell in cells if cell.tier == tier]
        yield (label, "prompt"), sum(cell.prompt for cell in mine)
        yield (label, "cached"), sum(cell.cached for cell in mine)
        yield (label, "completion"), sum(cell.completion for cell in mine)
        yield (label, "reasoning"), sum(cell.reasoning for cell in mine)


def _first_token(cell: Cell) -> Histogram:
    return cell.first_token


def _per_token(cell: Cell) -> Histogram:
    return cell.per_token


def _duration(cell: Cell) -> Histogram:
    return cell.duration


def _gen_ai(cells: list[Cell]) -> Iterator[Metric]:
    """OpenTelemetry's view: by models, not by tiers."""
    groups: dict[tuple[str, ...], list[Cell]] = {}
    durations: dict[tuple[str, ...], list[Histogram]] = {}
    for cell in cells:
        names = ("chat", "openai", cell.model, cell.response_model)
        groups.setdefault(names, []).append(cell)
        # Label values are matched up in order: leaving the last out leaves error_type out.
        failed = () if cell.outcome == labels.OK else (cell.outcome,)
        durations.setdefault(names + failed, []).append(cell.duration)
    yield _histogram(
        families.GEN_AI_TOKENS,
        [((*k, "input"), [cell.prompts for cell in group]) for k, group in groups.items()]
        + [((*k, "output"), [cell.completions for cell in group]) for k, group in groups.items()],
    )
    yield _histogram(families.GEN_AI_DURATION, durations.items())
    yield _histogram(
        families.GEN_AI_FIRST_TOKEN, [(k, [*map(_first_token, g)]) for k, g in groups.items()]
    )
    yield _histogram(
        families.GEN_AI_PER_TOKEN, [(k, [*map(_per_token, g)]) for k, g in groups.items()]
    )
