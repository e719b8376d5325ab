"""What is examined: which models form a ladder, on which benchmarks, and which pool together."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gateway.learn.arrays import Flags
from gateway.learn.metrics import Cell, sound
from gateway.learn.outcomes import Outcomes
from gateway.learn.traffic import TIERS

SUITE: Final = "dev"
FEWEST: Final = 30
"""Prompts a cell needs to be judged."""

OWN_LADDER: Final = "own"
SINGLED_OUT: Final = {"gpt-4.1": "gpt-4.1 ikp_facts", "MMLU pair": "mixtral/gpt-4 mmlu"}
"""Cells that are reported by themselves: the family that is served, and the field's usual one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Models by ladder (small to large), benchmarks by group, cells and pools to judge."""

    ladders: dict[str, tuple[str, ...]]
    groups: dict[str, list[str]]
    cells: list[tuple[str, str]]
    pools: dict[str, list[str]]


def plan_of(data: Path, outcomes: Outcomes) -> Plan:
    """The plan that a folder of outcomes brings along; for traffic, its kinds and our tiers."""
    if not data.is_dir():
        kinds = [str(kind) for kind in np.unique(outcomes.benchmark)]
        ladder = tuple(TIERS.values())
        cells = [(OWN_LADDER, kind) for kind in kinds]
        return Plan({OWN_LADDER: ladder}, {}, cells, {OWN_LADDER: kinds})
    ladders = json.loads((data / "ladders.json").read_text("utf-8"))
    found = json.loads((data / "cells.json").read_text("utf-8"))
    return Plan(
        {name: tuple(ladder["models"]) for name, ladder in ladders.items()},
        found["groups"],
        [(ladder, benchmark) for ladder, benchmark in found["cells"][SUITE]],
        found["pools"][SUITE],
    )


def cells(outcomes: Outcomes, plan: Plan, rows: Flags) -> dict[str, list[Cell]]:
    """What is examined: `macro` (cells whose gap is large enough), some alone, pools by ladder."""

    def cell(ladder: str, benchmark: str) -> Cell:
        quality = outcomes.of(plan.ladders[ladder])
        members = plan.groups.get(benchmark, [benchmark])
        own = rows & np.isin(outcomes.benchmark, members) & ~np.isnan(quality).any(axis=1)
        at = np.flatnonzero(own)
        weight = np.full(len(at), 1 / max(1, len(at)))
        return Cell(f"{ladder} {benchmark}", at, quality[at, 0], quality[at, -1], weight)

    found = [cell(ladder, benchmark) for ladder, benchmark in plan.cells]
    judgeable = [c for c in found if len(c.rows) >= FEWEST]
    alone = {title: [c for c in judgeable if c.name == name] for title, name in SINGLED_OUT.items()}
    pools = {
        ladder: pooled(ladder, [cell(ladder, b) for b in benchmarks])
        for ladder, benchmarks in plan.pools.items()
    }
    return {"macro": sound(judgeable), **alone, **pools}


def pooled(name: str, parts: list[Cell]) -> list[Cell]:
    """One cell of several benchmarks, each with the same weight; none if none can be judged."""
    used = [part for part in parts if len(part.rows) >= FEWEST]
    if not used:
        return []
    return [
        Cell(
            name,
            np.concatenate([part.rows for part in used]),
            np.concatenate([part.small for part in used]),
            np.concatenate([part.large for part in used]),
            np.concatenate([part.weight / len(used) for part in used]),
        )
    ]
