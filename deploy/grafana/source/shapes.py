"""The shapes boards are made of: panels as Grafana wants them, from the little that differs.

A panel is at least a title, what it means, and queries. One that has nothing to show says why:
every panel carries words for that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

Json = dict[str, Any]

SCHEMA_VERSION = 42
GRID_COLUMNS = 24
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
RATE = "[$__rate_interval]"
RANGE = "[$__range]"
SHARE_OF_ONE: Json = {"max": 1, "decimals": 1}
NOTHING_YET = "No calls yet"
# One colour a tier, on every board.
TIER_COLOURS = {"nano": "green", "mini": "yellow", "full": "red", "none": "gray"}


class Look(TypedDict, total=False):
    """What may be said of any panel; see `Panel`."""

    unit: str
    width: int
    height: int
    options: Mapping[str, Any]
    defaults: Mapping[str, Any]
    overrides: tuple[Json, ...]
    empty: str


@dataclass(frozen=True)
class Query:
    """A query and how its series are called; `instant` asks for now only."""

    expr: str
    legend: str = ""
    instant: bool = False
    table: bool = False
    heatmap: bool = False

    def target(self, letter: str) -> Json:
        """As Grafana's Prometheus source wants it."""
        format_ = "table" if self.table else "heatmap" if self.heatmap else "time_series"
        return {
            "refId": letter,
            "datasource": SOURCE,
            "editorMode": "code",
            "expr": " ".join(self.expr.split()),
            "format": format_,
            "instant": self.instant,
            "legendFormat": self.legend or "__auto",
            "range": not self.instant,
        }


@dataclass(frozen=True)
class Panel:
    """One panel: `width` of 24 columns, `height` in rows of the grid."""

    kind: str
    title: str
    about: str
    queries: tuple[Query, ...]
    unit: str = "short"
    width: int = 8
    height: int = 8
    options: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    overrides: tuple[Json, ...] = ()
    transformations: tuple[Json, ...] = ()
    empty: str = NOTHING_YET

    def json(self, number: int, x: int, y: int) -> Json:
        """As it stands in a board, its upper left corner at (x, y)."""
        made: Json = {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.about,
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "targets": [q.target(chr(ord("A") + n)) for n, q in enumerate(self.queries)],
            "fieldConfig": {
                "defaults": {"unit": self.unit, "noValue": self.empty, **self.defaults},
                "overrides": list(self.overrides),
            },
            "options": dict(self.options),
        }
        if self.transformations:
            made["transformations"] = list(self.transformations)
        return made


def dressed(panel: Panel, look: Look) -> Panel:
    """The panel with what was said of its look; options and defaults are laid over its own."""
    return replace(
        panel,
        unit=look.get("unit", panel.unit),
        width=look.get("width", panel.width),
        height=look.get("height", panel.height),
        options={**panel.options, **look.get("options", {})},
        defaults={**panel.defaults, **look.get("defaults", {})},
        overrides=look.get("overrides", panel.overrides),
        empty=look.get("empty", panel.empty),
    )


def steps(*limits: tuple[float, str], first: str = "green") -> Json:
    """Colours by value: `first`, and from each limit on its own."""
    rising: list[Json] = [{"color": first, "value": None}]
    rising += [{"color": colour, "value": limit} for limit, colour in limits]
    return {"thresholds": {"mode": "absolute", "steps": rising}, "color": {"mode": "thresholds"}}


def tiers_coloured() -> tuple[Json, ...]:
    """Each tier in its colour."""
    return tuple(
        {
            "matcher": {"id": "byRegexp", "options": f"/^{tier}\\b/"},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for tier, colour in TIER_COLOURS.items()
    )


def board(uid: str, title: str, about: str, panels: Iterable[Panel]) -> Json:
    """A board: its panels laid out from left to right, row after row."""
    placed, x, y, tallest = [], 0, 0, 0
    for count, panel in enumerate(panels, start=1):
        if x + panel.width > GRID_COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        placed.append(panel.json(count, x, y))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return {
        "uid": uid,
        "title": title,
        "description": about,
        "tags": ["tiergate"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [DATA_SOURCE]},
        "annotations": {"list": []},
        "links": [OTHER_BOARDS],
        "panels": placed,
    }


DATA_SOURCE: Json = {
    "name": "datasource",
    "label": "Prometheus",
    "type": "datasource",
    "query": "prometheus",
    "current": {"text": "Prometheus", "value": "prometheus"},
    "hide": 2,
    "includeAll": False,
    "multi": False,
    "refresh": 1,
    "regex": "",
    "skipUrlSync": False,
}
OTHER_BOARDS: Json = {
    "title": "Tiergate",
    "type": "dashboards",
    "tags": ["tiergate"],
    "asDropdown": False,
    "icon": "dashboard",
    "includeVars": False,
    "keepTime": True,
    "targetBlank": False,
    "tooltip": "",
    "url": "",
}
