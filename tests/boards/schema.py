"""Checks the boards against Grafana's own types with the TypeScript compiler.

A board becomes a constant of type `Dashboard`; what a kind of panel takes as options is checked
against that kind's own type. Types say what exists and how it is spelled: a wrong word, a text
where a number belongs, a name that is none.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.compose.shell import CannotTry, run, timed

SCHEMA = "13.2.3"
PACKAGES = {"@grafana/schema": SCHEMA, "typescript": "5.9.3"}
COMPOSABLE = "@grafana/schema/dist/esm/raw/composable"
# The module of each kind's types, the version of the package left out of its name.
MODULES = {
    "bargauge": "bargauge/panelcfg/x/BarGaugePanelCfg_types.gen",
    "heatmap": "heatmap/panelcfg/x/HeatmapPanelCfg_types.gen",
    "stat": "stat/panelcfg/x/StatPanelCfg_types.gen",
    "state-timeline": "statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen",
    "table": "table/panelcfg/x/TablePanelCfg_types.gen",
    "timeseries": "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen",
}
# JSON has the words of enumerations, not their members.
PLAIN = """\
type Plain<T> = T extends string ? `${T}` : T extends number ? T : T extends Array<infer E>
  ? Array<Plain<E>> : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
"""
OPTIONS = ("--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext")


def complaints(boards: Mapping[str, Any], place: Path) -> list[str]:
    """What the compiler says of the boards.

    Raises:
        CannotTry: there is no npm.
    """
    _install(place)
    (place / "boards.ts").write_text("\n".join(_lines(boards)))
    compiler = [str(place.resolve() / "node_modules/.bin/tsc"), *OPTIONS, "boards.ts"]
    ended = subprocess.run(compiler, cwd=place, capture_output=True, text=True, check=False)  # noqa: S603 - our own paths
    found = [line for line in ended.stdout.splitlines() if line.strip()]
    return found if ended.returncode else []


def _install(place: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        message = "node and npm are not installed (Debian: apt install nodejs npm)"
        raise CannotTry(message)
    place.mkdir(parents=True, exist_ok=True)
    manifest = json.dumps({"private": True, "type": "module", "dependencies": PACKAGES})
    there = place / "package.json"
    if there.is_file() and there.read_text() == manifest and (place / "node_modules").is_dir():
        return
    there.write_text(manifest)
    quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    with timed(f"npm install @grafana/schema {SCHEMA}"):
        run([npm, "install", "--ignore-scripts", *quiet, "--prefix", str(place)])


def _lines(boards: Mapping[str, Any]) -> Iterator[str]:
    """The boards and their panels as typed constants."""
    yield "import type { Dashboard } from '@grafana/schema';"
    for kind, module in MODULES.items():
        yield f"import type * as {_name(kind)} from '{COMPOSABLE}/{module}';"
    yield PLAIN
    for name, board in boards.items():
        yield f"export const {name}: Plain<Dashboard> = {json.dumps(board)};"
        for panel in board["panels"]:
            kind = _name(panel["type"])
            constant = f"{name}_{panel['id']}"
            options = json.dumps(panel["options"])
            yield f"export const {constant}: Plain<{kind}.Options> = {options};"
            custom = panel["fieldConfig"]["defaults"].get("custom")
            if custom is not None:
                yield (
                    f"export const {constant}_custom: Plain<{kind}.FieldConfig> = "
                    f"{json.dumps(custom)};"
                )


def _name(kind: str) -> str:
    return kind.replace("-", "_")
