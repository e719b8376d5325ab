"""Reading a folder of outcomes."""

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet

from gateway.learn.archive import read


def test_prompts_meet_their_outcomes(tmp_path: Path) -> None:
    prompts = {
        "id": ["a", "b"],
        "prompt": ["one", "two"],
        "benchmark": ["gsm8k", "mmlu"],
        "domain": ["gsm8k", "law"],
        "source": ["RouteLLM", "BFCL"],
        "split": ["dev_train", "dev_valid"],
    }
    rows = {"id": ["b", "a", "b"], "model": ["y", "x", "x"], "q": [0.5, 1.0, 0.0]}
    pyarrow.parquet.write_table(pyarrow.table(prompts), tmp_path / "prompts.parquet")
    pyarrow.parquet.write_table(pyarrow.table(rows), tmp_path / "outcomes.parquet")

    found = read(tmp_path)

    assert found.models == ("x", "y")
    assert np.array_equal(found.quality, [[1.0, np.nan], [0.0, 0.5]], equal_nan=True)
    assert found.licensed.tolist() == [True, False]
    assert found.training.tolist() == [True, False]
    assert found.kin.tolist() == ["mathematics", "exams"]
    assert found.of(("y", "nobody"))[1, 0] == 0.5
