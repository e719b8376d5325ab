"""Judges the model three ways, from flattering to harsh, beside what gateways usually ship.

- *unseen prompts*: benchmarks it was trained on, prompts it was not (the packaged artefact itself);
- *unseen subjects*: each benchmark, or subject of an exam, scored by a model trained without it;
- *unseen families*: the same, with all benchmarks of a kind left out (no exam at all, no code …).
"""

import json
import re
from pathlib import Path
from typing import Final

import numpy as np

from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.learn.arrays import Flags, Floats
from gateway.learn.excerpt import excerpt
from gateway.learn.fit import left_out
from gateway.learn.lesson import Lesson
from gateway.learn.metrics import Cell, calibration_error, doubt, macro, sound
from gateway.learn.outcomes import Outcomes
from gateway.learn.train import FULL, MINI, NANO

SUITE: Final = "dev"
FEWEST: Final = 30
"""Prompts a cell needs to be judged."""

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
    always, every = lesson.anchored(), np.ones(len(outcomes.prompts), dtype=np.bool_)
    held = ~outcomes.training
    gain = served[:, 2] - served[:, 0]
    apart = {
        name: left_out(lesson.rows, lesson.parts(every, group), group, always)[:, 0]
        for name, group in (("unseen subjects", outcomes.fold), ("unseen families", outcomes.kin))
    }
    length, words = by_length(outcomes.prompts), by_keywords(outcomes.prompts)
    within, across = cells(outcomes, data, held), cells(outcomes, data, every)
    return {
        "ranking": {
            "unseen prompts": ranking(gain, within),
            **{name: ranking(score, across) for name, score in apart.items()},
            "length alone (unseen prompts)": ranking(length, within),
            "length alone (all prompts)": ranking(length, across),
            "keywords and length (unseen prompts)": ranking(words, within),
            "keywords and length (all prompts)": ranking(words, across),
        },
        "calibration": calibration(served, outcomes, held),
        "anchors": sanity(lesson, difficulty),
    }


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


def cells(outcomes: Outcomes, data: Path, rows: Flags) -> dict[str, list[Cell]]:
    """What is examined: `macro` (cells whose gap is large enough) and one pool per ladder."""
    ladders = json.loads((data / "ladders.json").read_text("utf-8"))
    plan = json.loads((data / "cells.json").read_text("utf-8"))
    groups: dict[str, list[str]] = plan["groups"]

    def cell(ladder: str, benchmark: str) -> Cell:
        models = tuple(ladders[ladder]["models"])
        quality = outcomes.of(models)
        members = groups.get(benchmark, [benchmark])
        own = rows & np.isin(outcomes.benchmark, members) & ~np.isnan(quality).any(axis=1)
        at = np.flatnonzero(own)
        weight = np.full(len(at), 1 / max(1, len(at)))
        return Cell(f"{ladder} {benchmark}", at, quality[at, 0], quality[at, -1], weight)

    found = [cell(ladder, benchmark) for ladder, benchmark in plan["cells"][SUITE]]
    judgeable = [c for c in found if len(c.rows) >= FEWEST]
    pools = {
        ladder: [pooled(ladder, [cell(ladder, b) for b in benchmarks])]
        for ladder, benchmarks in plan["pools"][SUITE].items()
    }
    own = [c for c in judgeable if c.name == "gpt-4.1 ikp_facts"]
    return {"macro": sound(judgeable), "gpt-4.1": own, **pools}


def pooled(name: str, parts: list[Cell]) -> Cell:
    """One cell of several benchmarks, each with the same weight."""
    used = [part for part in parts if len(part.rows) >= FEWEST]
    return Cell(
        name,
        np.concatenate([part.rows for part in used]),
        np.concatenate([part.small for part in used]),
        np.concatenate([part.large for part in used]),
        np.concatenate([part.weight / len(used) for part in used]),
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
        order = float(np.mean(hard[:, None] > easy[None]))
        figures[language] = [round(v, 3) for v in (float(easy.mean()), float(hard.mean()), order)]
    return figures
