"""Recorded prompts to replay: what the packaged model predicts of them, not the prompts."""

from pathlib import Path
from random import Random
from typing import Final

import pyarrow.parquet

from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.learn.replay_traffic import Menu

MOST_OF_ONE: Final = 60
"""Prompts taken from one benchmark, so that none outweighs the others."""


def menus(folder: Path) -> list[Menu]:
    """Predictions for the prompts of `prompts.parquet` (prompt, benchmark)."""
    table = pyarrow.parquet.read_table(
        folder / "prompts.parquet", columns=["prompt", "benchmark"]
    ).to_pydict()
    by_benchmark: dict[str, list[str]] = {}
    for prompt, benchmark in zip(table["prompt"], table["benchmark"], strict=True):
        by_benchmark.setdefault(benchmark, []).append(prompt)
    random = Random(0)  # noqa: S311 - a sample, not a secret
    assessor = Assessor(Tokenizer(), Difficulty.load())
    found = []
    for prompts in by_benchmark.values():
        for prompt in random.sample(prompts, min(MOST_OF_ONE, len(prompts))):
            seen = assessor.assess({"messages": [{"role": "user", "content": prompt}]})
            found.append(Menu(seen.quality, seen.text_tokens, seen.completion_tokens))
    return found
