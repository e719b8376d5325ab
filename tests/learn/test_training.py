"""Training: from outcomes to an artefact that serving can read."""

from dataclasses import replace

import numpy as np
import pytest

from gateway.classify.difficulty import HEAD, TAIL, unpack
from gateway.learn.arrays import Floats
from gateway.learn.fit import AXES, Moments, evened, features, left_out, moments, tokens
from gateway.learn.train import USUAL_MINI_SHARE, USUAL_TRIALS, curve, mini_share, train
from tests.learn.lessons import EASY_TOKEN, HARD_TOKEN, lesson, outcomes, vectors


def predict(rows: Floats, heads: Floats) -> Floats:
    return np.asarray(rows @ heads[:-1] + heads[-1])


def test_the_same_lesson_gives_the_same_bytes() -> None:
    assert train(lesson()) == train(lesson())


def test_the_artefact_tells_hard_tokens_from_easy_ones() -> None:
    model = unpack(train(lesson()))

    hard, easy = model.estimate([HARD_TOKEN] * 5, ""), model.estimate([EASY_TOKEN] * 5, "")

    assert hard[2] - hard[0] > easy[2] - easy[0] + 0.1
    assert model.scale.mini_share == pytest.approx(mini_share(outcomes()[0]))


def test_serving_computes_what_training_predicted() -> None:
    taught = lesson()
    model = unpack(train(taught))
    seen = taught.outcomes.training
    heads = taught.heads(seen)
    scale = model.scale

    said = taught.said(heads, taught.slope(seen))[1][1]
    nano, _, full = model.estimate([HARD_TOKEN] * 5, "")

    intercept = scale.gain_slope * float(heads[-1, 0])
    expected = scale.gain_offset - intercept + scale.gain_slope * float(said[0])
    assert full - nano == pytest.approx(0.6 / (1 + np.exp(-expected)), abs=1e-3)


def test_what_is_held_out_teaches_nothing() -> None:
    taught = lesson()
    doubled = taught.anchor_rows.copy()
    doubled[2:] *= 100

    assert train(replace(taught, anchor_rows=doubled)) == train(taught)


def test_mini_share_is_how_far_mini_comes() -> None:
    found = outcomes()[0]
    many = int((found.training & found.licensed).sum())
    part = many / (many + USUAL_TRIALS)

    assert mini_share(found) == pytest.approx(0.5 * part + USUAL_MINI_SHARE * (1 - part))
    assert mini_share(replace(found, quality=found.quality * np.nan)) == USUAL_MINI_SHARE
    falling = mini_share(replace(found, quality=found.quality[:, ::-1]))
    assert falling == pytest.approx(part + USUAL_MINI_SHARE * (1 - part))


def test_length_counts_as_much_as_it_does_within_benchmarks() -> None:
    taught = lesson()
    every = np.ones(len(taught.stretches), dtype=np.bool_)
    names = taught.outcomes.benchmark
    apart = np.where(names == "gsm8k", 1.0, 0.0).astype(np.float64)
    longer: Floats = 5.0 * apart + np.arange(len(names), dtype=np.float64) % 7
    signal: Floats = 0.2 * longer - 3.0 * apart
    told = replace(
        taught,
        stretches=longer,
        aims=replace(taught.aims, signal=signal, weight=np.ones(len(names))),
    )

    assert told.slope(every) == pytest.approx(0.2)
    assert replace(told, aims=replace(told.aims, signal=-signal)).slope(every) == 0.0
    assert taught.slope(every) == 0.0  # all of one length: nothing to learn from


def test_a_gain_is_doubted_as_far_as_it_would_move() -> None:
    model = unpack(train(lesson()))

    assert model.doubt(0.1, 5) >= 0.0
    assert model.doubt(0.9, 5) != model.doubt(0.1, 5)


def test_leaving_a_part_out_is_fitting_without_it() -> None:
    random = np.random.default_rng(2)
    rows, wanted = random.normal(size=(90, 4)), random.normal(size=(90, 1))
    group = np.array(["a", "b", "c"])[np.arange(90) % 3]
    none = Moments(np.zeros((5, 5)), np.zeros((5, 1)))
    parts = {name: moments(rows, wanted, (group == name) * 1.0) for name in "ab"}

    out = left_out(parts, group, none, lambda own, heads: predict(rows[own], heads))

    without_a = moments(rows, wanted, (group == "b") * 1.0).solve()
    without_c = moments(rows, wanted, (group != "c") * 1.0).solve()
    assert out[group == "a"] == pytest.approx(predict(rows[group == "a"], without_a))
    assert out[group == "c"] == pytest.approx(predict(rows[group == "c"], without_c))


def test_features_lean_and_an_empty_prompt_is_all_leaning() -> None:
    table = vectors()

    rows = features([np.array([3, 4], np.int32), np.array([], np.int32)], table)

    assert rows[0, :-1] == pytest.approx((table[3] + table[4]) / 5, rel=1e-5)
    assert rows[0, -1] == pytest.approx(0.6)
    assert not rows[1, :-1].any()
    assert rows[1, -1] == 1.0


def test_features_of_nothing_but_empty_prompts_are_leaning() -> None:
    rows = features([np.array([], np.int32)], vectors())

    assert rows.sum() == 1.0


def test_evened_columns_of_facts_match_the_words() -> None:
    rows = features(outcomes()[1], vectors())

    even = rows / evened(rows)

    typical = even[:, :AXES].std(axis=0).mean()
    assert even[:, AXES:-1].std(axis=0) == pytest.approx([typical] * 2)


@pytest.mark.parametrize(("offset", "slope"), [(-1.0, 2.0), (0.3, -1.5), (0.0, 0.0)])
def test_a_curve_is_found_again(offset: float, slope: float) -> None:
    x = np.linspace(-1, 1, 50)
    y = 0.6 / (1 + np.exp(-(offset + slope * x)))

    assert curve(x, y, np.ones(50), 0.6) == pytest.approx((offset, slope), abs=1e-4)


def test_prompts_are_read_by_head_and_tail() -> None:
    found = tokens(lambda text: list(map(ord, text)), ["A" + "a" * 3_000 + "b" * 600])

    assert len(found[0]) == HEAD + TAIL
    assert (found[0] == ord("b")).sum() == TAIL
