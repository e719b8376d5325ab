"""A lesson small enough to train in a blink: eight tokens, of which some mean trouble."""

import numpy as np

from gateway.learn.anchors import Anchor
from gateway.learn.arrays import Ids, Matrix
from gateway.learn.fit import AXES, evened, features, stretches
from gateway.learn.lesson import Lesson
from gateway.learn.outcomes import Outcomes, targets

HARD_TOKEN, EASY_TOKEN = 1, 2
TOKENS = 8
MODELS = ("gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano")


def vectors() -> Matrix:
    faint = np.random.default_rng(0).normal(scale=0.01, size=(TOKENS, AXES + 2))
    return (faint + np.eye(TOKENS, AXES + 2)).astype(np.float32)


def outcomes(
    prompts: int = 400,
) -> tuple[Outcomes, list[Ids]]:
    """Prompts of five tokens; each hard one costs nano and mini dearly."""
    random = np.random.default_rng(1)
    ids = [random.integers(0, TOKENS, 5).astype(np.int32) for _ in range(prompts)]
    trouble = np.array([np.mean(i == HARD_TOKEN) - np.mean(i == EASY_TOKEN) for i in ids])
    full = np.full(prompts, 0.9)
    nano = np.clip(0.6 - trouble, 0, 0.9)
    quality = np.stack([full, (full + nano) / 2, nano], axis=1)
    names = np.array([("gsm8k", "ikp_facts")[n % 2] for n in range(prompts)])
    return (
        Outcomes(
            prompts=[""] * prompts,
            benchmark=names,
            kin=names,
            fold=np.array([f"{name} {n % 3}" for n, name in enumerate(names)]),
            licensed=np.arange(prompts) % 10 != 0,
            training=np.arange(prompts) % 5 != 0,
            models=MODELS,
            quality=quality,
        ),
        ids,
    )


def lesson() -> Lesson:
    found, ids = outcomes()
    columns = features(ids, vectors())
    scale = evened(columns)
    even = (vectors() / scale[:-1]).astype(np.float32)
    anchors = [
        Anchor("everyday", "en", "easy", 0.0, 0.98, 25.0, held_out=False),
        Anchor("exacting", "en", "hard", 0.4, 0.7, 25.0, held_out=False),
        Anchor("everyday", "en", "kept", 0.0, 0.98, 25.0, held_out=True),
        Anchor("exacting", "en", "kept too", 0.4, 0.7, 25.0, held_out=True),
    ]
    shown = [np.array([token] * 5, np.int32) for token in (EASY_TOKEN, HARD_TOKEN) * 2]
    anchor_rows = features(shown, even)
    anchor_rows[:, -1] /= scale[-1]
    return Lesson(
        found,
        targets(found),
        ids,
        columns / scale,
        stretches(ids),
        anchors,
        shown,
        anchor_rows,
        stretches(shown),
        even,
        float(scale[-1]),
    )
