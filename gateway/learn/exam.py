"""Serves the packaged model to an offline router exam: prompts in, tiers and figures out.

`route(prompts, knob)` is what such an exam calls; `knob` goes from 0 (cheapest) to 1 (best).
"""

import math
from functools import cache

from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.learn.excerpt import excerpt
from gateway.route.choose import dial_lambda

RELATIVE_COST = (0.05, 0.2, 1.0)
"""Price of nano, mini and full per token, over full's."""

LOG_COST = tuple(math.log2(cost) for cost in RELATIVE_COST)

Decision = dict[str, object]


@cache
def _model() -> tuple[Tokenizer, Difficulty]:
    return Tokenizer(), Difficulty.load()


def route(prompts: list[str], knob: float | None = None) -> list[Decision]:
    """A decision per prompt: `tier` 0-2, `score` (predicted gain), its `doubt`, and `quality`."""
    tokenizer, difficulty = _model()
    weight = dial_lambda(0.5 if knob is None else knob)
    decisions: list[Decision] = []
    for prompt in prompts:
        task = excerpt(prompt)
        ids = tokenizer.ids(task)
        quality = difficulty.estimate(ids, task)
        score = quality[2] - quality[0]
        decisions.append(
            {
                "tier": choose(quality, weight),
                "score": score,
                "quality": list(quality),
                "doubt": difficulty.doubt(score, len(ids)),
            }
        )
    return decisions


def choose(quality: tuple[float, float, float], weight: float) -> int:
    """The tier with the most quality after cost, weighed as serving does; the cheaper of equals."""
    worth = [q - weight * cost for q, cost in zip(quality, LOG_COST, strict=True)]
    return max(range(3), key=lambda tier: worth[tier])
