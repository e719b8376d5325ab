"""All boards by the name of their file."""

import json
from collections.abc import Callable, Mapping

from deploy.grafana.source import decisions, money, operations
from deploy.grafana.source.shapes import Json

BOARDS: Mapping[str, Callable[[], Json]] = {
    "overview": decisions.overview,
    "routing": decisions.routing,
    "money": money.money,
    "latency": operations.latency,
    "upstreams": operations.upstreams,
    "cache": operations.cache,
}


def written(board: Json) -> str:
    """A board as its file has it."""
    return json.dumps(board, indent=1, ensure_ascii=False) + "\n"
