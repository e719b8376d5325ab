"""Targets: who may teach, how much, and at which level."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.learn.benchmarks import family, level
from gateway.learn.outcomes import fold, targets
from tests.learn.lessons import outcomes


def test_an_unlicensed_row_has_no_weight() -> None:
    found, _ = outcomes()

    assert not targets(found).weight[~found.licensed].any()


def test_ungraded_benchmarks_have_no_weight() -> None:
    found, _ = outcomes(40)

    renamed = replace(found, benchmark=np.array(["uiuc_trivia_qa"] * 40))

    assert not targets(renamed).weight.any()


def test_a_benchmark_weighs_no_more_than_its_cap() -> None:
    found, _ = outcomes(6_000)

    aims = targets(found)

    assert aims.weight[found.benchmark == "gsm8k"].sum() == pytest.approx(1_000)
    assert aims.weight[found.benchmark == "ikp_facts"].sum() == pytest.approx(2_000)


def test_what_is_many_subjects_under_one_name_weighs_more() -> None:
    found, _ = outcomes(6_000)

    aims = targets(replace(found, benchmark=np.array(["mmlu"] * 6_000)))

    assert aims.weight.sum() == pytest.approx(5_000)


def test_gains_take_the_level_of_the_family_that_is_served() -> None:
    found, _ = outcomes()

    aims = targets(found)

    rows = found.benchmark == "gsm8k"
    assert aims.gain[rows].mean() == pytest.approx(0.03)
    assert aims.full[rows].mean() == pytest.approx(0.96)


def test_hardness_moves_the_signal_within_a_benchmark_only() -> None:
    found, _ = outcomes()

    aims = targets(found)

    rows = found.benchmark == "gsm8k"
    assert aims.signal[rows].mean() == pytest.approx(aims.gain[rows].mean())
    assert np.corrcoef(aims.signal[rows], found.quality[rows, 2])[0, 1] < -0.9


def test_a_prompt_without_a_pair_of_outcomes_teaches_nothing() -> None:
    found, _ = outcomes(40)
    quality = found.quality.copy()
    quality[1] = np.nan

    aims = targets(replace(found, quality=quality))

    assert np.isnan(aims.gain[1])
    assert aims.weight[1] == 0


def test_broken_runs_are_not_looked_at() -> None:
    found, _ = outcomes(40)
    names = np.array(["mmlu_pro_math"] * 40)
    models = ("gpt-4.1", "gemini-1.5-flash", "gpt-4.1-nano")
    twisted = found.quality.copy()
    twisted[:, 1] = 0.0

    plain, broken = (
        targets(replace(found, benchmark=names, models=models, quality=quality))
        for quality in (found.quality, twisted)
    )

    assert plain.signal == pytest.approx(broken.signal)


def test_questions_that_benchmarks_share_are_left_out_together() -> None:
    assert fold("gsm8k", "mathematics", "x") == fold("uiuc_gsm8k", "mathematics", "y")
    assert fold("mmlu", "exams", "college_physics") == fold(
        "mmlu_pro_x", "exams", "college physics"
    )
    assert fold("uiuc_math", "mathematics", "") == "uiuc_math"


def test_every_kind_of_benchmark_has_its_family() -> None:
    assert family("uiuc_mgsm") == "mathematics"
    assert family("zel_mmlu") == "exams"
    assert family("never heard of") == "never heard of"
    assert level("mmlu_pro_law") == level("mmlu_pro_physics")
    assert level("never heard of") is None
