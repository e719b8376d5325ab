"""Reads a folder of outcomes.

The folder has `prompts.parquet` (id, prompt, benchmark, domain, source, split), `outcomes.parquet`
(id, model, q) and, for judging, `ladders.json` and `cells.json`. The rows never enter the package;
only what was learned from them does.
"""

from pathlib import Path

import numpy as np
import pyarrow.parquet

from gateway.learn.benchmarks import LICENSED, family
from gateway.learn.outcomes import Outcomes, fold


def read(folder: Path) -> Outcomes:
    """Read prompts and outcomes."""
    prompts = pyarrow.parquet.read_table(folder / "prompts.parquet").to_pydict()
    outcomes = pyarrow.parquet.read_table(folder / "outcomes.parquet", columns=["id", "model", "q"])
    rows = {name: number for number, name in enumerate(prompts["id"])}
    models = tuple(sorted(set(outcomes["model"].to_pylist())))
    columns = {name: number for number, name in enumerate(models)}
    quality = np.full((len(rows), len(models)), np.nan)
    at = [rows[i] for i in outcomes["id"].to_pylist()]
    to = [columns[m] for m in outcomes["model"].to_pylist()]
    quality[at, to] = outcomes["q"].to_numpy()
    benchmark = np.array(prompts["benchmark"], dtype=np.str_)
    kin = np.array([family(b) for b in prompts["benchmark"]], dtype=np.str_)
    folds = [
        fold(b, k, str(d))
        for b, k, d in zip(prompts["benchmark"], kin, prompts["domain"], strict=True)
    ]
    return Outcomes(
        prompts=prompts["prompt"],
        benchmark=benchmark,
        kin=kin,
        fold=np.array(folds, dtype=np.str_),
        licensed=np.array([s in LICENSED for s in prompts["source"]]),
        training=np.array(prompts["split"]) == "dev_train",
        models=models,
        quality=quality,
    )
