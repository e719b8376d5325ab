"""From outcomes to the artefact: features, ridge heads, curves, two integers a token."""

from typing import Final

import numpy as np

from gateway.classify.difficulty import Scale, pack
from gateway.learn.anchors import WEIGHT
from gateway.learn.arrays import Flags, Floats
from gateway.learn.fit import LEAN, left_out, predict
from gateway.learn.lesson import Lesson
from gateway.learn.outcomes import Outcomes

MOST_GAIN: Final = 0.6
"""The most that full is ever expected to be better than nano by; the hardest published
comparisons of the gpt-4.1 family differ by 0.45."""

LARGEST_INTEGER: Final = 32_767

NANO, MINI, FULL = "gpt-4.1-nano", "gpt-4.1-mini", "gpt-4.1"


def train(lesson: Lesson) -> bytes:
    """The artefact, learned from the training split and nothing else."""
    seen = lesson.outcomes.training
    parts = lesson.parts(seen, lesson.outcomes.fold)
    always = lesson.anchored()
    heads = sum(parts.values(), always).solve()
    # The curves must meet predictions as bad as those for prompts nobody trained on.
    unseen = left_out(lesson.rows, parts, lesson.outcomes.fold, always)
    gain_curve, full_curve = _curves(lesson, seen, unseen, predict(lesson.anchor_rows, heads))
    worth = lesson.vectors.astype(np.float64) @ heads[:-2]
    leaning = LEAN * heads[-2] / lesson.brevity
    steps = np.abs(worth).max(axis=0) / LARGEST_INTEGER
    numbers = np.round(worth / steps).astype(np.int16)
    scale = Scale(
        gain_step=float(steps[0]),
        full_step=float(steps[1]),
        lean=LEAN,
        lean_gain=float(leaning[0]),
        lean_full=float(leaning[1]),
        gain_most=MOST_GAIN,
        gain_offset=gain_curve[0] + gain_curve[1] * float(heads[-1, 0]),
        gain_slope=gain_curve[1],
        full_offset=full_curve[0] + full_curve[1] * float(heads[-1, 1]),
        full_slope=full_curve[1],
        mini_share=mini_share(lesson.outcomes),
    )
    return pack(numbers[:, 0], numbers[:, 1], scale)


def mini_share(outcomes: Outcomes) -> float:
    """How much of the way from nano to full mini goes, where all three were run."""
    quality = outcomes.of((NANO, MINI, FULL))[outcomes.training & outcomes.licensed]
    nano, mini, full = quality[~np.isnan(quality).any(axis=1)].mean(axis=0)
    return float((mini - nano) / (full - nano))


def _curves(
    lesson: Lesson, seen: Flags, unseen: Floats, on_anchors: Floats
) -> tuple[tuple[float, float], tuple[float, float]]:
    taught = np.array([not a.held_out for a in lesson.anchors])
    weight = np.r_[lesson.aims.weight * seen, WEIGHT * taught]
    gain = np.r_[lesson.aims.gain, [a.gain for a in lesson.anchors]]
    full = np.r_[lesson.aims.full, [a.full for a in lesson.anchors]]
    heard = np.vstack([unseen, on_anchors])
    used = weight > 0
    return (
        curve(heard[used, 0], gain[used], weight[used], MOST_GAIN),
        curve(heard[used, 1], full[used], weight[used], 1.0),
    )


def curve(x: Floats, y: Floats, weight: Floats, most: float) -> tuple[float, float]:
    """Offset and slope of `most` times a logistic curve through weighted points (least squares)."""
    mean = np.clip(np.average(y, weights=weight) / most, 0.02, 0.98)
    offset, slope = float(np.log(mean / (1 - mean))), 0.0
    for _ in range(100):
        share = 1 / (1 + np.exp(-(offset + slope * x)))
        steep = most * share * (1 - share)
        design = np.stack([steep, steep * x], axis=1)
        normal = (design * weight[:, None]).T @ design
        change = np.linalg.solve(
            normal + 1e-9 * np.eye(2), (design * weight[:, None]).T @ (y - most * share)
        )
        # Half steps: a full Gauss-Newton step may leap over a flat stretch of the curve.
        offset, slope = offset + 0.5 * float(change[0]), slope + 0.5 * float(change[1])
    return offset, slope
