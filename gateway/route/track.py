"""Tracks one quantity online: a middle and an honest spread of log(observed / expected).

A *level* moves slowly on noise and at once on a shift: its gain grows with the share of the latest
errors that have one sign (Trigg and Leach 1967; one step late, so that a single outlier never
triggers it). A *spread* follows the errors, outliers cut. A *width* corrects the spread until the
high quantile it promises is exceeded as often as it should be, whatever the true shape is (adaptive
conformal inference: Gibbs and Candès 2021).

Nothing here knows the time or draws a number.
"""

from math import log

# Φ⁻¹(0.95): what "high" means for every quantile of the routing, and how often it is exceeded.
HIGH_Z = 1.6449
TOO_HIGH = 0.05
# One observation may tell of a factor of eight at the most.
_MOST_RATIO, _LEAST_RATIO = 8.0, 1 / 8.0
MOST_ERROR = log(_MOST_RATIO)

# A level's gain on noise and on a shift; what is believed beforehand counts as three calls.
LEAST_GAIN, MORE_GAIN, PRIOR_CALLS = 0.08, 0.6, 4
# How fast the sign of the errors is judged, and from which share on it means a shift.
SIGN_RATE, SHIFT = 0.3, 0.5
# A spread's gain, and its least.
SPREAD_RATE, LEAST_SPREAD = 0.04, 0.08
# What one exceeded promise widens the next by, and the bounds of that.
WIDTH_STEP, NARROWEST, WIDEST = 0.04, 0.7, 2.5
# Observations after which the rates are their least.
PRIOR_RATES = 17
# From a mean deviation to a standard one.
_TO_SIGMA = 1.2533


class Track:
    """One tracked logarithm: `level` in the middle, `spread` around it; `seen` observations."""

    __slots__ = ("_signed", "_size", "highest", "level", "seen", "spread", "width")

    def __init__(self, spread: float, highest: float) -> None:
        """Begin with a spread; the level stays within ± `highest`."""
        self.level = 0.0
        self.spread = spread
        self.width = 1.0
        self.seen = 0
        self.highest = highest
        self._signed = 0.0
        self._size = spread

    def moved(self, error: float) -> None:
        """Learn how far an observation was from the level."""
        seen, signed, sized, spread = self.seen, self._signed, self._size, self.spread
        gain, share, size = LEAST_GAIN, abs(signed) / sized, abs(error)
        if share > SHIFT:
            gain += MORE_GAIN * (share - SHIFT) / (1.0 - SHIFT)
        if seen < PRIOR_RATES and gain < (early := 1.0 / (seen + PRIOR_CALLS)):
            gain = early
        self._signed = signed + SIGN_RATE * (error - signed)
        sized += SIGN_RATE * (size - sized)
        self._size = max(LEAST_SPREAD, sized)
        level = self.level + gain * error
        self.level = max(-self.highest, min(self.highest, level))
        width = self.width - WIDTH_STEP * TOO_HIGH
        if error > HIGH_Z * self.width * spread:
            width += WIDTH_STEP
        if NARROWEST < width < WIDEST:
            self.width = width
        rate = SPREAD_RATE if seen >= PRIOR_RATES else 1.0 / (seen + 2 * PRIOR_CALLS)
        most = 3.0 * spread
        spread += rate * (_TO_SIGMA * min(size, most) - spread)
        self.spread = max(LEAST_SPREAD, spread)
        self.seen = seen + 1


def error_of(observed: float, expected: float) -> float:
    """The logarithm of what was observed over what was expected, within bounds."""
    ratio = observed / expected
    if ratio <= _LEAST_RATIO:
        return -MOST_ERROR
    return MOST_ERROR if ratio >= _MOST_RATIO else log(ratio)
