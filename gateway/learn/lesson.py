"""What training and judging share: targets, features and their moments.

The gain has a part that no word carries: among prompts of one benchmark the longer statement is
the harder one, while between benchmarks length says nothing of the kind. So the slope by length is
measured *within* benchmarks, taken off the target, and put on again after the words are fitted;
fitted along with them, it would learn the difference between kinds of work instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gateway.learn.anchors import Anchor
from gateway.learn.arrays import Flags, Floats, Ids, Matrix, Words
from gateway.learn.fit import Moments, heard, left_out, moments, numbers
from gateway.learn.outcomes import Outcomes, Targets


@dataclass(frozen=True, slots=True)
class Lesson:
    """All that training and judging share; heads learn two targets, ranking signal and quality.

    `ids` are the tokens of each row and `anchor_ids` of each anchor; `stretches` and
    `anchor_stretches` their lengths, as `gateway.classify.difficulty.stretch` has them.
    """

    outcomes: Outcomes
    aims: Targets
    ids: Sequence[Ids]
    rows: Floats
    stretches: Floats
    anchors: list[Anchor]
    anchor_ids: Sequence[Ids]
    anchor_rows: Floats
    anchor_stretches: Floats
    vectors: Matrix
    brevity: float

    def slope(self, rows: Flags) -> float:
        """What the signal gains by length among prompts of one benchmark."""
        above, below = 0.0, 0.0
        weight = np.where(rows, self.aims.weight, 0.0)
        for name in np.unique(self.outcomes.benchmark[weight > 0]):
            own = (weight > 0) & (self.outcomes.benchmark == name)
            w, x, y = weight[own], self.stretches[own], self.aims.signal[own]
            x = x - np.average(x, weights=w)
            above += float((w * x * (y - np.average(y, weights=w))).sum())
            below += float((w * x * x).sum())
        # Longer may not count as easier: without evidence length says nothing.
        return max(above / below, 0.0) if below > 0 else 0.0

    def parts(self, rows: Flags, group: Words) -> dict[str, Moments]:
        """Moments of each group, over some rows."""
        weight = np.where(rows, self.aims.weight, 0.0)
        wanted = self._wanted(self.slope(rows))
        names = np.unique(group[weight > 0])
        return {
            str(n): moments(self.rows, wanted, np.where(group == n, weight, 0.0)) for n in names
        }

    def anchored(self, slope: float) -> Moments:
        """Moments of the anchors that may be learned from."""
        wanted = np.array([[a.gain, a.full] for a in self.anchors])
        wanted[:, 0] -= slope * self.anchor_stretches
        weight = np.array([0.0 if a.held_out else a.weight for a in self.anchors])
        return moments(self.anchor_rows, wanted, weight)

    def heads(self, rows: Flags) -> Floats:
        """The linear model learned from some rows and the anchors."""
        parts = self.parts(rows, self.outcomes.fold)
        return sum(parts.values(), self.anchored(self.slope(rows))).solve()

    def said(self, heads: Floats, slope: float) -> tuple[Floats, Floats]:
        """What heads say of all rows, and of all anchors, with the part of length."""
        worth = numbers(self.vectors, heads)
        rows = heard(self.ids, worth, heads, self.brevity)
        anchors = heard(self.anchor_ids, worth, heads, self.brevity)
        rows[:, 0] += slope * self.stretches
        anchors[:, 0] += slope * self.anchor_stretches
        return rows, anchors

    def unseen(self, rows: Flags, group: Words) -> Floats:
        """Predictions for every row by a model that saw nothing of the row's group."""
        slope = self.slope(rows)
        out = left_out(self.parts(rows, group), group, self.anchored(slope), self._say)
        out[:, 0] += slope * self.stretches
        return out

    def _say(self, own: Flags, heads: Floats) -> Floats:
        """What heads say of some rows, without the part of length."""
        ids = [self.ids[number] for number in np.flatnonzero(own).tolist()]
        return heard(ids, numbers(self.vectors, heads), heads, self.brevity)

    def _wanted(self, slope: float) -> Floats:
        """The two columns the heads learn."""
        return np.stack([self.aims.signal - slope * self.stretches, self.aims.full], axis=1)
