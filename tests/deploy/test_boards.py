"""Grafana's boards: written by their source, complete, and laid out without overlaps."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.source.boards import BOARDS, written
from tests.boards.queries import MACROS, boards, families, of_panels, substituted

PLACE = Path("deploy/grafana/boards")
FOUND = boards()
PROVISIONING = Path("deploy/grafana/provisioning")


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    at = panel["gridPos"]
    return {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}


def test_there_are_six_boards() -> None:
    assert sorted(FOUND) == sorted(BOARDS)
    assert len(FOUND) == 6


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_is_as_its_source_writes_it(name: str) -> None:
    # If not: python -m deploy.grafana.source
    assert (PLACE / f"{name}.json").read_text() == written(BOARDS[name]())


@pytest.mark.parametrize("name", FOUND)
def test_panels_say_what_they_show_and_what_it_means_when_they_do_not(name: str) -> None:
    for panel in FOUND[name]["panels"]:
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["noValue"]
        assert panel["targets"]


@pytest.mark.parametrize("name", FOUND)
def test_panels_do_not_overlap(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in FOUND[name]["panels"]:
        mine = cells(panel)
        assert not mine & taken
        assert max(x for x, _ in mine) < 24
        taken |= mine


@pytest.mark.parametrize("name", FOUND)
def test_rows_leave_no_gaps(name: str) -> None:
    rows: dict[int, list[dict[str, int]]] = {}
    for panel in FOUND[name]["panels"]:
        rows.setdefault(panel["gridPos"]["y"], []).append(panel["gridPos"])

    assert all(a["x"] + a["w"] == b["x"] for row in rows.values() for a, b in pairwise(row))


def test_boards_are_told_apart() -> None:
    assert len({board["uid"] for board in FOUND.values()}) == len(FOUND)
    assert len({board["title"] for board in FOUND.values()}) == len(FOUND)


def test_queries_use_no_macro_that_is_not_known() -> None:
    assert all("$" not in asked.query for asked in of_panels(FOUND))
    assert substituted("rate(x[$__rate_interval])") == f"rate(x[{MACROS['$__rate_interval']}])"


def test_families_are_read_through_recording_rules() -> None:
    read = families('sum by (gateway_x) (gateway:calls:rate5m{a="gateway_y"})')

    assert read == {"gateway_requests_total"}


def test_grafana_finds_the_boards_and_prometheus() -> None:
    provider = yaml.safe_load((PROVISIONING / "dashboards/boards.yml").read_text())["providers"][0]
    source = yaml.safe_load((PROVISIONING / "datasources/prometheus.yml").read_text())
    variable = json.loads((PLACE / "overview.json").read_text())["templating"]["list"][0]

    assert provider["options"]["path"] == "/etc/grafana/boards"
    assert source["datasources"][0]["uid"] == variable["current"]["value"]
