"""What training and judging share: targets, features and their moments."""

from dataclasses import dataclass

import numpy as np

from gateway.learn.anchors import WEIGHT, Anchor
from gateway.learn.arrays import Flags, Floats, Matrix, Words
from gateway.learn.fit import Moments, moments
from gateway.learn.outcomes import Outcomes, Targets


@dataclass(frozen=True, slots=True)
class Lesson:
    """All that training and judging share; heads learn two targets, ranking signal and quality."""

    outcomes: Outcomes
    aims: Targets
    rows: Floats
    anchors: list[Anchor]
    anchor_rows: Floats
    vectors: Matrix
    brevity: float

    @property
    def wanted(self) -> Floats:
        """The two columns the heads learn."""
        return np.stack([self.aims.signal, self.aims.full], axis=1)

    def parts(self, rows: Flags, group: Words) -> dict[str, Moments]:
        """Moments of each group, over some rows."""
        weight = np.where(rows, self.aims.weight, 0.0)
        names = np.unique(group[weight > 0])
        return {
            str(n): moments(self.rows, self.wanted, np.where(group == n, weight, 0.0))
            for n in names
        }

    def anchored(self) -> Moments:
        """Moments of the anchors that may be learned from."""
        wanted = np.array([[a.gain, a.full] for a in self.anchors])
        weight = np.array([0.0 if a.held_out else WEIGHT for a in self.anchors])
        return moments(self.anchor_rows, wanted, weight)
