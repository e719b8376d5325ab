"""What if the dial had stood elsewhere? Choices made again from the candidates they kept.

The same predictions, the same refusals, another weight for money. What was not weighed (a named
model, `auto:floor`, the only tier that fits) stays as it was, and so does what was kept to its
conversation's tier.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.catalog import Tier
from gateway.money import FREE, NanoUSD
from gateway.route.reasons import Candidate, Choice
from gateway.route.weights import Weights, dial_lambda

STICKY = "sticky"


class Sums(NamedTuple):
    """What choices add up to: calls by tier, the predicted cost, the mean predicted quality."""

    tiers: tuple[int, int, int]
    cost: NanoUSD
    quality: float


def at_dial(choice: Choice, dial: float) -> Candidate:
    """Whom a choice would have taken with another dial."""
    if choice.dial is None or choice.code == STICKY:
        return choice.chosen
    weights = Weights.of(choice)._replace(cost=dial_lambda(dial, choice.middle))
    return max([c for c in choice.candidates if not c.refused], key=weights.worth)


def sums(chosen: Iterable[Candidate]) -> Sums:
    """What candidates add up to."""
    tiers, cost, quality, calls = [0] * len(Tier), FREE, 0.0, 0
    for one in chosen:
        tiers[one.tier] += 1
        cost = NanoUSD(cost + one.cost)
        quality += one.quality
        calls += 1
    nano, mini, full = tiers
    return Sums((nano, mini, full), cost, quality / calls if calls else 0.0)


def at_dials(choices: Sequence[Choice], dials: Iterable[float]) -> list[tuple[float, Sums]]:
    """What the same calls would add up to, dial by dial."""
    return [(dial, sums([at_dial(choice, dial) for choice in choices])) for dial in dials]
