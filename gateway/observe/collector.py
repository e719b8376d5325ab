"""What Prometheus sees of the tally, made up at scrape time.

Series appear with their first event, except those few that are always there, so that a rate over
them is right from the first event on. Sums of money leave as decimal dollars, exact below a million
dollars: beyond that Prometheus' own floating point ends.
"""

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.catalog import Catalog
from gateway.money import NANO_PER_USD
from gateway.observe import families, labels
from gateway.observe.gauges import Gauges, State
from gateway.observe.shapes import counter, histogram, seen
from gateway.observe.tally import NO_TIER_INDEX, Cell, Histogram, Tally

ALL_TIERS = range(len(labels.TIERS))


class TallyCollector(Collector):
    """Turns a tally, a catalog and the gauges into metric families."""

    def __init__(self, tally: Tally, catalog: Catalog, gauges: Gauges, version: str) -> None:
        self._tally = tally
        self._state = State(catalog, gauges, version)

    def collect(self) -> Iterator[Metric]:
        cells = self._tally.cells()
        yield from self._calls(cells)
        yield from self._times(cells)
        yield from self._predictions()
        yield from self._state.collect()
        yield from _gen_ai([cell for cell in cells if cell.tier != NO_TIER_INDEX])

    def _calls(self, cells: list[Cell]) -> Iterator[Metric]:
        tally = self._tally
        requests: dict[tuple[str, ...], float] = {}
        for cell in cells:
            for stream, calls in (("false", cell.whole), ("true", cell.streamed)):
                key = (labels.TIERS[cell.tier], cell.outcome, stream)
                requests[key] = requests.get(key, 0) + calls
        yield counter(families.REQUESTS, seen(requests.items()))
        yield counter(families.ATTEMPTS, _of_each(tally.attempts))
        yield histogram(
            families.ATTEMPT_SECONDS,
            [((name,), [histogram]) for name, histogram in tally.attempt_seconds.items()],
        )
        yield counter(
            families.ROUTED,
            seen(
                ((tier, reason), count)
                for tier, counts in zip(labels.TIERS, tally.routed, strict=True)
                for reason, count in counts.items()
            ),
        )
        yield counter(families.PASSED, _of_each(tally.passed))
        yield counter(families.TOKENS, _tokens(cells))
        spent = [sum(cell.cost for cell in cells if cell.tier == tier) for tier in ALL_TIERS]
        yield counter(
            families.COST,
            [((labels.TIERS[tier],), spent[tier] / NANO_PER_USD) for tier in ALL_TIERS],
        )
        saved = (tally.saved_by_routing, tally.saved_by_cache)
        yield counter(
            families.SAVED,
            [
                ((by,), amount / NANO_PER_USD)
                for by, amount in zip(labels.SAVERS, saved, strict=True)
            ],
        )
        yield counter(families.CACHE_LOOKUPS, [((k,), n) for k, n in tally.cache.items()])

    def _times(self, cells: list[Cell]) -> Iterator[Metric]:
        yield histogram(families.OVERHEAD, [((), [self._tally.overhead])])
        for family, of in (
            (families.FIRST_TOKEN, _first_token),
            (families.PER_TOKEN, _per_token),
            (families.DURATION, _duration),
        ):
            yield histogram(
                family,
                [
                    ((labels.TIERS[tier],), [of(cell) for cell in cells if cell.tier == tier])
                    for tier in ALL_TIERS
                ],
            )

    def _predictions(self) -> Iterator[Metric]:
        tally = self._tally
        yield histogram(
            families.PREDICTION,
            [
                ((of, tier), [one])
                for tier, ratios in zip(labels.TIERS, tally.ratios, strict=True)
                for of, one in zip(labels.PREDICTED, ratios.each(), strict=True)
            ],
        )
        late, kept = tally.deadlines
        yield counter(families.DEADLINES, [(("true",), kept), (("false",), late)])


def _of_each(tallies: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[Sequence[str], float]]:
    for name, counts in tallies.items():
        yield from seen(((name, outcome), count) for outcome, count in sorted(counts.items()))


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
    yield histogram(
        families.GEN_AI_TOKENS,
        [((*k, "input"), [cell.prompts for cell in group]) for k, group in groups.items()]
        + [((*k, "output"), [cell.completions for cell in group]) for k, group in groups.items()],
    )
    yield histogram(families.GEN_AI_DURATION, durations.items())
    yield histogram(
        families.GEN_AI_FIRST_TOKEN, [(k, [*map(_first_token, g)]) for k, g in groups.items()]
    )
    yield histogram(
        families.GEN_AI_PER_TOKEN, [(k, [*map(_per_token, g)]) for k, g in groups.items()]
    )
