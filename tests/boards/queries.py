"""Every query of the boards and alerts, as Prometheus is asked it.

A panel's macros are Grafana's; here they get plain values. An alert is a query, a comparison and a
number: what is asked is the query.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

BOARDS = Path("deploy/grafana/boards")
RULES = Path("deploy/prometheus/rules")
NOTHING_YET = "No calls yet"
MACROS = {"$__rate_interval": "15s", "$__range": "5m", "$__interval": "5s"}
# Names of ours, recorded ones included; a histogram's series carry a suffix.
NAMES = re.compile(r"\b(?:gateway|gen_ai)[_:][a-z0-9_:]+")
# Values and lists of labels may look like names.
NO_NAMES = re.compile(r'"[^"]*"|\b(?:by|without|on|ignoring|group_left|group_right) *\([^)]*\)')
SUFFIXES = re.compile(r"_(?:bucket|count|sum)$")
COMPARED = re.compile(r"(?P<query>.+?) (?:<=|>=|<|>) -?[0-9.]+", re.DOTALL)


@dataclass(frozen=True)
class Asked:
    """One query: where it stands, and whether it may find nothing while all is well."""

    where: str
    query: str
    may_be_empty: bool = False


def boards() -> dict[str, Any]:
    """The boards by name, as they are committed."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(BOARDS.glob("*.json"))}


def of_panels(found: Mapping[str, Any]) -> Iterator[Asked]:
    """Every query of every panel."""
    for name, board in found.items():
        for panel in board["panels"]:
            empty = panel["fieldConfig"]["defaults"]["noValue"]
            for target in panel["targets"]:
                where = f"{name} / {panel['title']} / {target['refId']}"
                yield Asked(where, substituted(target["expr"]), empty != NOTHING_YET)


def of_alerts() -> Iterator[Asked]:
    """The query of every alert."""
    for rule in rules():
        if "alert" in rule:
            yield Asked(f"alert {rule['alert']}", left_of(rule["expr"]), may_be_empty=True)


def rules() -> list[dict[str, Any]]:
    """All rules, as they are committed."""
    documents = [yaml.safe_load(path.read_text()) for path in sorted(RULES.glob("*.yml"))]
    return [rule for d in documents for group in d["groups"] for rule in group["rules"]]


def left_of(expression: str) -> str:
    """The query of an alert's expression.

    Raises:
        ValueError: it is no query, comparison and number.
    """
    matched = COMPARED.fullmatch(expression.strip())
    if matched is None:
        message = f"no query, comparison and number: {expression}"
        raise ValueError(message)
    return matched["query"]


def families(query: str) -> set[str]:
    """The families of ours a query reads, through recording rules too."""
    recorded = {rule["record"]: rule["expr"] for rule in rules() if "record" in rule}
    found: set[str] = set()
    for name in NAMES.findall(NO_NAMES.sub("", query)):
        if name in recorded:
            found |= families(recorded[name])
        elif ":" not in name:
            found.add(SUFFIXES.sub("", name))
    return found


def substituted(expression: str) -> str:
    """A panel's query without Grafana's macros."""
    for macro, value in MACROS.items():
        expression = expression.replace(macro, value)
    return expression


def answered(prometheus: httpx.Client, asked: Asked) -> str:
    """Why a query counts as unanswered, or nothing."""
    reply = prometheus.get("/api/v1/query", params={"query": asked.query})
    if reply.status_code != httpx.codes.OK:
        return str(reply.json().get("error", reply.status_code))
    values = [float(result["value"][1]) for result in reply.json()["data"]["result"]]
    if not values:
        return "nothing"
    return "" if any(not math.isnan(value) for value in values) else "no number"
