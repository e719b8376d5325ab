"""What quality is weighed against: λ a doubling of the cost, μ a second, ν a nano-dollar.

    worth = quality·P(in time) − λ·steep·√cost − ν·cost − μ·time

λ sets what the step from the cheapest tier in reach to the next must gain: so much a doubling of
the price. Each doubling beyond must gain √2 times as much as the one before it (`steepness` makes
the root of the cost count as such doublings). Were all doublings alike, calls would go from mini to
full while others stay on nano, although the same dollars buy more there: where mini has most of
full's quality, that came out worse than mixing two models blindly. Were λ set a dollar, long calls
would be held to another measure than short ones, a cheap step would look free beside a dear one,
and calls would drift up on the noise of the predictions. Where money is short that is turned
around: what counts then is what a dollar buys, and ν (`gateway.route.pacing`) says so.
"""

from collections.abc import Sequence
from math import log2, sqrt
from typing import NamedTuple

from gateway.route.reasons import Candidate, Choice

# λ at the dial's middle, for one doubling of the cost: from nano to mini (four times the price) a
# call must gain 9 points, from there to full (five times) 22. Greetings and labels stay below that
# in every language tried, proofs and races are above.
MIDDLE_LAMBDA = 0.045
# μ: a second is worth a quarter of a point of quality; speed breaks ties, it does not decide.
MU_PER_SECOND = 0.0025
# A dial at 0 means cheapest: no gain outweighs this.
CHEAPEST_LAMBDA = 1e6
# A first step below this is weighed as a part of one so large: nearly equal costs, as where one
# tier's prompt is cached, say nothing of how dear the steps beyond them are.
LEAST_STEP = 4.0
_WHOLE_STEP = log2(LEAST_STEP) / (sqrt(LEAST_STEP) - 1.0)


class Weights(NamedTuple):
    """λ, μ and ν: quality per doubling of the cost, per second, per nano-dollar.

    `steep` is how many doublings the root of a nano-dollar counts as (`steepness`).
    """

    cost: float
    time: float
    price: float
    steep: float

    @classmethod
    def of(cls, choice: Choice) -> "Weights":
        """What a choice was weighed by."""
        fitting = [c.cost for c in choice.candidates if not c.refused]
        return cls(choice.cost_weight, choice.time_weight, choice.price, steepness(fitting))

    def worth(self, of: Candidate) -> float:
        """What a candidate is worth."""
        dear = self.cost * self.steep * sqrt(of.cost + 1) + self.price * of.cost
        return of.quality - dear - self.time * of.total


def steepness(costs: Sequence[int]) -> float:
    """Doublings that the root of a nano-dollar counts as, where tiers of these costs are compared.

    As many as the step from the cheapest to the next has, spread evenly over its roots.
    """
    least, *others = sorted(costs)
    root = sqrt(least + 1)
    times = (others[0] + 1) / (least + 1) if others else 1.0
    if times <= LEAST_STEP:
        return _WHOLE_STEP / root
    return log2(times) / ((sqrt(times) - 1.0) * root)


def dial_lambda(dial: float, middle: float = MIDDLE_LAMBDA) -> float:
    """The weight of a doubling of cost for a dial from 0 (cheapest) to 1 (best)."""
    if dial <= 0:
        return CHEAPEST_LAMBDA
    return middle * (1 - dial) / dial
