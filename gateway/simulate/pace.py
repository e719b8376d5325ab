"""How long a tier takes: times to the first token and tokens a second, near published ones.

The time to the first token grows with the prompt; between given points it is interpolated.
Cached prompt tokens save most of their share. Seconds throughout.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp, fsum
from random import Random
from statistics import NormalDist

from gateway.catalog import Tier

# A cached token is loaded, not computed; how much that saves is an assumption.
CACHED_SHARE = 0.2
# Log-normal spreads, chosen to look alive; no published figure stands behind them.
FIRST_SIGMA = 0.25
GAP_SIGMA = 0.35


@dataclass(frozen=True, slots=True)
class Pace:
    """Points of (prompt tokens, seconds to the first token), and tokens a second."""

    points: tuple[tuple[int, float], ...]
    rate: float

    def first_token(self, prompt: float) -> float:
        """The typical time to the first token; beyond the last point the slope goes on."""
        at = min(bisect_right(self.points, (prompt, float("inf"))), len(self.points) - 1)
        (left, early), (right, late) = self.points[at - 1], self.points[at]
        return early + (late - early) * (prompt - left) / (right - left)


# Published for GPT-4.1: full short, at 128k and 1M tokens, mini at 10k, nano short, at 10k, "under
# 5 s" at 128k (the launch announcement and Artificial Analysis, who also gave the rates). The other
# points are assumptions: short prompts of mini and full, mini beyond 10k, nano at 1M.
PACES: Mapping[Tier, Pace] = {
    Tier.NANO: Pace(((0, 0.176), (10_000, 0.63), (128_000, 4.8), (1_000_000, 20.0)), 181.0),
    Tier.MINI: Pace(((0, 0.40), (10_000, 0.93), (128_000, 8.0), (1_000_000, 35.0)), 77.2),
    Tier.FULL: Pace(((0, 0.50), (1_000, 0.52), (128_000, 15.0), (1_000_000, 60.0)), 89.0),
}


def first_token(tier: Tier, prompt: int, cached: int, dice: Random) -> float:
    """Seconds to the first token of one call."""
    work = prompt - cached * (1 - CACHED_SHARE)
    return PACES[tier].first_token(work) * dice.lognormvariate(0.0, FIRST_SIGMA)


def _spread(sigma: float) -> tuple[float, ...]:
    """The middles of 256 equally likely parts of a log-normal distribution whose mean is 1."""
    normal = NormalDist(0.0, sigma)
    values = [exp(normal.inv_cdf((part + 0.5) / 256)) for part in range(256)]
    mean = fsum(values) / 256
    return tuple(value / mean for value in values)


# A look-up by a random byte is cheaper than drawing, and streams are long.
GAPS = _spread(GAP_SIGMA)


def gaps(tier: Tier, dice: Random) -> Iterator[float]:
    """Seconds between one token and the next, for ever."""
    typical = 1.0 / PACES[tier].rate
    while True:
        for byte in dice.randbytes(64):
            yield typical * GAPS[byte]
