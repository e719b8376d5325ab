"""The same money, whose quality? Budgets compared at equal spend, exactly.

A rule that leaves a part of its allowance unspent looks worse than it is. So each of the usual
rules is given the allowance with which it spends, over all windows, what the gateway's way spent
with its own: found by halving, to a thousandth. That allowance may be larger than the gateway's;
the rule is then let overspend it in single windows, in its favour.
"""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Final, NamedTuple

from gateway.catalog import Catalog
from gateway.learn.replay_budget import (
    Kept,
    Paced,
    Steering,
    Stepping,
    Trial,
    level_for,
    replay,
)
from gateway.principal import Level

CLOSE: Final = 0.001
"""Spends are equal when they differ by no more than this part."""

HALVINGS: Final = 20


class Equal(NamedTuple):
    """Both at equal spend, as parts of the gateway's allowance; mean quality over all calls.

    `allowance` is the rule's over the gateway's.
    """

    ours: float
    theirs: float
    allowance: float
    our_quality: float
    their_quality: float


RULES: Final[Sequence[type[Steering]]] = (Stepping, Steering)
"""The usual ones: a step to the cheapest tier at 85 %, a stop at 100 %."""


def at_equal_spend(
    catalog: Catalog, trials: Sequence[Trial], share: float, rule: type[Steering]
) -> Equal:
    """The gateway's way on an allowance of a share of the demand, and a rule that spends as much.

    The first window of each run is not counted.
    """
    own = _spend(catalog, trials, share, Paced)
    low, high = share * 0.5, share * 2.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        other = _spend(catalog, trials, middle, lambda _: rule())
        theirs = other[0] * middle / share
        if abs(theirs - own[0]) <= CLOSE * own[0]:
            break
        low, high = (middle, high) if theirs < own[0] else (low, middle)
    return Equal(own[0], theirs, middle / share, own[1], other[1])


def _spend(
    catalog: Catalog, trials: Sequence[Trial], share: float, steering: Callable[[Level], Steering]
) -> tuple[float, float]:
    """The mean part of the allowance that was spent, and the mean quality."""
    kept: list[Kept] = []
    for tried in trials:
        kept += replay(catalog, tried, level_for(tried, share), steering)[1:]
    return fmean(k.spent for k in kept), fmean(k.quality for k in kept)
