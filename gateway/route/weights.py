"""What quality is weighed against: λ a doubling of the cost, μ a second, ν a nano-dollar.

    worth = quality·P(in time) − λ·log₂(cost) − ν·cost − μ·time

Each doubling of the price must buy the same gain in quality. Taken as it is, cost would make the
step from nano to mini look free beside full's price, and calls would drift to mini on the noise of
the predictions; and one λ would not serve short and long calls alike. Where money is short that is
turned around: what counts then is what a dollar buys, and ν (`gateway.route.pacing`) says so.
"""

from math import log2
from typing import NamedTuple

from gateway.route.reasons import Candidate

# λ at the dial's middle, for one doubling of the cost: from nano to mini (four times the price) a
# call must gain 9 points, from mini to full (five times) 10. Greetings and labels stay below that
# in every language tried, proofs and races are above.
MIDDLE_LAMBDA = 0.045
# μ: a second is worth a quarter of a point of quality; speed breaks ties, it does not decide.
MU_PER_SECOND = 0.0025
# A dial at 0 means cheapest: no gain outweighs this.
CHEAPEST_LAMBDA = 1e6


class Weights(NamedTuple):
    """λ, μ and ν: quality per doubling of the cost, per second, per nano-dollar."""

    cost: float
    time: float = MU_PER_SECOND
    price: float = 0.0

    def worth(self, of: Candidate) -> float:
        """What a candidate is worth."""
        return (
            of.quality - self.cost * log2(of.cost + 1) - self.price * of.cost - self.time * of.total
        )


def dial_lambda(dial: float, middle: float = MIDDLE_LAMBDA) -> float:
    """The weight of a doubling of cost for a dial from 0 (cheapest) to 1 (best)."""
    if dial <= 0:
        return CHEAPEST_LAMBDA
    return middle * (1 - dial) / dial
