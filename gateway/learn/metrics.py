"""The field's figures for a router, exactly: APGR on a curve, calibration, and their doubt.

APGR is RouteLLM's average performance gap recovered: the mean, over all shares of calls sent to
the large model, of how much of the gap between small and large is recovered. Random is 0.5.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.learn.arrays import Floats

SMALLEST_GAP: Final = 0.03
"""Below this gap between small and large the ratio means nothing; such cells join no average."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One ladder of models on one benchmark: rows of the data, qualities, weights."""

    name: str
    rows: NDArray[np.int64]
    small: Floats
    large: Floats
    weight: Floats

    @property
    def gap(self) -> float:
        """What the large model is better by."""
        return float(np.average(self.large - self.small, weights=self.weight))


def apgr(score: Floats, small: Floats, large: Floats, weight: Floats) -> float:
    """Average performance gap recovered; ties are mixed at random (their expectation)."""
    gap = np.average(large - small, weights=weight)
    if abs(gap) < 1e-9:
        return float("nan")
    order = np.argsort(-score, kind="stable")
    ranked, gain, mass = score[order], (large - small)[order], weight[order]
    last = np.r_[np.nonzero(np.diff(ranked))[0], len(ranked) - 1]
    x = np.r_[0.0, np.cumsum(mass)[last]] / mass.sum()
    y = np.r_[0.0, np.cumsum(mass * gain)[last]] / mass.sum() / gap
    return float(((y[1:] + y[:-1]) / 2 * np.diff(x)).sum())


def calibration_error(predicted: Floats, actual: Floats, bins: int = 10) -> float:
    """Expected calibration error over bins of equal width."""
    at = np.minimum((predicted * bins).astype(np.int64), bins - 1)
    sums = np.bincount(at, predicted - actual, minlength=bins)
    return float(np.abs(sums).sum() / len(predicted))


def judged(score: Floats, cell: Cell) -> float:
    """APGR of a score over all rows on one cell."""
    return apgr(score[cell.rows], cell.small, cell.large, cell.weight)


def sound(cells: list[Cell]) -> list[Cell]:
    """The cells whose gap is large enough to divide by."""
    return [cell for cell in cells if abs(cell.gap) >= SMALLEST_GAP]


def macro(score: Floats, cells: list[Cell]) -> float:
    """The mean APGR of some cells; one whose gap vanishes has none and is passed over."""
    return float(np.nanmean([judged(score, cell) for cell in cells]))


def doubt(score: Floats, cells: list[Cell], draws: int = 200) -> tuple[float, float]:
    """The 95 % interval of `macro`, by drawing the prompts of every cell afresh."""
    random = np.random.default_rng(0)
    values = [macro(score, [_drawn(cell, random) for cell in cells]) for _ in range(draws)]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def _drawn(cell: Cell, random: np.random.Generator) -> Cell:
    pick = random.integers(0, len(cell.rows), len(cell.rows))
    return Cell(cell.name, cell.rows[pick], cell.small[pick], cell.large[pick], cell.weight[pick])
