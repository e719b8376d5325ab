"""Answers that are one caller's own, because its allowance made them what they are.

Callers of one tenant share replies but not allowances: what one of them got because it could not
pay for more (a smaller tier, an answer cut off at the tokens it could afford) must serve nobody
else, nor itself once there is money again. Such an answer is neither kept nor shared.

Refused: what everybody's calls run into. A cost cap is a wish and part of the key; a deployment
that is down is down for all.
"""

from gateway.call import Call, Usage
from gateway.route.fit import SPENT
from gateway.route.reasons import Choice
from gateway.route.weights import Weights
from gateway.route.whatif import STICKY

BUDGET = "budget"
"""The code of a choice that the ledger lowered."""


def lowered(choice: Choice) -> bool:
    """Whether an allowance kept another tier from being chosen."""
    if choice.code == BUDGET or any([c.refused == SPENT for c in choice.candidates]):
        return True
    if not choice.price or choice.dial is None or choice.code == STICKY:
        return False
    unpaced = Weights.of(choice)._replace(price=0.0)
    fitting = [c for c in choice.candidates if not c.refused]
    return max(fitting, key=unpaced.worth).tier is not choice.chosen.tier


def limited(call: Call, most: int | None) -> bool:
    """Whether an answer may be at most as long as its caller's allowance could pay for."""
    return most is not None and bool(call.principal.levels)


def cut_off(call: Call, most: int | None, usage: Usage) -> bool:
    """Whether an answer was limited so, and may have run into that."""
    return (
        limited(call, most) and most is not None and (usage.estimated or usage.completion >= most)
    )
