"""A load check's figures on a terminal, with the machine they are of."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

PARTS = ("p50", "p90", "p99", "p999", "max")
ROWS = (("latency, whole answer", "latency_ms"), ("of it, added by the gateway", "added_ms"))


def report(figures: Mapping[str, Any]) -> RenderableType:
    """Throughput, percentiles, outcomes, and what else to know."""
    table = Table(box=None, pad_edge=False, header_style="bold underline")
    table.add_column("milliseconds", no_wrap=True)
    for part in PARTS:
        table.add_column(part, justify="right", no_wrap=True)
    for title, name in ROWS:
        found = figures[name]
        table.add_row(title, *(f"{found[p]:.3f}" if p in found else "–" for p in PARTS))
    head = (
        f"{figures['calls']:,} calls in {figures['seconds']:g} s by {figures['concurrency']} "
        f"callers: {figures['calls_per_second']:,.1f} a second, {figures['errors']} failed"
    )
    return Group(
        Text(str(figures["url"]), style="bold"),
        Text(head, style="bold red" if figures["errors"] else ""),
        table,
        Text(f"outcomes: {_counts(figures['outcomes'])}"),
        Text(f"tiers: {_counts(figures['tiers'])} · cache: {_counts(figures['cache'])}"),
        Text(f"cost: ${figures['cost_usd']:g}{' (simulated)' if figures['simulated'] else ''}"),
        Text(_machine(figures["machine"]), style="dim"),
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items())) or "none"


def _machine(said: Mapping[str, Any]) -> str:
    load = "/".join(f"{one:g}" for one in said["load"])
    return (
        f"{said['cores']} cores ({said['system']}, Python {said['python']}), load {load}; callers "
        "share them with a gateway on this machine, so an idle one does better"
    )
