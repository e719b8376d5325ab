"""`tiergate learn`: what is typed reaches the work, and what is missing is said."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import learn

FIGURES = {"ranking": {"unseen prompts": {"macro": [0.6, 0.5, 0.7]}, "length": {"own": [0.5] * 3}}}


class Noting:
    """Work that notes what it was asked for."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._trouble = trouble

    def trained(self, data: Path, out: Path, *, model: Path | None = None) -> dict[str, Any]:
        return self._note("train", data, out, model)

    def evaluated(
        self,
        data: Path,
        artefact: Path | None = None,
        *,
        model: Path | None = None,
        out: Path | None = None,
    ) -> dict[str, Any]:
        return self._note("evaluate", data, artefact, out, model)

    def _note(self, *asked: Any) -> dict[str, Any]:
        self.asked.append(asked)
        if self._trouble:
            raise self._trouble
        return FIGURES


def typed(work: Noting, *words: object, needed: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(learn.create(lambda: work, needed), [str(word) for word in words])


def test_training_reads_data_and_writes_where_it_is_told(tmp_path: Path) -> None:
    work = Noting()

    result = typed(work, "train", "--data", tmp_path, "--out", tmp_path / "x", "--json")

    assert result.exit_code == 0
    assert work.asked == [("train", tmp_path, tmp_path / "x", None)]
    assert json.loads(result.output) == FIGURES


def test_judging_prints_a_table(tmp_path: Path) -> None:
    work = Noting()

    result = typed(work, "evaluate", "-d", tmp_path, "--minilm", tmp_path)

    assert work.asked == [("evaluate", tmp_path, None, None, tmp_path)]
    assert "0.60 [0.50, 0.70]" in result.output


def test_the_card_is_written_beside_the_model(tmp_path: Path) -> None:
    work = Noting()

    typed(work, "card", "-d", tmp_path, "-o", tmp_path, "--artefact", tmp_path)

    assert work.asked == [("evaluate", tmp_path, tmp_path, tmp_path, None)]


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    work = Noting()

    result = typed(work, "train", "-d", tmp_path, needed=("json", "no_such_package"))

    assert result.exit_code == 1
    assert "learning needs no_such_package" in result.output
    assert "tiergate[learn]" in result.output
    assert not work.asked


@pytest.mark.parametrize("trouble", [FileNotFoundError("no prompts"), ValueError("odd: 3")])
def test_data_that_cannot_be_read_is_no_traceback(tmp_path: Path, trouble: Exception) -> None:
    result = typed(Noting(trouble), "evaluate", "-d", tmp_path)

    assert result.exit_code == 1
    assert str(trouble) in result.output


def test_data_must_be_there(tmp_path: Path) -> None:
    assert typed(Noting(), "train", "-d", tmp_path / "nothing").exit_code == 2


def test_the_work_is_found_when_it_is_needed() -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("tokenizers")

    assert learn._installed().trained.__name__ == "trained"
