"""Judges the model three ways, from flattering to harsh, beside what gateways usually ship.

- *unseen prompts*: benchmarks it was trained on, prompts it was not (the packaged artefact itself);
- *unseen subjects*: each benchmark, or subject of an exam, scored by a model trained without it;
- *unseen families*: the same, with all benchmarks of a kind left out (no exam at all, no code …);
  and, harsher still, with the anchors that stand for that kind left out too.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.learn.arrays import Flags, Floats
from gateway.learn.benchmarks import ANCHORED
from gateway.learn.excerpt import excerpt
from gateway.learn.lesson import Lesson
from gateway.learn.metrics import Cell, calibration_error, doubt, macro
from gateway.learn.outcomes import Outcomes
from gateway.learn.plan import cells, plan_of
from gateway.learn.train import FULL, MINI, NANO

HARD: Final = re.compile(
    r"\b(prove|derive|theorem|analy[sz]e|design|refactor|optimi[sz]e|debug|implement|step by step|"
    r"trade-?offs?|algorithm|complexity|integral|equation|why|explain|compare|reason)\b|```|\$\$",
    re.IGNORECASE,
)
EASY: Final = re.compile(
    r"\b(translate|classify|sentiment|summari[sz]e|extract|label|what is|who is|when was|capital|"
    r"define|list)\b",
    re.IGNORECASE,
)

Figures = dict[str, object]


def evaluate(lesson: Lesson, difficulty: Difficulty, data: Path) -> Figures:
    """Every figure of the card, as plain numbers."""
    outcomes = lesson.outcomes
    served = serve(outcomes.prompts, difficulty)
    every = np.ones(len(outcomes.prompts), dtype=np.bool_)
    held = ~outcomes.training
    gain = served[:, 2] - served[:, 0]
    apart = {
        name: lesson.unseen(every, group)[:, 0]
        for name, group in (("unseen subjects", outcomes.fold), ("unseen families", outcomes.kin))
    }
    bare = without_anchors(lesson, every)
    length, words = by_length(outcomes.prompts), by_keywords(outcomes.prompts)
    plan = plan_of(data, outcomes)
    within, across = cells(outcomes, plan, held), cells(outcomes, plan, every)
    return {
        "ranking": {
            "unseen prompts": ranking(gain, within),
            **{name: ranking(score, across) for name, score in apart.items()},
            "unseen families and their anchors": ranking(bare, across),
            "length alone (unseen prompts)": ranking(length, within),
            "length alone (all prompts)": ranking(length, across),
            "keywords and length (unseen prompts)": ranking(words, within),
            "keywords and length (all prompts)": ranking(words, across),
        },
        "calibration": calibration(served, outcomes, held),
        "anchors": sanity(lesson, difficulty),
    }


def without_anchors(lesson: Lesson, rows: Flags) -> Floats:
    """Gain of every row by a model that saw neither its family nor anchors that stand for it."""
    kin = lesson.outcomes.kin
    out = np.zeros(len(kin))
    for name in np.unique(kin):
        kinds = ANCHORED.get(str(name), ())
        left = [replace(a, held_out=a.held_out or a.kind in kinds) for a in lesson.anchors]
        own = kin == name
        halves = np.where(own, name, "")
        out[own] = replace(lesson, anchors=left).unseen(rows, halves)[own, 0]
    return out


def serve(prompts: list[str], difficulty: Difficulty) -> Floats:
    """Qualities as the gateway would predict them, prompts × tiers."""
    tokenizer = Tokenizer()
    tasks = (excerpt(prompt) for prompt in prompts)
    return np.array([difficulty.estimate(tokenizer.ids(task), task) for task in tasks])


def by_length(prompts: list[str]) -> Floats:
    """The usual first idea: longer is harder."""
    return np.array([float(len(prompt)) for prompt in prompts])


def by_keywords(prompts: list[str]) -> Floats:
    """The usual second idea: length, with words that sound hard or easy."""
    return np.array(
        [
            min(2.0, len(prompt) / 2000)
            + 0.5 * min(4, len(HARD.findall(prompt[:8000])))
            - 0.5 * min(2, len(EASY.findall(prompt[:2000])))
            for prompt in prompts
        ]
    )


def ranking(score: Floats, examined: dict[str, list[Cell]]) -> dict[str, list[float]]:
    """APGR with the ends of its 95 % interval, per pool."""
    return {
        name: [round(v, 3) for v in (macro(score, some), *doubt(score, some))]
        for name, some in examined.items()
        if some
    }


def calibration(served: Floats, outcomes: Outcomes, rows: Flags) -> dict[str, list[float]]:
    """Predicted mean, actual mean and expected calibration error per tier of gpt-4.1."""
    figures = {}
    for tier, model in enumerate((NANO, MINI, FULL)):
        actual = outcomes.of((model,))[:, 0]
        used = rows & ~np.isnan(actual)
        if not used.any():
            continue
        error = calibration_error(served[used, tier], actual[used])
        means = float(served[used, tier].mean()), float(actual[used].mean())
        figures[model] = [round(v, 3) for v in (*means, error)]
    return figures


def sanity(lesson: Lesson, difficulty: Difficulty) -> dict[str, list[float]]:
    """Held-out anchors per language: mean gain of everyday and exacting ones, and their order.

    The last figure is the chance that an exacting one scores above an everyday one.
    """
    kept = [a for a in lesson.anchors if a.held_out]
    served = serve([a.text for a in kept], difficulty)
    gain = served[:, 2] - served[:, 0]
    figures = {}
    for language in dict.fromkeys(a.language for a in kept):
        easy, hard = (
            gain[[a.language == language and a.kind == kind for a in kept]]
            for kind in ("everyday", "exacting")
        )
        if not len(easy) or not len(hard):
            continue
        order = float(np.mean(hard[:, None] > easy[None]))
        figures[language] = [round(v, 3) for v in (float(easy.mean()), float(hard.mean()), order)]
    return figures
