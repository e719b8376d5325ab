"""Declared families filled with numbers, as the exposition writes them."""

from collections.abc import Iterable, Sequence

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
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
        total, buckets = 0, []
        for bound, column in zip(bounds, columns, strict=False):
            total += sum(column)
            buckets.append((bound, total))
        if total or not names:
            metric.add_metric(names, buckets, sum(part.sum for part in parts))
    return metric
