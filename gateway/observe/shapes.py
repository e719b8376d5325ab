"""Declared families filled with numbers, as the exposition writes them."""

from collections.abc import Iterable, Sequence

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

from gateway.observe.families import Family
from gateway.observe.tally import Histogram

Values = Iterable[tuple[Sequence[str], float]]
"""Label values with the number that belongs to them."""


def seen(values: Values) -> Values:
    """Those that are not zero: the others' series begin with their first event."""
    return [(names, value) for names, value in values if value]


def counter(family: Family, values: Values) -> Metric:
    """A counter."""
    metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
    for names, value in values:
        metric.add_metric(names, value)
    return metric


def gauge(family: Family, values: Values) -> Metric:
    """A gauge."""
    metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for names, value in values:
        metric.add_metric(names, value)
    return metric


def histogram(family: Family, groups: Iterable[tuple[Sequence[str], list[Histogram]]]) -> Metric:
    """One histogram per group, its parts added up; groups that saw nothing are left out."""
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    bounds = [*map(floatToGoString, family.buckets), "+Inf"]
    for names, parts in groups:
        # Copies: a bucket must not grow between being added up and being counted.
        columns = zip(*[part.counts.copy() for part in parts], strict=True)
        total, examples = 0, _examples(parts)
        buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
        for place, (bound, column) in enumerate(zip(bounds, columns, strict=False)):
            total += sum(column)
            example = examples.get(place)
            buckets.append((bound, total) if example is None else (bound, total, example))
        if total or not names:
            metric.add_metric(names, buckets, sum(part.sum for part in parts))
    return metric


def _examples(parts: list[Histogram]) -> dict[int, Exemplar]:
    """The traces that show what is in a bucket, as OpenMetrics has them."""
    found: dict[int, tuple[str, float]] = {}
    for part in parts:
        if part.shown is not None:
            found |= part.shown.copy()
    return {place: Exemplar({"trace_id": trace}, value) for place, (trace, value) in found.items()}
