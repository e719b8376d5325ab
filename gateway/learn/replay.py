"""The command `replay`: budgets and deadlines, the gateway's way beside the usual ones.

    python -m gateway.learn replay budgets|deadlines|all [--seeds N] [--data DIR] [--rolling]

The same arguments give the same tables. With `--data`, calls are those of recorded prompts as the
packaged model sees them; without, synthetic ones that look alike.
"""

import argparse
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from gateway.catalog import Catalog
from gateway.learn.replay_tables import budgets, deadlines, equal_spend
from gateway.learn.replay_traffic import Draw, drawing, synthetic
from gateway.settings.catalog import build
from gateway.settings.schema import Settings


def main(arguments: list[str]) -> int:
    """Print the tables; 0 when done."""
    parser = argparse.ArgumentParser(prog="python -m gateway.learn replay", description=__doc__)
    parser.add_argument("what", choices=["budgets", "deadlines", "all"], nargs="?", default="all")
    parser.add_argument("--seeds", type=int, default=4, help="runs of each kind of traffic")
    parser.add_argument("--windows", type=int, default=6, help="budget windows a run")
    parser.add_argument("--calls", type=int, default=4_000, help="calls with a deadline a run")
    parser.add_argument("--data", type=Path, help="folder of recorded prompts")
    parser.add_argument("--rolling", action="store_true", help="rolling windows")
    chosen = parser.parse_args(arguments)
    for line in _tables(chosen, build(Settings.model_validate({"simulate": True}))):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    return 0


def _tables(chosen: argparse.Namespace, catalog: Catalog) -> Iterator[str]:
    draw: Draw = synthetic
    if chosen.data:
        # Reading recorded prompts takes packages that nothing else here needs.
        draw = drawing(import_module("gateway.learn.replay_recorded").menus(chosen.data))
    if chosen.what != "deadlines":
        yield from budgets(catalog, chosen.seeds, chosen.windows, draw=draw, rolling=chosen.rolling)
        yield ""
        yield from equal_spend(catalog, chosen.seeds, chosen.windows, draw=draw)
        yield ""
    if chosen.what != "budgets":
        yield from deadlines(catalog, chosen.seeds, chosen.calls, draw=draw)
