"""What would have changed a choice, in words: "full would need +0.06 predicted gain".

Said only of what is true: a dial is named only if its tier would be the choice there. Made when
somebody asks, never on the way of a call.
"""

from collections.abc import Iterable
from math import ceil, floor, inf, sqrt

from gateway.money import spell
from gateway.route.fit import SPENT
from gateway.route.look import DOWN
from gateway.route.reasons import Candidate, Choice
from gateway.route.weights import Weights, dial_lambda


def flips(choice: Choice) -> tuple[str, ...]:
    """What each of the other tiers would have needed; none for a tier that nothing would help."""
    said = [_refused(other) if other.refused else _lost(other, choice) for other in _others(choice)]
    return tuple([words for words in said if words])


def _others(choice: Choice) -> Iterable[Candidate]:
    return [c for c in choice.candidates if c.tier is not choice.chosen.tier]


def _refused(other: Candidate) -> str:
    label, refused = other.tier.label, other.refused
    if refused == DOWN:
        return f"{label} would need a deployment that is up"
    if refused == SPENT:
        return f"{label} would need more left of the allowance"
    if refused.endswith(" cap"):
        return f"{label} would need a cap of ${spell(other.worst)}"
    if "first byte" in refused:
        return f"{label} would need more time to the first byte than {other.ttft:.3g} s"
    if " s of " in refused:
        return f"{label} would need a deadline of {max(other.latest, other.total):.3g} s"
    return ""


def _lost(other: Candidate, choice: Choice) -> str:
    label, weights = other.tier.label, Weights.of(choice)
    if choice.dial is None:
        return ""
    if choice.code == "sticky":
        return f"{label} would need a new conversation"
    missing = max(weights.worth(choice.chosen) - weights.worth(other), 0.0) + 0.005
    # No prediction can be raised by more than what is left up to 1.
    wants = [f"{missing:+.2f} predicted gain"] if missing + other.quality <= 1.005 else []
    if (dial := _dial_for(other, choice)) is not None:
        wants.append(f"a dial of {dial:.2f}")
    return f"{label} would need {', or '.join(wants)}" if wants else ""


def _dial_for(other: Candidate, choice: Choice) -> float | None:
    """The nearest dial in hundredths at which another tier is chosen, if there is one."""
    weights, middle = Weights.of(choice), choice.middle
    flat = weights._replace(cost=0.0)
    fitting = [c for c in choice.candidates if not c.refused]
    least, most = 0.0, inf
    for rival in fitting:
        doublings = weights.steep * (sqrt(other.cost + 1) - sqrt(rival.cost + 1))
        gained = flat.worth(other) - flat.worth(rival)
        if doublings > 0.0:
            most = min(most, gained / doublings)
        elif doublings < 0.0:
            least = max(least, gained / doublings)
    if most < 0.0 or least > most:
        return None
    # Rounded to the side on which it wins.
    if weights.cost > most:
        dial = ceil(100 * middle / (middle + most) + 1e-6) / 100
    else:
        dial = floor(100 * middle / (middle + least) - 1e-6) / 100
    there = weights._replace(cost=dial_lambda(dial, middle))
    wins = 0.0 <= dial <= 1.0 and max(fitting, key=there.worth) is other
    return dial if wins else None
