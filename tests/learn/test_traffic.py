"""Labelled traffic of one's own: read strictly, learned from, judged."""

import json
from pathlib import Path

import numpy as np
import pytest

from gateway.classify.difficulty import ARTEFACT
from gateway.learn.card import CARD
from gateway.learn.outcomes import targets
from gateway.learn.plan import cells, plan_of
from gateway.learn.traffic import UnreadableTraffic, read_traffic


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    rows = [
        {
            "prompt": f"Where is parcel {n}?" if n % 2 else f"Prove lemma {n}.",
            "quality": {"nano": 1, "mini": 1, "full": 1} if n % 2 else {"nano": 0.2, "full": 0.9},
            "kind": "support" if n % 2 else "mathematics",
        }
        for n in range(400)
    ]
    path = tmp_path / "traffic.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", "utf-8")
    return path


def test_every_line_is_a_prompt_with_what_its_tiers_made_of_it(traffic: Path) -> None:
    found = read_traffic(traffic)

    assert len(found.prompts) == 400
    assert found.benchmark.tolist()[:2] == ["mathematics", "support"]
    assert np.array_equal(found.quality[0], [0.2, np.nan, 0.9], equal_nan=True)
    assert 0.7 < found.training.mean() < 0.9
    assert found.licensed.all()


def test_the_same_prompt_is_on_one_side_only(tmp_path: Path) -> None:
    path = tmp_path / "same.jsonl"
    path.write_text('{"prompt": "hi", "quality": {"nano": 1, "full": 1}}\n' * 9, "utf-8")

    assert len(set(read_traffic(path).training.tolist())) == 1


def test_gains_are_as_measured_for_kinds_nobody_published_anything_about(traffic: Path) -> None:
    found = read_traffic(traffic)

    aims = targets(found)

    assert aims.gain[0] == pytest.approx(0.7)
    assert aims.gain[1] == 0.0


def test_kinds_are_judged_one_by_one_and_together(traffic: Path) -> None:
    found = read_traffic(traffic)
    complete = np.ones(len(found.prompts), dtype=np.bool_)

    plan = plan_of(traffic, found)
    examined = cells(found, plan, complete)

    assert plan.cells == [("own", "mathematics"), ("own", "support")]
    # Where mini was never tried there is nothing to compare, and support has no gap.
    assert examined["macro"] == []
    assert [c.name for c in examined["own"]] == ["own"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "Expecting"),
        ("[]", "needs a text `prompt`"),
        ('{"prompt": 1, "quality": {}}', "needs a text `prompt`"),
        ('{"prompt": "x", "quality": 1}', "needs `quality`"),
        ('{"prompt": "x", "quality": {}, "kind": 3}', "a text as `kind`"),
        ('{"prompt": "x", "quality": {"huge": 1}}', "no tier huge"),
        ('{"prompt": "x", "quality": {"nano": true}}', "from 0 to 1"),
        ('{"prompt": "x", "quality": {"nano": 2}}', "from 0 to 1"),
        ('{"prompt": "x", "quality": {"nano": "1"}}', "from 0 to 1"),
    ],
)
def test_a_line_that_is_no_traffic_is_named(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text('{"prompt": "x", "quality": {"nano": 1}}\n' + line, "utf-8")

    with pytest.raises(UnreadableTraffic, match=problem) as told:
        read_traffic(path)

    assert "odd.jsonl:2" in str(told.value)


def test_no_traffic_teaches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"
    path.write_text("\n", "utf-8")

    with pytest.raises(UnreadableTraffic, match="no labelled prompt"):
        read_traffic(path)


def test_the_packaged_model_and_its_card_belong_together() -> None:
    packaged = Path(__file__).parents[2] / "gateway" / "data"

    digest = (packaged / ARTEFACT).read_bytes().split(b"\n", 1)[0].split()[2]

    assert len(digest) == 64
    assert "version 2" in (packaged / CARD).read_text("utf-8")
