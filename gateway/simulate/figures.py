"""Numbers within a JSON Schema's bounds, exactly: a tenth is a tenth."""

import math
from fractions import Fraction

from gateway.simulate.hints import Hints
from gateway.simulate.schemas import Schema

HALF = Fraction(1, 2)


def whole(value: object, otherwise: int) -> int:
    """A size as a schema should give it, or what holds without one."""
    exact = _exact(value)
    return int(exact) if exact is not None and exact >= 0 else otherwise


def number(schema: Schema, hints: Hints, *, integer: bool) -> int | float:
    """A number within its bounds: one the question mentions, or the smallest handy one."""
    step = _exact(schema.get("multipleOf"))
    step = step if step is not None and step > 0 else None
    if integer:
        # An integer that is a multiple of 0.5 is a multiple of 1; of 2.5, of 5.
        step = Fraction(step.numerator) if step is not None else Fraction(1)
    low, high = _bounds(schema, step)
    wanted = hints.numbers[hints.turn % len(hints.numbers)] if hints.numbers else 1
    value = _within(Fraction(str(wanted)), low, high, step)
    return _plain(value)


def another_number(schema: Schema, value: float, taken: list[object]) -> float:
    """The number nearest to one taken that is still free within its bounds."""
    step = _exact(schema.get("multipleOf")) or Fraction(1)
    step = step if isinstance(value, float) else Fraction(step.numerator)
    low, high = _bounds(schema, step)
    exact = Fraction(str(value))
    for distance in range(1, len(taken) + 2):
        for other in (exact + step * distance, exact - step * distance):
            free = _plain(other)
            if _is_within(other, low, high) and free not in taken:
                return free
    return value


def _is_within(value: Fraction, low: Fraction | None, high: Fraction | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def _bounds(schema: Schema, step: Fraction | None) -> tuple[Fraction | None, Fraction | None]:
    low, high = _exact(schema.get("minimum")), _exact(schema.get("maximum"))
    above, below = _exact(schema.get("exclusiveMinimum")), _exact(schema.get("exclusiveMaximum"))
    # Draft 4 spells exclusive bounds as booleans beside the bound.
    above = low if schema.get("exclusiveMinimum") is True else above
    below = high if schema.get("exclusiveMaximum") is True else below
    lows = [bound for bound in (low, above) if bound is not None]
    highs = [bound for bound in (high, below) if bound is not None]
    room = (min(highs) - max(lows)) / 2 if lows and highs else Fraction(0)
    inch = step or (min(room, HALF) if room > 0 else HALF)
    if above is not None and (low is None or above >= low):
        low = above + (_gap(above, inch) if step else inch)
    if below is not None and (high is None or below <= high):
        high = below - (_gap(-below, inch) if step else inch)
    return low, high


def _gap(bound: Fraction, step: Fraction) -> Fraction:
    """From a bound up to the next multiple of a step beyond it."""
    return (math.floor(bound / step) + 1) * step - bound


def _within(
    wanted: Fraction, low: Fraction | None, high: Fraction | None, step: Fraction | None
) -> Fraction:
    value = wanted
    value = value if low is None else max(value, low)
    value = value if high is None else min(value, high)
    if step is None:
        return value
    if low is not None and math.floor(value / step) * step < low:
        return math.ceil(value / step) * step
    return math.floor(value / step) * step


def _exact(value: object) -> Fraction | None:
    """A schema's number as it is written: 0.1 is a tenth."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return Fraction(str(value)) if math.isfinite(value) else None
