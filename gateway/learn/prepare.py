"""From a folder of outcomes and one of word vectors to a lesson."""

from pathlib import Path

import numpy as np

from gateway.classify.tokens import Tokenizer
from gateway.learn.anchors import anchors
from gateway.learn.archive import read
from gateway.learn.fit import evened, features, tokens
from gateway.learn.lesson import Lesson
from gateway.learn.outcomes import targets
from gateway.learn.vectors import token_vectors


def prepare(data: Path, model: Path) -> Lesson:
    """Read the data and give every prompt its features."""
    tokenizer = Tokenizer()
    outcomes, written = read(data), anchors()
    vectors = token_vectors(model, tokenizer.ids)
    rows = features(tokens(tokenizer.ids, outcomes.prompts), vectors)
    scale = evened(rows)
    vectors = (vectors / scale[:-1]).astype(np.float32)
    anchor_rows = features(tokens(tokenizer.ids, [a.text for a in written]), vectors)
    anchor_rows[:, -1] /= scale[-1]
    aims = targets(outcomes)
    return Lesson(outcomes, aims, rows / scale, written, anchor_rows, vectors, float(scale[-1]))
