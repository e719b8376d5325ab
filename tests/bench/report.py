"""What a run says: a table for people, JSON for machines, and whether the bars are met."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.scenarios import Figures

Results = Mapping[str, Figures]


@dataclass(frozen=True, slots=True)
class Bar:
    """A promise about one figure.

    `slack` is the part of the limit that this machine's noise may take; only beyond it is the
    promise called broken.
    """

    scenario: str
    figure: str
    words: str
    limit: float
    at_least: bool = False
    slack: float = 0.1

    def verdict(self, results: Results) -> str:
        """`met`, `near` (missed within the noise) or `missed`."""
        value = self.value(results)
        sign = 1 if self.at_least else -1
        if sign * value >= sign * self.limit:
            return "met"
        allowed = self.limit * (1 - sign * self.slack)
        return "near" if sign * value >= sign * allowed else "missed"

    def value(self, results: Results) -> float:
        """What was measured."""
        return results[self.scenario][self.figure]

    @property
    def bound(self) -> str:
        """The limit as people write it."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


BARS = (
    Bar("crowd", "share", "throughput as a share of nginx's", 0.20, at_least=True),
    Bar("alone", "gateway_added_p50_ms", "added p50 at one caller, ms", 0.3, slack=0.2),
    Bar("alone", "cached_p50_ms", "cache hit: p50 at one caller, ms", 1.0, slack=0.5),
    Bar("streams", "gateway_stretch", "stretch of 256 streams", 1.05, slack=0.02),
    Bar("huge", "added_p999_ms", "added p99.9 beside 4 MB prompts, ms", 25.0, slack=0.4),
    Bar("memory", "rss_mb", "resident memory, MB", 130.0, slack=0.02),
    Bar("shared", "share", "throughput with Redis as a share of without", 0.75, at_least=True),
    Bar("run", "failed", "failed calls", 0.0),
)

# Words, scenario, figure, digits. `nginx_FIGURE` and `gateway_FIGURE` (or FIGURE) fill the columns.
ROWS = (
    ("32 callers: calls a second", "crowd", "calls_per_second", 0),
    ("32 callers: CPU µs a call", "crowd", "cpu_us", 1),
    ("32 callers: p50, ms", "crowd", "p50_ms", 2),
    ("32 callers: p99, ms", "crowd", "p99_ms", 2),
    ("share of nginx, throughput", "crowd", "share", 3),
    ("share of nginx, CPU", "crowd", "cpu_share", 3),
    ("model pinned: calls a second", "crowd", "pinned_calls_per_second", 0),
    ("model pinned: CPU µs a call", "crowd", "pinned_cpu_us", 1),
    ("model pinned over routed", "crowd", "pinned_over_routed", 2),
    ("1 caller: added p50, ms", "alone", "added_p50_ms", 3),
    ("1 caller: added p99, ms", "alone", "added_p99_ms", 3),
    ("cache hit: p50, ms", "alone", "cached_p50_ms", 3),
    ("cache hit: p99, ms", "alone", "cached_p99_ms", 3),
    ("cache hit: CPU µs a call", "alone", "cached_cpu_us", 1),
    ("cache hit: share of repeats", "alone", "hit_share", 3),
    ("256 streams: stretch", "streams", "stretch", 3),
    ("256 streams: stretch at p99", "streams", "stretch_p99", 3),
    ("256 streams: TTFT added p50, ms", "streams", "ttft_added_p50_ms", 2),
    ("256 streams: TTFT added p99, ms", "streams", "ttft_added_p99_ms", 2),
    ("256 streams: p99 gap, ms (20 sent)", "streams", "gap_p99_ms", 1),
    ("256 streams: CPU µs an event", "streams", "cpu_us_per_event", 1),
    ("beside 4 MB prompts: added p50, ms", "huge", "added_p50_ms", 2),
    ("beside 4 MB prompts: added p99, ms", "huge", "added_p99_ms", 2),
    ("beside 4 MB prompts: added p99.9, ms", "huge", "added_p999_ms", 2),
    ("beside 4 MB prompts: added maximum, ms", "huge", "added_max_ms", 2),
    ("4 MB prompts a second", "huge", "prompts_per_second", 1),
    ("resident memory, MB", "memory", "rss_mb", 1),
    ("proportional memory, MB", "memory", "pss_mb", 1),
    ("with Redis and limits: calls a second", "shared", "sharing_calls_per_second", 0),
    ("with Redis and limits: CPU µs a call", "shared", "sharing_cpu_us", 1),
    ("with Redis and limits: p50, ms", "shared", "sharing_p50_ms", 2),
    ("with Redis over without, throughput", "shared", "share", 3),
    ("with Redis over without, CPU", "shared", "cpu_share", 3),
    ("deciding, 100 tokens, CPU µs", "decision", "ascii_100_us", 1),
    ("deciding, 500 tokens, CPU µs", "decision", "ascii_500_us", 1),
    ("deciding, 100,000 tokens, CPU µs", "decision", "ascii_100000_us", 1),
    ("the same in Russian: 100 tokens", "decision", "russian_100_us", 1),
    ("the same in Russian: 500 tokens", "decision", "russian_500_us", 1),
    ("the same in Russian: 100,000 tokens", "decision", "russian_100000_us", 1),
    ("deciding uncompiled, 100 tokens, CPU µs", "decision", "ascii_100_in_steps_us", 1),
    ("deciding uncompiled, 500 tokens, CPU µs", "decision", "ascii_500_in_steps_us", 1),
    ("cold start to the first answer, s", "start", "seconds", 2),
)
WIDTH = max(len(words) for words, *_ in ROWS)


def table(results: Results) -> str:
    """The figures side by side, then the bars."""
    lines = [f"{'':{WIDTH}} {'nginx':>10} {'gateway':>10}"]
    for words, scenario, figure, digits in ROWS:
        figures = results.get(scenario, {})
        nginx = figures.get(f"nginx_{figure}")
        gateway = figures.get(f"gateway_{figure}", figures.get(figure))
        if nginx is not None or gateway is not None:
            cells = f"{_cell(nginx, digits):>10} {_cell(gateway, digits):>10}"
            lines.append(f"{words:{WIDTH}} {cells}")
    lines += ["", f"{'':{WIDTH}} {'measured':>10} {'bar':>10}"]
    for bar in _judged(results):
        cells = f"{bar.value(results):>10.3g} {bar.bound:>10}"
        lines.append(f"{bar.words:{WIDTH}} {cells}  {bar.verdict(results)}")
    return "\n".join(lines) + "\n"


def missed(results: Results) -> list[str]:
    """A sentence for every bar that was clearly missed."""
    return [
        f"{bar.words}: {bar.value(results):.3g}, promised {bar.bound}"
        for bar in _judged(results)
        if bar.verdict(results) == "missed"
    ]


def save(path: Path, results: Results, about: Mapping[str, Any]) -> None:
    """Write everything as JSON."""
    document = {
        "about": dict(about),
        "results": {name: _rounded(figures) for name, figures in results.items()},
        "bars": [
            asdict(bar) | {"value": bar.value(results), "verdict": bar.verdict(results)}
            for bar in _judged(results)
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def machine(nginx: str) -> dict[str, Any]:
    """What the figures were measured on."""
    shown = subprocess.run(  # noqa: S603 - the nginx that is measured
        [nginx, "-v"], capture_output=True, text=True, check=False
    )
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "nginx": shown.stderr.strip().rpartition("/")[2],
    }


def _judged(results: Results) -> list[Bar]:
    """The bars of those scenarios that were run."""
    return [bar for bar in BARS if bar.figure in results.get(bar.scenario, {})]


def _cell(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _rounded(figures: Figures) -> Figures:
    return {name: round(value, 4) for name, value in figures.items()}
