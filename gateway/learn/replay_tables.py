"""What was replayed, side by side, as tables for people."""

from collections.abc import Iterator, Sequence
from itertools import product
from statistics import fmean

from gateway.catalog import Catalog
from gateway.learn.replay_budget import POLICIES, Kept, level_for, replay, trial
from gateway.learn.replay_deadline import Judged, judge, rules
from gateway.learn.replay_equal import RULES, at_equal_spend
from gateway.learn.replay_latency import DRIFTS, world
from gateway.learn.replay_traffic import CALLS, SHAPES, Draw, synthetic, windows

SHARES = (0.5, 1.3)
"""Allowances, as shares of what the dial alone would spend."""

BUDGET_HEAD = (
    "| traffic | allowance ÷ demand | policy | spent of the allowance: mean, most | "
    "of what could be spent: mean, least | refused | quality |\n|---|---|---|---|---|---|---|"
)
EQUAL_HEAD = (
    "| traffic | rule | spent of the allowance: tiergate, rule | rule's allowance, over ours | "
    "quality: tiergate, rule | difference |\n|---|---|---|---|---|---|"
)
DEADLINE_HEAD = "| drift | rule | in time: mean, least | refused | quality | best possible |"
DEADLINE_HEAD += "\n|---|---|---|---|---|---|"


def budgets(
    catalog: Catalog,
    seeds: int,
    count: int,
    *,
    draw: Draw = synthetic,
    rolling: bool = False,
    calls: int = CALLS,
) -> Iterator[str]:
    """Every policy on every kind of traffic, so many calls a window; the first is not counted.

    In the first window nobody knows yet how many calls a window has, or when.
    """
    yield BUDGET_HEAD
    for shape in SHAPES:
        seen = [windows(shape, seed, draw=draw, count=count, calls=calls) for seed in range(seeds)]
        trials = [trial(catalog, traffic) for traffic in seen]
        for share, steering in product(SHARES, POLICIES):
            kept: list[Kept] = []
            for tried in trials:
                level = level_for(tried, share, rolling=rolling)
                kept += replay(catalog, tried, level, steering)[1:]
            yield f"| {shape} | {share} | {steering(level).name} | {_kept(kept)} |"


def equal_spend(
    catalog: Catalog, seeds: int, count: int, *, draw: Draw = synthetic, calls: int = CALLS
) -> Iterator[str]:
    """The usual rules with as much spent as by the gateway's way, on every kind of traffic."""
    yield EQUAL_HEAD
    for shape in SHAPES:
        seen = [windows(shape, seed, draw=draw, count=count, calls=calls) for seed in range(seeds)]
        trials = [trial(catalog, traffic) for traffic in seen]
        for rule in RULES:
            found = at_equal_spend(catalog, trials, SHARES[0], rule)
            yield (
                f"| {shape} | {rule.name} | {found.ours:.4f}, {found.theirs:.4f} | "
                f"{found.allowance:.3f} | {found.our_quality:.4f}, {found.their_quality:.4f} | "
                f"{found.our_quality - found.their_quality:+.4f} |"
            )


def _kept(kept: Sequence[Kept]) -> str:
    spent = [k.spent for k in kept]
    possible = [k.spent / min(1.0, k.demanded) for k in kept]
    refused, quality = fmean(k.refused for k in kept), fmean(k.quality for k in kept)
    return (
        f"{fmean(spent):.3f}, {max(spent):.4f} | {fmean(possible):.3f}, {min(possible):.3f} | "
        f"{refused:.4f} | {quality:.4f}"
    )


def deadlines(catalog: Catalog, seeds: int, calls: int, *, draw: Draw = synthetic) -> Iterator[str]:
    """Every rule under every kind of drift."""
    yield DEADLINE_HEAD
    for drift in DRIFTS:
        worlds = [world(drift, seed, calls=calls, draw=draw) for seed in range(seeds)]
        for make in rules(catalog):
            judged = [judge(place, make()) for place in worlds]
            yield f"| {drift} | {make().name} | {_judged(judged)} |"


def _judged(judged: Sequence[Judged]) -> str:
    within = [j.within for j in judged]
    refused, quality = fmean(j.refused for j in judged), fmean(j.quality for j in judged)
    best = fmean(j.best for j in judged)
    return f"{fmean(within):.4f}, {min(within):.4f} | {refused:.4f} | {quality:.4f} | {best:.4f}"
