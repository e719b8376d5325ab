"""Figures of several processes as those of one: what is counted is added, gauges as they declare.

Generic over families: whatever a registry collects can be packed, carried and joined. Histograms
are added bucket by bucket; the processes are of one version, so their buckets are the same; of a
bucket's examples one is kept. A process that has ended leaves what it counted and nothing that it
measured.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import orjson
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Exemplar, Sample

from gateway.observe.families import FAMILIES, Across, Family, Kind

COUNTED: Final = frozenset({"counter", "histogram", "summary"})
"""Types of families whose values only grow: they are added, and outlive their process."""

FOREIGN: Final[Mapping[str, Across]] = {
    "python_info": Across.HIGHEST,
    "process_start_time_seconds": Across.LOWEST,
}
"""Gauges that are not declared by us, and are not added."""

JOIN: Final[Mapping[Across, Callable[[float, float], float]]] = {
    Across.SUM: lambda one, other: one + other,
    Across.HIGHEST: max,
    Across.LOWEST: min,
}


def pack(metrics: Iterable[Metric]) -> bytes:
    """Figures, as they are carried from one process to another."""
    return orjson.dumps(
        [
            (m.name, m.documentation, m.type, [_carried(sample) for sample in m.samples])
            for m in metrics
        ]
    )


def unpack(packed: bytes) -> list[Metric]:
    """What was packed."""
    return [_metric(name, text, kind, samples) for name, text, kind, samples in _read(packed)]


def lasting(metrics: Iterable[Metric]) -> list[Metric]:
    """What is left of the figures of a process that has ended."""
    return [metric for metric in metrics if metric.type in COUNTED]


def join(several: Iterable[Iterable[Metric]]) -> list[Metric]:
    """The figures of several processes as those of one, in the order of the first."""
    joined: dict[str, Metric] = {}
    found: dict[str, dict[tuple[str, ...], Sample]] = {}
    for metrics in several:
        for metric in metrics:
            if metric.name not in joined:
                joined[metric.name] = Metric(metric.name, metric.documentation, metric.type)
                found[metric.name] = {}
            _add(found[metric.name], metric)
    for name, metric in joined.items():
        metric.samples = list(found[name].values())
    return list(joined.values())


def _add(found: dict[tuple[str, ...], Sample], metric: Metric) -> None:
    across = Across.SUM if metric.type in COUNTED else _rule(metric.name)
    for sample in metric.samples:
        place = (sample.name, *sample.labels.values())
        already = found.get(place)
        if already is None:
            found[place] = sample
        else:
            value = JOIN[across](already.value, sample.value)
            example = already.exemplar or sample.exemplar
            found[place] = already._replace(value=value, exemplar=example)


def _rule(name: str) -> Across:
    return _RULES.get(name, Across.SUM)


def _collected_as(family: Family) -> str:
    """The name a family has once it is collected."""
    return family.name.removesuffix("_info").removesuffix("_total")


_RULES: Final = {
    **{_collected_as(family): family.across for family in FAMILIES},
    # Always 1, whoever says it.
    **{_collected_as(f): Across.HIGHEST for f in FAMILIES if f.kind is Kind.INFO},
    **FOREIGN,
}


def _read(packed: bytes) -> Any:  # noqa: ANN401 - JSON
    return orjson.loads(packed)


def _carried(sample: Sample) -> tuple[Any, ...]:
    said, example = (sample.name, sample.labels, sample.value), sample.exemplar
    return said if example is None else (*said, example.labels, example.value)


def _metric(name: str, text: str, kind: str, samples: list[list[Any]]) -> Metric:
    metric = Metric(name, text, kind)
    metric.samples = [_sample(*sample) for sample in samples]
    return metric


def _sample(name: str, labels: Any, value: float, *example: Any) -> Sample:  # noqa: ANN401 - JSON
    return Sample(name, labels, value, None, Exemplar(*example) if example else None)
