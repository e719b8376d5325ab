"""Replayed traffic: the bars on budgets and deadlines, on few seeds."""

from functools import cache
from statistics import fmean

import pytest

from gateway.catalog import Catalog
from gateway.learn.replay_budget import (
    Kept,
    Paced,
    Steering,
    Stepping,
    Trial,
    level_for,
    replay,
    trial,
)
from gateway.learn.replay_deadline import Averaged, Informed, Judged, Published, Routed, judge
from gateway.learn.replay_equal import RULES, at_equal_spend
from gateway.learn.replay_latency import DRIFTS, world
from gateway.learn.replay_tables import budgets, deadlines, equal_spend
from gateway.learn.replay_traffic import SHAPES, Menu, drawing, windows
from tests.fakes import catalog

CATALOG: Catalog = catalog()
HALF = 0.5
ENOUGH = 1.5
POLICIES = {"ours": Paced, "step": lambda _: Stepping(), "reject": lambda _: Steering()}


@cache
def tried(shape: str) -> Trial:
    """Two windows; of the first nothing is known beforehand."""
    return trial(CATALOG, windows(shape, 0, count=2))


@cache
def replayed(shape: str, share: float, policy: str) -> list[Kept]:
    found = tried(shape)
    return replay(CATALOG, found, level_for(found, share), POLICIES[policy])


@pytest.mark.parametrize("shape", SHAPES)
def test_an_allowance_is_never_overspent_and_lasts_its_window(shape: str) -> None:
    kept = replayed(shape, HALF, "ours")

    assert all(window.spent <= 1.0 for window in kept)
    assert all(window.spent >= 0.93 for window in kept[1:])
    assert fmean(window.refused for window in kept) < 0.02


@pytest.mark.parametrize("shape", SHAPES)
def test_it_buys_more_than_stepping_down_or_rejecting_at_the_end(shape: str) -> None:
    ours, step, reject = (
        fmean(window.quality for window in replayed(shape, HALF, policy)) for policy in POLICIES
    )

    assert ours > step + 0.01
    assert ours > reject + 0.3


def test_an_allowance_that_lasts_is_left_to_the_dial() -> None:
    ours, dial = replayed("stationary", ENOUGH, "ours"), replayed("stationary", ENOUGH, "reject")

    assert fmean(w.quality for w in ours) == pytest.approx(
        fmean(w.quality for w in dial), abs=0.001
    )


def test_recorded_prompts_are_drawn_from_what_was_predicted_of_them() -> None:
    only = Menu((0.2, 0.4, 0.9), 50, 100)

    traffic = windows("stationary", 0, draw=drawing([only]), count=1)

    assert {task.seen.quality for task in traffic[0]} == {only.quality}


@cache
def judged(drift: str) -> dict[str, Judged]:
    """All rules on one world."""
    place = world(drift, 1, calls=1_000)
    made = (Routed("ours", CATALOG), Published("published"), Averaged("average"), Informed("all"))
    return {rule.name: judge(place, rule) for rule in made}


@pytest.mark.parametrize("drift", DRIFTS)
def test_calls_that_could_be_in_time_are(drift: str) -> None:
    ours = judged(drift)["ours"]

    assert ours.possible > 0.4
    assert ours.within >= 0.95


@pytest.mark.parametrize("drift", [d for d in DRIFTS if d != "steady"])
def test_at_a_quality_above_what_static_rules_reach(drift: str) -> None:
    seen = judged(drift)

    assert seen["ours"].quality > max(seen["published"].quality, seen["average"].quality) - 0.01
    assert seen["ours"].quality > seen["all"].quality - 0.05
    assert seen["ours"].within > seen["average"].within


def test_the_same_seeds_make_the_same_tables() -> None:
    once, again = [*deadlines(CATALOG, 1, 60)], [*deadlines(CATALOG, 1, 60)]

    assert once == again
    assert len(once) == 1 + len(DRIFTS) * 7
    assert all(line.startswith("| ") for line in once)


def test_budgets_make_a_table_too() -> None:
    shapes = {line.split(" | ")[0] for line in [*budgets(CATALOG, 1, 2, calls=40)][1:]}

    assert shapes == {f"| {shape}" for shape in SHAPES}


@pytest.mark.parametrize("rule", RULES)
def test_it_buys_more_at_equal_spend(rule: type[Steering]) -> None:
    found = at_equal_spend(CATALOG, [tried("shifted")], HALF, rule)

    assert found.theirs == pytest.approx(found.ours, rel=0.02)  # one window: coarse steps
    assert found.our_quality > found.their_quality + 0.01


def test_equal_spend_makes_a_table() -> None:
    lines = [*equal_spend(CATALOG, 1, 2, calls=40)]

    assert len(lines) == 1 + len(SHAPES) * len(RULES)
