"""From a folder of outcomes and one of word vectors to a lesson."""

from pathlib import Path

import numpy as np

from gateway.classify.tokens import Tokenizer
from gateway.learn.anchors import anchors
from gateway.learn.archive import read
from gateway.learn.fit import evened, features, stretches, tokens
from gateway.learn.lesson import Lesson
from gateway.learn.outcomes import targets
from gateway.learn.traffic import read_traffic
from gateway.learn.vectors import token_vectors


def prepare(data: Path, model: Path) -> Lesson:
    """Read the data (a folder of outcomes or a file of traffic) and give prompts their features."""
    tokenizer = Tokenizer()
    outcomes = read(data) if data.is_dir() else read_traffic(data)
    written = anchors()
    vectors = token_vectors(model, tokenizer.ids)
    shown = tokens(tokenizer.ids, outcomes.prompts)
    anchored = tokens(tokenizer.ids, [a.text for a in written])
    rows = features(shown, vectors)
    scale = evened(rows)
    vectors = (vectors / scale[:-1]).astype(np.float32)
    anchor_rows = features(anchored, vectors)
    anchor_rows[:, -1] /= scale[-1]
    return Lesson(
        outcomes,
        targets(outcomes),
        shown,
        rows / scale,
        stretches(shown),
        written,
        anchored,
        anchor_rows,
        stretches(anchored),
        vectors,
        float(scale[-1]),
    )
