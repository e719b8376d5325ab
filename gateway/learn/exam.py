"""Serves the packaged model to an offline router exam: prompts in, tiers and figures out.

`route(prompts, knob)` is what such an exam calls; `knob` goes from 0 (cheapest) to 1 (best). Each
prompt goes the way of a call: assessed, then chosen for among nano, mini and full of the family
that the predictions were learnt from. Such exams ask an endpoint for one token of an answer, so
that is assumed here too: a gateway that has just started says the same.
"""

from dataclasses import replace
from functools import cache
from typing import NamedTuple

from gateway.call import NO_WISHES
from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.flow.health import Health
from gateway.route.breaker import Breaker
from gateway.route.choose import Chooser, Policy
from gateway.route.outlook import Outlook
from gateway.route.target import ROUTE_FREELY
from gateway.settings.catalog import build
from gateway.settings.schema import Settings

ONE_TOKEN = 1
"""Of an answer: what exams ask an endpoint for, because only the tier matters to them."""

Decision = dict[str, object]


class Router(NamedTuple):
    """What a decision takes."""

    difficulty: Difficulty
    assessor: Assessor
    chooser: Chooser
    health: Health


@cache
def _router() -> Router:
    difficulty = Difficulty.load()
    catalog = build(Settings.model_validate({"simulate": True}))
    assessor = Assessor(Tokenizer(), difficulty)
    return Router(difficulty, assessor, Chooser(catalog, Policy()), Health(catalog, Breaker()))


def route(prompts: list[str], knob: float | None = None) -> list[Decision]:
    """A decision per prompt: `tier` 0-2, `score` (predicted gain), its `doubt`, and `quality`."""
    difficulty, assessor, chooser, health = _router()
    wishes = NO_WISHES if knob is None else replace(NO_WISHES, quality=knob)
    decisions: list[Decision] = []
    for prompt in prompts:
        message = {"role": "user", "content": prompt}
        seen = assessor.assess({"messages": [message], "max_tokens": ONE_TOKEN})
        outlook = Outlook(health.speeds(seen.text_tokens, 0.0))
        chosen = chooser.choose(seen, ROUTE_FREELY, wishes, outlook).chosen
        decisions.append(
            {
                "tier": int(chosen.tier),
                "score": seen.score,
                "quality": list(seen.quality),
                "doubt": difficulty.doubt(seen.score, seen.text_tokens),
            }
        )
    return decisions
