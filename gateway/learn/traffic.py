"""Reads labelled traffic of one's own: which tier answered which prompt how well.

A file of JSON lines, each with `prompt`, `quality` (of `nano`, `mini` and `full`, 0-1, as many as
were tried) and, if there are several kinds of work, `kind`:

    {"prompt": "Where is my parcel?", "quality": {"nano": 1, "full": 1}, "kind": "support"}

One prompt in five is kept for judging, chosen by its text, so that a repeated prompt is on one side
only. It refuses what it does not understand, with the number of the line; a label that was guessed
would be learned.
"""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from gateway.learn.outcomes import Outcomes

KEPT_EVERY: Final = 5
FOLDS: Final = 4
USUAL_KIND: Final = "own traffic"

TIERS: Final = {"nano": "gpt-4.1-nano", "mini": "gpt-4.1-mini", "full": "gpt-4.1"}
"""Tiers by the names that outcomes are kept under; whatever models the tiers hold."""


class UnreadableTraffic(ValueError):
    """A line that is not labelled traffic."""


class Labelled(NamedTuple):
    """A prompt, its kind, and the quality of nano, mini and full (NaN: not tried)."""

    prompt: str
    kind: str
    quality: tuple[float, float, float]


def read_traffic(path: Path) -> Outcomes:
    """Read a file of labelled traffic.

    Raises:
        UnreadableTraffic: a line is none, or there is no line at all.
    """
    lines = list(_lines(path))
    if not lines:
        message = f"{path}: no labelled prompt in it"
        raise UnreadableTraffic(message)
    kinds = np.array([line.kind for line in lines], dtype=np.str_)
    marks = [zlib.crc32(line.prompt.encode("utf-8", "surrogatepass")) for line in lines]
    folds = [f"{k} {m // KEPT_EVERY % FOLDS}" for k, m in zip(kinds, marks, strict=True)]
    return Outcomes(
        prompts=[line.prompt for line in lines],
        benchmark=kinds,
        kin=kinds,
        fold=np.array(folds, dtype=np.str_),
        licensed=np.ones(len(lines), dtype=np.bool_),
        training=np.array([mark % KEPT_EVERY != 0 for mark in marks]),
        models=tuple(TIERS.values()),
        quality=np.array([line.quality for line in lines], dtype=np.float64),
    )


def _lines(path: Path) -> Iterator[Labelled]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield _labelled(json.loads(line))
            except ValueError as error:
                message = f"{path}:{number}: {error}"
                raise UnreadableTraffic(message) from error


def _labelled(row: object) -> Labelled:
    prompt = row.get("prompt") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(prompt, str):
        message = "needs a text `prompt`"
        raise UnreadableTraffic(message)
    kind, quality = row.get("kind", USUAL_KIND), row.get("quality")
    if not isinstance(kind, str) or not isinstance(quality, dict):
        message = "needs `quality` by tier, and a text as `kind` if any"
        raise UnreadableTraffic(message)
    if unknown := set(quality) - set(TIERS):
        message = f"there is no tier {', '.join(sorted(unknown))}"
        raise UnreadableTraffic(message)
    found = [_share(quality[tier]) if tier in quality else float("nan") for tier in TIERS]
    return Labelled(prompt, kind, (found[0], found[1], found[2]))


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        message = "a quality is a number from 0 to 1"
        raise UnreadableTraffic(message)
    return float(value)
