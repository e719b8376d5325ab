"""Per-prompt outcomes of many models, and what training aims at."""

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.learn.arrays import Flags, Floats, Words
from gateway.learn.benchmarks import (
    BROKEN,
    BROKEN_MODELS,
    LARGE,
    SMALL,
    UNGRADED,
    WEIGHTS,
    level,
)

HARDNESS: Final = 1.3
"""How much of a prompt's hardness within its benchmark joins its gain as the target.

One pair of outcomes is a coin's toss; the mean over all models is not. Chosen with whole families
left out: 0 to 2.5 were tried, 0.6 to 1.5 do as well.
"""

DOMAIN_FOLDS: Final = 5

ROWS_PER_BENCHMARK: Final = 1_000
"""A benchmark weighs no more than this many rows."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Prompts in the data's order; `quality` is prompts × models, NaN where nothing is known."""

    prompts: list[str]
    benchmark: Words
    kin: Words
    fold: Words
    licensed: Flags
    training: Flags
    models: tuple[str, ...]
    quality: Floats

    def of(self, models: tuple[str, ...]) -> Floats:
        """The columns of some models; a model without outcomes is a column of NaN."""
        columns = [
            self.quality[:, self.models.index(m)]
            if m in self.models
            else np.full(len(self.prompts), np.nan)
            for m in models
        ]
        return np.stack(columns, axis=1)


@dataclass(frozen=True, slots=True)
class Targets:
    """What to learn per prompt: ranking `signal`, honest `gain`, `full` quality, row `weight`."""

    signal: Floats
    gain: Floats
    full: Floats
    weight: Floats


def fold(benchmark: str, kin: str, domain: str) -> str:
    """What is left out together when related benchmarks may stay.

    Exams and obscure facts are split by subject, so that no subject is in both parts; elsewhere
    benchmarks that share questions are one.
    """
    if kin in {"exams", "obscure facts"}:
        subject = domain.replace("_", " ").encode()
        return f"{kin} {zlib.crc32(subject) % DOMAIN_FOLDS}"
    for twin in ("gsm", "mbpp", "arc", "trivia"):
        if twin in benchmark:
            return twin
    return benchmark


def targets(outcomes: Outcomes) -> Targets:
    """The targets; NaN where a prompt may not be learned from."""
    broken = np.isin(outcomes.benchmark, list(BROKEN))
    small, large = _sound(outcomes, SMALL, broken), _sound(outcomes, LARGE, broken)
    gain = _mean(large) - _mean(small)
    full = _mean(large)
    easy = _mean(np.hstack([large, small]))
    hardness = np.zeros(len(gain))
    for name in np.unique(outcomes.benchmark):
        rows = outcomes.benchmark == name
        hardness[rows] = _mean(easy[rows], over=None) - easy[rows]
        if (known := level(str(name))) is not None:
            gain[rows] += known[0] - _mean(gain[rows], over=None)
            full[rows] += known[1] - _mean(full[rows], over=None)
    usable = outcomes.licensed & ~np.isin(outcomes.benchmark, list(UNGRADED)) & ~np.isnan(gain)
    weight = np.zeros(len(gain))
    for name in np.unique(outcomes.benchmark[usable]):
        rows = usable & (outcomes.benchmark == name)
        weight[rows] = min(1.0, ROWS_PER_BENCHMARK / int(rows.sum())) * WEIGHTS.get(str(name), 1.0)
    return Targets(gain + HARDNESS * hardness, gain, full, weight)


def _sound(outcomes: Outcomes, models: tuple[str, ...], broken: Flags) -> Floats:
    columns = outcomes.of(models)
    for number, name in enumerate(models):
        if name in BROKEN_MODELS:
            columns[broken, number] = np.nan
    return columns


def _mean(values: Floats, over: int | None = 1) -> Floats:
    """The mean of what is known; NaN, without a warning, where nothing is."""
    known = ~np.isnan(values)
    sums, counts = np.where(known, values, 0.0).sum(axis=over), known.sum(axis=over)
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan))
