"""Serves the packaged model to an offline router exam: prompts in, tiers and figures out.

`route(prompts, knob)` is what such an exam calls; `knob` goes from 0 (cheapest) to 1 (best).
"""

import math
from functools import cache

from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.learn.excerpt import excerpt

RELATIVE_COST = (0.05, 0.2, 1.0)
"""Price of nano, mini and full per token, over full's."""

EVEN_PRICE = 0.06
"""Quality that full's whole cost is worth at the middle of the knob."""

Decision = dict[str, object]


@cache
def _model() -> tuple[Tokenizer, Difficulty]:
    return Tokenizer(), Difficulty.load()


def route(prompts: list[str], knob: float | None = None) -> list[Decision]:
    """A decision per prompt: `tier` 0-2, `score` (predicted gain) and `quality` per tier."""
    tokenizer, difficulty = _model()
    price = price_of(0.5 if knob is None else knob)
    decisions: list[Decision] = []
    for prompt in prompts:
        task = excerpt(prompt)
        quality = difficulty.estimate(tokenizer.ids(task), task)
        score = quality[2] - quality[0]
        decisions.append({"tier": choose(quality, price), "score": score, "quality": list(quality)})
    return decisions


def price_of(knob: float) -> float:
    """What full's cost is worth in quality: nothing at 1, everything at 0."""
    return math.inf if knob <= 0 else EVEN_PRICE * (1 - min(knob, 1.0)) / knob


def choose(quality: tuple[float, float, float], price: float) -> int:
    """The tier with the most quality after cost; the cheaper of equals."""
    if math.isinf(price):
        return 0
    worth = [q - price * cost for q, cost in zip(quality, RELATIVE_COST, strict=True)]
    return max(range(3), key=lambda tier: worth[tier])
