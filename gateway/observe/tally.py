"""The numbers of calls, kept so that counting one costs two microseconds.

Counters with labels look their labels up at every event; here a call finds its *cell* once — one
cell per tier, outcome, routed model and response model — and then only adds to plain numbers. What
families make of the cells is the collector's work, at scrape time and in another thread: every
number here only grows, lists never change their length, and dictionaries of cells are copied whole
before they are walked, so a reader sees a state at most one call old.

Refused: labels outside the closed sets (`gateway.observe.labels`), floats for money, and waiting.
"""

from bisect import bisect_left
from typing import Final

from gateway.call import Expected
from gateway.catalog import Catalog
from gateway.ended import Attempted, Ended
from gateway.observe import families, labels
from gateway.observe.labels import ModelNames
from gateway.wire.surface import AREAS

ALIASES: Final = 256
"""Spellings remembered per tier. Names of models from outside can fill these, but no more: then
theirs are looked up the long way, about a microsecond."""

ALIAS_LENGTH: Final = 128
"""Longer names are not worth remembering; no real one comes near."""

NO_TIER_INDEX: Final = len(labels.TIERS) - 1

_MEMORY: Final = frozenset({"hit", "shared"})


class Histogram:
    """Counts between bounds, not yet summed up, and the sum of what was seen.

    `shown` are examples by their place in `counts`: a trace's id, and the value that it had.
    """

    __slots__ = ("bounds", "counts", "shown", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0
        self.shown: dict[int, tuple[str, float]] | None = None

    def show(self, value: float, trace: str) -> None:
        """Remember whose value it was, as an example for its bucket."""
        if self.shown is None:
            self.shown = {}
        self.shown[bisect_left(self.bounds, value)] = (trace, value)

    def observe(self, value: float) -> None:
        """Add a value to the bucket whose upper bound is the first not below it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Cell:
    """What is known of the calls that share tier, outcome, routed and response model."""

    __slots__ = (
        *("tier", "outcome", "model", "response_model"),
        *("whole", "streamed", "prompt", "cached", "completion", "reasoning", "cost"),
        *("duration", "first_token", "per_token", "prompts", "completions"),
    )

    def __init__(self, tier: int, outcome: str, model: str, response_model: str) -> None:
        self.tier = tier
        self.outcome = outcome
        self.model = model
        self.response_model = response_model
        self.whole = self.streamed = 0
        self.prompt = self.cached = self.completion = self.reasoning = 0
        self.cost = 0
        self.duration = Histogram(families.DURATION_BUCKETS)
        self.first_token = Histogram(families.FIRST_TOKEN_BUCKETS)
        self.per_token = Histogram(families.PER_TOKEN_BUCKETS)
        self.prompts = Histogram(families.TOKEN_BUCKETS)
        self.completions = Histogram(families.TOKEN_BUCKETS)


class Ratios:
    """What a tier's calls took over what they were expected to take."""

    __slots__ = labels.PREDICTED

    def __init__(self) -> None:
        self.cost = Histogram(families.RATIO_BUCKETS)
        self.completion = Histogram(families.RATIO_BUCKETS)
        self.ttft = Histogram(families.RATIO_BUCKETS)
        self.total = Histogram(families.RATIO_BUCKETS)

    def compare(self, ended: Ended, expected: Expected) -> None:
        """Compare a call that went well with what was expected of it."""
        usage = ended.usage
        if not usage.estimated and expected.cost and expected.completion:
            self.cost.observe(ended.cost / expected.cost)
            self.completion.observe(usage.completion / expected.completion)
        # A second attempt's wait is no fault of the prediction.
        if ended.attempts == 1 and expected.total:
            self.total.observe(ended.seconds / expected.total)
            if ended.stream and expected.ttft:
                self.ttft.observe(ended.ttft / expected.ttft)

    def each(self) -> tuple[Histogram, ...]:
        """In the order of their names."""
        return self.cost, self.completion, self.ttft, self.total


class Tally:
    """A `Recorder` that counts. Written by one thread, readable from any."""

    __slots__ = (
        *("_aliases", "_cells", "_models", "_outcomes"),
        *(
            "attempt_seconds",
            "attempts",
            "cache",
            "deadlines",
            "overhead",
            "passed",
            "ratios",
            "routed",
        ),
        *("saved_by_cache", "saved_by_routing"),
    )

    def __init__(self, catalog: Catalog) -> None:
        names = [deployment.name for deployment in catalog.deployments()]
        self._models = ModelNames(catalog)
        self._outcomes = frozenset(labels.outcomes())
        self._cells: dict[tuple[int, str, str, str], Cell] = {}
        self._aliases: tuple[dict[tuple[str, str, str], Cell], ...] = tuple(
            {} for _ in labels.TIERS
        )
        self.attempts = {name: dict.fromkeys(self._outcomes, 0) for name in [*names, labels.OTHER]}
        self.attempt_seconds = {
            name: Histogram(families.DURATION_BUCKETS) for name in [*names, labels.OTHER]
        }
        self.routed = tuple(dict.fromkeys(labels.REASONS, 0) for _ in labels.TIERS)
        self.passed = {area: dict.fromkeys(self._outcomes, 0) for area in AREAS}
        self.cache = dict.fromkeys(labels.CACHE_OUTCOMES, 0)
        self.overhead = Histogram(families.OVERHEAD_BUCKETS)
        self.ratios = tuple(Ratios() for _ in labels.TIERS)
        self.deadlines = [0, 0]
        self.saved_by_routing = 0
        self.saved_by_cache = 0

    def attempted(self, attempt: Attempted) -> None:
        name = attempt.deployment
        if name not in self.attempts:
            name = labels.OTHER
        _count(self.attempts[name], attempt.outcome)
        self.attempt_seconds[name].observe(attempt.seconds)

    def ended(self, ended: Ended) -> None:
        tier = NO_TIER_INDEX if ended.tier is None else ended.tier
        spelling = (ended.outcome, ended.model, ended.response_model)
        cell = self._aliases[tier].get(spelling) or self._cell(tier, spelling)
        from_memory = ended.cache in _MEMORY

        _count(self.routed[tier], ended.reason)
        _count(self.cache, ended.cache)
        if ended.area:
            _count(self.passed[ended.area], ended.outcome)
        self.overhead.observe(ended.overhead)
        cell.duration.observe(ended.seconds)
        cell.cost += ended.cost
        if ended.stream:
            cell.streamed += 1
            if ended.ttft > 0:
                cell.first_token.observe(ended.ttft)
        else:
            cell.whole += 1
        if not from_memory:
            _add_tokens(cell, ended)
            if ended.expected is not None and ended.outcome == labels.OK:
                self.ratios[tier].compare(ended, ended.expected)
        if ended.in_time is not None:
            self.deadlines[ended.in_time] += 1
        if ended.saved > 0:
            if from_memory:
                self.saved_by_cache += ended.saved
            else:
                self.saved_by_routing += ended.saved

    def exemplify(self, ended: Ended) -> None:
        """Take a traced call that was counted as an example of what it was counted among."""
        if ended.trace is None:
            return
        tier = NO_TIER_INDEX if ended.tier is None else ended.tier
        cell = self._cell(tier, (ended.outcome, ended.model, ended.response_model))
        self.overhead.show(ended.overhead, ended.trace.id)
        cell.duration.show(ended.seconds, ended.trace.id)
        if ended.stream and ended.ttft > 0:
            cell.first_token.show(ended.ttft, ended.trace.id)

    def cells(self) -> list[Cell]:
        """Every cell so far; safe to walk while calls are counted."""
        return list(self._cells.values())

    def _cell(self, tier: int, spelling: tuple[str, str, str]) -> Cell:
        """The cell of a spelling not met before, its labels drawn from the closed sets."""
        outcome, model, response_model = spelling
        key = (
            int(tier),
            outcome if outcome in self._outcomes else labels.OTHER,
            self._models.label(model),
            self._models.label(response_model),
        )
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Cell(*key)
        aliases = self._aliases[tier]
        if len(aliases) < ALIASES and len(response_model) <= ALIAS_LENGTH >= len(model):
            aliases[spelling] = cell
        return cell


def _count(counts: dict[str, int], name: str) -> None:
    # Every name of the set is there from the start: the dictionary never grows.
    try:
        counts[name] += 1
    except KeyError:
        counts[labels.OTHER] += 1


def _add_tokens(cell: Cell, ended: Ended) -> None:
    """Count the tokens an upstream was paid for."""
    usage = ended.usage
    prompt, completion = usage.prompt, usage.completion
    if not (prompt or completion):
        return
    cell.prompt += prompt
    cell.cached += usage.cached
    cell.completion += completion
    cell.reasoning += usage.reasoning
    cell.prompts.observe(prompt)
    cell.completions.observe(completion)
    if ended.stream and completion > 1 and ended.ttft > 0 and ended.outcome == labels.OK:
        cell.per_token.observe((ended.seconds - ended.ttft) / (completion - 1))
