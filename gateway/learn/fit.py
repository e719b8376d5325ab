"""Fits the linear model, many times over if need be.

A prompt's features are the sum of its tokens' vectors over its length plus `LEAN`, and how much of
that `LEAN` is. Every ridge regression needs only a Gram matrix and a moment, and those of disjoint
parts add up: leaving a part out is a subtraction, so a whole cross-validation costs one pass over
the data.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.classify.difficulty import stretch
from gateway.learn.arrays import Flags, Floats, Ids, Matrix, Words
from gateway.learn.excerpt import excerpt

WORD_AXES: Final = 384
"""Columns of a token's vector that are word axes: all that the word vectors have. With 256 of them
unseen families lose a point of APGR, with 64 two."""

MEANING_AXES: Final = 160
"""Columns that are axes of meaning across languages; with them unseen exams gain a point."""

AXES: Final = WORD_AXES + MEANING_AXES
"""Both; the rest of a vector are surface facts."""

LEAN: Final = 3.0
"""Average tokens added to every prompt, so that two odd words decide nothing by themselves."""

RIDGE: Final = 0.06
"""Penalty as a share of the features' mean variance; 0.03 to 0.4 do about as well."""

BREVITY: Final = 3.0
"""Weight of the column that says how short a prompt is: large enough to be learned freely."""

MOST: Final = 0.9
COMMONEST: Final = 64_000
"""No token may say more of the gain than this share of the commonest do: an odd name or mark would
outweigh a sentence. Unseen families gain half a point by it, and paraphrases agree more often."""

BATCH: Final = 2_000


def tokens(encode: Callable[[str], list[int]], prompts: Iterable[str]) -> list[Ids]:
    """The tokens of each prompt's excerpt."""
    return [np.array(encode(excerpt(p)), dtype=np.int32) for p in prompts]


def features(ids: Sequence[Ids], vectors: Matrix | Floats) -> Floats:
    """Prompts × columns."""
    out = np.zeros((len(ids), vectors.shape[1] + 1))
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        # An empty prompt sums nothing; reduceat would give it its neighbour's first token.
        full = [number for number, one in enumerate(batch) if len(one)]
        if not full:
            continue
        lengths = np.array([len(batch[number]) for number in full])
        at = np.r_[0, np.cumsum(lengths)[:-1]]
        sums = np.add.reduceat(vectors[np.concatenate(batch)], at, axis=0)
        out[start + np.array(full), :-1] = sums / (lengths + LEAN)[:, None]
    # What the leaning tokens themselves say: an empty prompt is all of them.
    out[:, -1] = LEAN / (np.array([len(one) for one in ids]) + LEAN)
    return out


def stretches(ids: Sequence[Ids]) -> Floats:
    """How long each prompt is for a statement, as serving will have it."""
    return np.array([stretch(len(one)) for one in ids])


def evened(columns: Floats) -> Floats:
    """What to divide each column by: one figure for the word axes, their own for the facts.

    A column that never changes says nothing and is left small rather than blown up.
    """
    words = columns[:, :AXES].std()
    facts = columns[:, AXES:].std(axis=0)
    typical = columns[:, :AXES].std(axis=0).mean()
    even: Floats = np.r_[np.full(AXES, words), np.where(facts > 0, facts, 1.0) * words / typical]
    even[-1] /= BREVITY
    return even


@dataclass(frozen=True, slots=True)
class Moments:
    """All that a ridge regression needs to know of some rows, for several targets at once."""

    gram: Floats
    moment: Floats

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.gram + other.gram, self.moment + other.moment)

    def __sub__(self, other: "Moments") -> "Moments":
        return Moments(self.gram - other.gram, self.moment - other.moment)

    def solve(self, ridge: float = RIDGE) -> Floats:
        """Coefficients, the constant last; only the constant goes unpunished."""
        columns = len(self.gram) - 1
        penalty = np.full(columns + 1, ridge * np.trace(self.gram[:-1, :-1]) / columns)
        penalty[-1] = 0.0
        return np.asarray(np.linalg.solve(self.gram + np.diag(penalty), self.moment))


def moments(rows: Floats, wanted: Floats, weight: Floats) -> Moments:
    """Moments of rows (without a constant column) and their targets, of those with a weight."""
    used = weight > 0
    with_constant = np.hstack([rows[used], np.ones((int(used.sum()), 1))])
    weighted = with_constant * weight[used, None]
    return Moments(weighted.T @ with_constant, weighted.T @ wanted[used])


def numbers(vectors: Matrix, heads: Floats) -> Floats:
    """The two numbers of each token; of the gain no token says more than most of them do."""
    worth = vectors.astype(np.float64) @ heads[:-2]
    most = np.quantile(np.abs(worth[:COMMONEST, 0]), MOST)
    worth[:, 0] = np.clip(worth[:, 0], -most, most)
    return worth


def heard(ids: Sequence[Ids], worth: Floats, heads: Floats, brevity: float) -> Floats:
    """What the linear model says of prompts, by the numbers of their tokens."""
    summed = features(ids, worth)
    return np.asarray(summed[:, :-1] + summed[:, -1:] / brevity * heads[-2] + heads[-1])


def left_out(
    parts: dict[str, Moments],
    group: Words,
    always: Moments,
    say: Callable[[Flags, Floats], Floats],
) -> Floats:
    """Predictions for every row by the model that saw nothing of the row's group.

    Args:
        parts: moments of each group that has anything to learn from.
        group: the group of each row.
        always: moments that are never left out.
        say: what a model says of some rows.
    """
    total = sum(parts.values(), always)
    out = np.zeros((len(group), always.moment.shape[1]))
    for name in np.unique(group):
        part = parts.get(str(name))
        known = total if part is None else total - part
        own: Flags = group == name
        out[own] = say(own, known.solve())
    return out
