"""The kinds of panels the boards use, each with the options that are the same everywhere."""

from collections.abc import Mapping
from typing import Unpack

from deploy.grafana.source.shapes import Json, Look, Panel, Query, dressed


def lines(
    title: str, about: str, *queries: Query, stacked: bool = False, **more: Unpack[Look]
) -> Panel:
    """Series over time; `stacked` piles them up as areas."""
    custom: Json = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never"}
    if stacked:
        custom |= {"fillOpacity": 60, "stacking": {"mode": "normal", "group": "A"}}
    options = {
        "legend": {
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": True,
            "calcs": ["lastNotNull"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    defaults = {"custom": custom, "min": 0}
    panel = Panel("timeseries", title, about, queries, options=options, defaults=defaults)
    return dressed(panel, more)


def number(title: str, about: str, expr: str, **more: Unpack[Look]) -> Panel:
    """One number as it is now, its course behind it."""
    options = {
        "colorMode": "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showPercentChange": False,
        "textMode": "value",
        "wideLayout": True,
    }
    panel = Panel("stat", title, about, (Query(expr),), width=3, height=4, options=options)
    return dressed(panel, more)


def bars(title: str, about: str, query: Query, **more: Unpack[Look]) -> Panel:
    """One bar a series, as it is now."""
    options = {
        "displayMode": "gradient",
        "legend": {
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": False,
            "calcs": [],
        },
        "maxVizHeight": 300,
        "minVizHeight": 16,
        "minVizWidth": 8,
        "namePlacement": "auto",
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "color",
    }
    return dressed(Panel("bargauge", title, about, (query,), options=options), more)


def table(
    title: str, about: str, query: Query, *, names: Mapping[str, str], **more: Unpack[Look]
) -> Panel:
    """A row a series, as it is now; `names` are its columns and their headings, in order."""
    shown = {"Time": True, "__name__": True, "job": True}
    order = {name: place for place, name in enumerate(names)}
    organize = {"excludeByName": shown, "renameByName": dict(names), "indexByName": order}
    options = {"cellHeight": "sm", "frameIndex": 0, "showHeader": True}
    arranged: Json = {"id": "organize", "options": organize}
    panel = Panel("table", title, about, (query,), options=options, transformations=(arranged,))
    return dressed(panel, more)


def heat(title: str, about: str, expr: str, **more: Unpack[Look]) -> Panel:
    """How often which duration came, over time, from a histogram's buckets."""
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "exponent": 0.5,
            "fill": "dark-orange",
            "mode": "scheme",
            "reverse": False,
            "scale": "exponential",
            "scheme": "Oranges",
            "steps": 64,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": "s"},
    }
    query = Query(expr, "{{le}}", heatmap=True)
    return dressed(Panel("heatmap", title, about, (query,), options=options), more)


def states(title: str, about: str, query: Query, **more: Unpack[Look]) -> Panel:
    """What something was at which time; 0 is well."""
    options = {
        "alignValue": "left",
        "legend": {
            "displayMode": "list",
            "placement": "bottom",
            "showLegend": False,
            "calcs": [],
        },
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "never",
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return dressed(Panel("state-timeline", title, about, (query,), options=options), more)
