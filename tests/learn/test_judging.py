"""Figures: exact on small cases, and all of them in the card."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.classify.difficulty import unpack
from gateway.learn.card import card
from gateway.learn.evaluate import evaluate, without_anchors
from gateway.learn.metrics import Cell, apgr, calibration_error, doubt, macro, sound
from gateway.learn.plan import cells, plan_of, pooled
from gateway.learn.train import train
from tests.learn.lessons import lesson

SMALL = np.array([1.0, 0.0, 1.0, 0.0])
LARGE = np.array([1.0, 1.0, 1.0, 1.0])
EVEN = np.full(4, 0.25)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    ladders = {
        "gpt-4.1": {"models": ["gpt-4.1-nano", "gpt-4.1-mini", "gpt-4.1"]},
        "other": {"models": ["nobody", "gpt-4.1"]},
    }
    plan = {
        "groups": {"both": ["gsm8k", "ikp_facts"]},
        "cells": {"dev": [["gpt-4.1", "ikp_facts"], ["gpt-4.1", "both"], ["other", "gsm8k"]]},
        "pools": {"dev": {"gpt-4.1": ["gsm8k", "ikp_facts"]}},
    }
    (tmp_path / "ladders.json").write_text(json.dumps(ladders))
    (tmp_path / "cells.json").write_text(json.dumps(plan))
    return tmp_path


def test_a_score_that_knows_nothing_recovers_half() -> None:
    assert apgr(np.zeros(4), SMALL, LARGE, EVEN) == pytest.approx(0.5)


def test_a_score_that_knows_the_gain_recovers_most() -> None:
    assert apgr(LARGE - SMALL, SMALL, LARGE, EVEN) == pytest.approx(0.75)
    assert apgr(SMALL - LARGE, SMALL, LARGE, EVEN) == pytest.approx(0.25)


def test_no_gap_has_no_figure() -> None:
    assert np.isnan(apgr(EVEN, LARGE, LARGE, EVEN))


def test_calibration_is_the_distance_between_said_and_seen() -> None:
    said = np.array([0.15, 0.15, 0.95, 1.0])

    assert calibration_error(said, np.array([0.0, 0.0, 1.0, 1.0])) == pytest.approx(0.0875)


def test_doubt_surrounds_the_figure() -> None:
    random = np.random.default_rng(3)
    small, score = random.integers(0, 2, 300).astype(np.float64), random.random(300)
    cell = Cell("x", np.arange(300), small, np.ones(300), np.full(300, 1 / 300))

    low, high = doubt(score, [cell], draws=50)

    assert low < macro(score, [cell]) < high
    assert sound([cell]) == [cell]
    assert sound([Cell("y", np.arange(4), LARGE, LARGE, EVEN)]) == []


def test_a_pool_gives_each_benchmark_the_same_weight() -> None:
    few = Cell("few", np.arange(30), np.zeros(30), np.ones(30), np.full(30, 1 / 30))
    many = Cell("many", np.arange(60), np.zeros(60), np.ones(60), np.full(60, 1 / 60))
    tiny = Cell("tiny", np.arange(4), SMALL, LARGE, EVEN)

    (pool,) = pooled("all", [few, many, tiny])

    assert len(pool.rows) == 90
    assert pool.weight[:30].sum() == pytest.approx(0.5)
    assert pooled("none", [tiny]) == []


def test_cells_hold_the_rows_that_all_models_answered(data: Path) -> None:
    found = lesson().outcomes

    examined = cells(found, plan_of(data, found), found.training)

    assert {c.name for c in examined["macro"]} == {"gpt-4.1 ikp_facts", "gpt-4.1 both"}
    assert all(found.training[c.rows].all() for c in examined["macro"])


def test_every_figure_reaches_the_card(data: Path) -> None:
    taught = lesson()
    artefact = train(taught)

    figures = evaluate(taught, unpack(artefact), data)
    written = card(figures, artefact, len(taught.anchors))

    assert "{" not in written
    for heading in ("unseen prompts", "unseen subjects", "unseen families", "length alone"):
        assert f"| {heading}" in written
    assert "Apache-2.0" in written
    assert "gpt-4.1-nano |" in written
    json.dumps(figures)


def test_anchors_of_a_left_out_family_may_be_left_out_too() -> None:
    taught = lesson()
    every = np.ones(len(taught.outcomes.prompts), dtype=np.bool_)
    kin = np.array(["obscure facts"] * len(every))
    named = replace(taught, outcomes=replace(taught.outcomes, kin=kin))
    other = [replace(a, kind="obscure fact") for a in taught.anchors[:2]] + taught.anchors[2:]

    kept = without_anchors(named, every)
    with pytest.raises(np.linalg.LinAlgError):
        without_anchors(replace(named, anchors=other), every)

    assert np.isfinite(kept).all()
