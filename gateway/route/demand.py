"""What calls like the latest would cost at every price of money.

Each call shows at which prices it would step down from one tier to a cheaper one, and what that
saves. A fading histogram of these steps answers for all prices at once, in a microsecond.

A price is quality a nano-dollar, taken off every candidate; nothing here knows the time.
"""

from collections.abc import Sequence
from math import exp, log

# Prices are told apart in steps of a third, from a hundredth of a point of quality a dollar on.
BINS = 72
_LOWEST, _STEP = log(1e-13), 0.28
_PRICES = tuple([exp(_LOWEST + _STEP * (n + 1)) for n in range(BINS)])
# The latest hundred calls speak for those to come; weights are scaled down before they overflow.
_GROWTH, _MOST_WEIGHT = 1.0 + 1 / 100, 1e12


class Demand:
    """What calls like the latest would cost at every price."""

    __slots__ = ("_most", "_saved", "_sum", "_weight")

    def __init__(self) -> None:
        self._saved = [0.0] * BINS
        self._most = self._sum = 0.0
        self._weight = 1.0

    def saw(self, costs: Sequence[float], worths: Sequence[float]) -> None:
        """A call could be answered at these costs, with these worths (λ and μ taken off)."""
        at = max(range(len(worths)), key=worths.__getitem__)
        weight = self._weight = self._weight * _GROWTH
        self._sum += weight
        self._most += weight * costs[at]
        while (down := _next_step(costs, worths, at)) is not None:
            price, below = down
            bin_ = int((log(price) - _LOWEST) / _STEP) if price > 0.0 else 0
            self._saved[max(0, min(BINS - 1, bin_))] += weight * (costs[at] - costs[below])
            at = below
        if weight > _MOST_WEIGHT:
            self._scale_down()

    def price_for(self, target: float) -> float:
        """The least price at which a call costs no more than `target` on average; 0 if any does."""
        left = self._most - target * self._sum
        if left <= 0.0:
            return 0.0
        for saved, price in zip(self._saved, _PRICES, strict=True):
            if saved >= left:
                # Within a bin, as far as is needed of it.
                return price * exp(_STEP * (left / saved - 1.0))
            left -= saved
        return _PRICES[-1]

    def _scale_down(self) -> None:
        self._saved = [saved / self._weight for saved in self._saved]
        self._most /= self._weight
        self._sum /= self._weight
        self._weight = 1.0


def _next_step(
    costs: Sequence[float], worths: Sequence[float], at: int
) -> tuple[float, int] | None:
    """The lowest price at which a cheaper candidate wins, and which one it is."""
    best: tuple[float, int] | None = None
    for n, cost in enumerate(costs):
        if cost < costs[at]:
            price = (worths[at] - worths[n]) / (costs[at] - cost)
            if best is None or price < best[0]:
                best = price, n
    return best
