"""From outcomes to the artefact: features, ridge heads, curves, two integers a token."""

from typing import Final

import numpy as np

from gateway.classify.difficulty import Scale, logistic, pack
from gateway.learn.arrays import Flags, Floats
from gateway.learn.fit import LEAN, numbers
from gateway.learn.lesson import Lesson
from gateway.learn.outcomes import Outcomes

MOST_GAIN: Final = 0.6
"""The most that full is ever expected to be better than nano by; the hardest published
comparisons of the gpt-4.1 family differ by 0.45."""

LARGEST_INTEGER: Final = 511
"""Coarse enough that a third of the pairs are distinct, so that serving holds them as shared
objects; the rounding is lost in any sum."""

USUAL_MINI_SHARE: Final = 0.79
USUAL_TRIALS: Final = 400
"""Where mini stands between nano and full by published scores of the gpt-4.1 family: the mean of
nine comparisons on texts (MMLU .73, MMMLU .57, GPQA .92, IFEval .75, Multi-IF .72, MultiChallenge
.89, Aider .60, SWE-Lancer .89, AIME 1). It weighs as much as so many prompts that all three
answered: what is measured is one kind of work."""

NANO, MINI, FULL = "gpt-4.1-nano", "gpt-4.1-mini", "gpt-4.1"

Curve = tuple[float, float]


def train(lesson: Lesson) -> bytes:
    """The artefact, learned from the training split and nothing else."""
    seen = lesson.outcomes.training
    slope, heads = lesson.slope(seen), lesson.heads(seen)
    # The curves must meet predictions as bad as those for prompts nobody trained on.
    unseen = lesson.unseen(seen, lesson.outcomes.fold)
    gain_curve, full_curve = _curves(lesson, seen, unseen, lesson.said(heads, slope)[1])
    worth = numbers(lesson.vectors, heads)
    leaning = LEAN * heads[-2] / lesson.brevity
    steps = np.abs(worth).max(axis=0) / LARGEST_INTEGER
    whole = np.round(worth / steps).astype(np.int16)
    least, by_gain, by_brevity = _doubt(lesson, seen, gain_curve)
    scale = Scale(
        gain_step=float(steps[0]),
        full_step=float(steps[1]),
        lean=LEAN,
        lean_gain=float(leaning[0]),
        lean_full=float(leaning[1]),
        stretch=slope,
        gain_most=MOST_GAIN,
        gain_offset=gain_curve[0] + gain_curve[1] * float(heads[-1, 0]),
        gain_slope=gain_curve[1],
        full_offset=full_curve[0] + full_curve[1] * float(heads[-1, 1]),
        full_slope=full_curve[1],
        mini_share=mini_share(lesson.outcomes),
        doubt_least=least,
        doubt_gain=by_gain,
        doubt_brief=by_brevity,
    )
    return pack(whole[:, 0], whole[:, 1], scale)


def mini_share(outcomes: Outcomes) -> float:
    """How much of the way from nano to full mini goes: what was measured, and is published."""
    quality = outcomes.of((NANO, MINI, FULL))[outcomes.training & outcomes.licensed]
    known = quality[~np.isnan(quality).any(axis=1)]
    measured = 1.0
    if len(known):
        nano, mini, full = known.mean(axis=0)
        measured = float(np.clip((mini - nano) / (full - nano), 0.0, 1.0)) if full > nano else 1.0
    both = measured * len(known) + USUAL_MINI_SHARE * USUAL_TRIALS
    return both / (len(known) + USUAL_TRIALS)


def _doubt(lesson: Lesson, seen: Flags, gain_curve: Curve) -> tuple[float, float, float]:
    """How far a gain moves when all benchmarks of the prompt's kind are left out.

    Constants of a line: at least, by the gain, by one over the length.
    """
    offset, slope = gain_curve
    whole = lesson.said(lesson.heads(seen), lesson.slope(seen))[0][:, 0]
    without = lesson.unseen(seen, lesson.outcomes.kin)[:, 0]
    gains, others = (
        MOST_GAIN * np.vectorize(logistic, otypes=[np.float64])(offset + slope * x)
        for x in (whole, without)
    )
    used = seen & (lesson.aims.weight > 0)
    brief = lesson.rows[used, -1] * lesson.brevity / LEAN
    design = np.stack([np.ones(int(used.sum())), gains[used], brief], axis=1)
    weight = np.sqrt(lesson.aims.weight[used])
    found = np.linalg.lstsq(
        design * weight[:, None], np.abs(gains - others)[used] * weight, rcond=None
    )[0]
    return float(found[0]), float(found[1]), float(found[2])


def _curves(lesson: Lesson, seen: Flags, unseen: Floats, on_anchors: Floats) -> tuple[Curve, Curve]:
    taught = np.array([0.0 if a.held_out else a.weight for a in lesson.anchors])
    weight = np.r_[lesson.aims.weight * seen, taught]
    gain = np.r_[lesson.aims.gain, [a.gain for a in lesson.anchors]]
    full = np.r_[lesson.aims.full, [a.full for a in lesson.anchors]]
    heard = np.vstack([unseen, on_anchors])
    used = weight > 0
    return (
        curve(heard[used, 0], gain[used], weight[used], MOST_GAIN),
        curve(heard[used, 1], full[used], weight[used], 1.0),
    )


def curve(x: Floats, y: Floats, weight: Floats, most: float) -> Curve:
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
