"""Whether an answer will be there in time: a tier's speed as two medians and two spreads.

    total = time to the first token + completion × seconds a token

Both parts, and the length of the answer, are taken as log-normal. Their sum is not, but a
log-normal with its mean and variance is near enough (Fenton and Wilkinson): for the spreads seen
here the chance is off by a point or two. The spreads themselves are learnt from what was observed
(`gateway.route.pace`), so that an error of shape is learnt away too.

Nothing here observes, remembers or knows the time.
"""

from math import erfc, exp, log, log1p, sqrt
from typing import NamedTuple

from gateway.route.track import HIGH_Z

_HALF_SQRT = sqrt(0.5)
# exp of a larger variance says nothing more and would overflow on nonsense.
_MOST_VARIANCE = 4.0


class Speed(NamedTuple):
    """What a tier's best deployment is expected to do with this call.

    Medians in seconds, spreads as standard deviations of logarithms (0: taken as certain).
    """

    ttft: float
    per_output_token: float
    ttft_spread: float = 0.0
    token_spread: float = 0.0


class Total(NamedTuple):
    """The time to the last byte: log-normal, by the middle and the spread of its logarithm."""

    middle: float
    spread: float

    def within(self, limit: float) -> float:
        """The chance that it is over after `limit` seconds."""
        if limit <= 0.0:
            return 0.0
        beyond = log(limit) - self.middle
        if self.spread <= 0.0:
            return 1.0 if beyond >= 0.0 else 0.0
        return 0.5 * erfc(-beyond * _HALF_SQRT / self.spread)

    def high(self) -> float:
        """Seconds after which 19 of 20 are over."""
        return exp(self.middle + HIGH_Z * self.spread)


def total(speed: Speed, completion: float, spread: float) -> Total:
    """The time to the last byte; `completion` is a median of tokens, `spread` its logarithm's."""
    first, per_token, first_spread, token_spread = speed
    rest = completion * per_token
    first_factor = exp(min(first_spread * first_spread, _MOST_VARIANCE))
    rest_factor = exp(min(token_spread * token_spread + spread * spread, _MOST_VARIANCE))
    first_square, rest_square = first * first * first_factor, rest * rest * rest_factor
    mean = sqrt(first_square) + sqrt(rest_square)
    if mean <= 0.0:
        return Total(-1e3, 0.0)
    variance = first_square * (first_factor - 1.0) + rest_square * (rest_factor - 1.0)
    squared = log1p(variance / (mean * mean))
    return Total(log(mean) - squared / 2, sqrt(squared))


def first(speed: Speed) -> Total:
    """The time to the first byte."""
    return Total(log(speed.ttft) if speed.ttft > 0.0 else -1e3, speed.ttft_spread)


def spread_of(median: float, high: float) -> float:
    """The spread of a length whose median and high quantile are known."""
    return log(high / median) / HIGH_Z if high > median > 0.0 else 0.0
