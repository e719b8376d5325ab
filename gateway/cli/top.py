"""`tiergate top`: a running gateway on a terminal, drawn from its page of metrics.

Asks for nothing but `/metrics`, so it costs the gateway what a scrape costs.
"""

import select
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.catalog import TIER_LABELS
from gateway.cli.scraped import Scrape, Span, Unreachable
from gateway.cli.show import BAR_WIDTH, TIER_STYLES

OK = 0
QUIT = frozenset("qQ\x03\x04")
NOTHING = "–"
# Rates are over this many scrapes: fewer flicker, more lag behind.
WINDOW = 5


@dataclass(frozen=True, slots=True)
class Top:
    """Where to look, how often (seconds), and what it is drawn on.

    `scrape` fetches a page; `wait` waits so many seconds, and says whether to stop.
    """

    url: str
    console: Console
    scrape: Callable[[], Scrape]
    wait: Callable[[float], bool]
    interval: float

    def once(self) -> int:
        """Print one frame, with what happened since the gateway started.

        Raises:
            Unreachable: there is no gateway.
        """
        self.console.print(frame(self.url, Span(self.scrape())))
        return OK

    def run(self) -> int:
        """Draw until told to stop; a gateway that goes away may come back."""
        seen: list[Scrape] = []
        with (
            suppress(KeyboardInterrupt),
            Live(console=self.console, screen=True, auto_refresh=False) as live,
        ):
            while True:
                live.update(self._drawn(seen), refresh=True)
                if self.wait(self.interval):
                    break
        return OK

    def _drawn(self, seen: list[Scrape]) -> RenderableType:
        try:
            seen.append(self.scrape())
        except Unreachable as error:
            return Group(_title(self.url), Text(f"{error}; still trying", style="bold red"))
        del seen[: -WINDOW - 1]
        before = seen[0] if len(seen) > 1 else None
        return Group(frame(self.url, Span(seen[-1], before)), Text("q quits", style="dim"))


@contextmanager
def keyboard(stdin: TextIO) -> Iterator[Callable[[float], bool]]:
    """Waiting that a press of `q` ends; the terminal is as before afterwards."""
    if not stdin.isatty():
        yield lambda seconds: bool(select.select([stdin], [], [], seconds)[0]) and not stdin.read(1)
        return
    before = termios.tcgetattr(stdin)
    tty.setcbreak(stdin)

    def wait(seconds: float) -> bool:
        ready, _, _ = select.select([stdin], [], [], seconds)
        return bool(ready) and stdin.read(1) in QUIT

    try:
        yield wait
    finally:
        termios.tcsetattr(stdin, termios.TCSADRAIN, before)


def frame(url: str, span: Span) -> RenderableType:
    """Everything at a glance."""
    since = "since it started" if span.before is None else f"of the last {span.seconds():.0f} s"
    return Group(
        _title(url, since),
        _calls(span),
        *_trouble(span),
        Text(),
        _tiers(span),
        Text(),
        _deployments(span),
        *_budgets(span),
    )


def _title(url: str, since: str = "") -> Text:
    return Text(f"tiergate top {url}", style="bold") + Text(f"  rates {since}" if since else "")


def _calls(span: Span) -> Text:
    calls = span.gained("gateway_requests_total")
    failed = calls - span.gained("gateway_requests_total", outcome="ok")
    cost, saved = span.gained("gateway_cost_usd_total"), span.gained("gateway_saved_usd_total")
    hours = span.seconds() / 3600
    overhead = [span.quantile("gateway_overhead_seconds", part) for part in (0.5, 0.99)]
    cache = span.shares("gateway_cache_total", "outcome")
    lines = (
        f"{calls / span.seconds():,.1f} calls/s",
        f"{failed / calls if calls else 0:.1%} failed",
        f"{span.now.total('gateway_in_flight'):.0f} in flight",
        f"${cost / hours:,.4f}/h spent, ${saved / hours:,.4f}/h saved",
        f"overhead p50 {_time(overhead[0])}, p99 {_time(overhead[1])}",
        "cache " + (", ".join(f"{n} {s:.0%}" for n, s in sorted(cache.items()) if s) or NOTHING),
    )
    return Text(" · ".join(lines))


def _trouble(span: Span) -> Iterator[Text]:
    for store, up in span.now.by("gateway_store_up", "store").items():
        if not up:
            why = "cannot be reached" if store == "redis" else "cannot be written"
            yield Text(f"{store} {why}: see `tiergate doctor`", style="bold red")
    refused = span.gained("gateway_limited_total", limit="allowance")
    if refused:
        yield Text(f"{refused:,.0f} calls refused: allowances do not hold them", style="yellow")


def _tiers(span: Span) -> Table:
    shares = span.shares("gateway_routed_total", "tier")
    table = _table("tier", "share", "", "first token p50", "whole p50", "p99", "$/h")
    for tier in TIER_LABELS:
        share = shares.get(tier, 0.0)
        times = [
            span.quantile("gateway_ttft_seconds", 0.5, tier=tier),
            *(span.quantile("gateway_request_seconds", part, tier=tier) for part in (0.5, 0.99)),
        ]
        spent = span.gained("gateway_cost_usd_total", tier=tier) / (span.seconds() / 3600)
        bar = Text("█" * round(share * BAR_WIDTH), style=TIER_STYLES[tier])
        table.add_row(tier, f"{share:.0%}", bar, *map(_time, times), f"{spent:,.4f}")
    return table


def _deployments(span: Span) -> Table:
    table = _table("deployment", "breaker", "attempts/s", "failed", "p50", "in flight")
    for name, resting in span.now.by("gateway_breaker_open", "deployment").items():
        attempts = span.gained("gateway_attempts_total", deployment=name)
        failed = attempts - span.gained("gateway_attempts_total", deployment=name, outcome="ok")
        table.add_row(
            Text(name),
            Text("open", style="bold red") if resting else Text("closed", style="green"),
            f"{attempts / span.seconds():,.1f}",
            f"{failed / attempts if attempts else 0:.1%}",
            _time(span.quantile("gateway_attempt_seconds", 0.5, deployment=name)),
            f"{span.now.total('gateway_attempts_in_flight', deployment=name):.0f}",
        )
    return table


def _budgets(span: Span) -> Iterator[RenderableType]:
    left = span.now.by("gateway_budget_remaining_usd", "level")
    if not left:
        return
    pace = span.now.by("gateway_budget_pace_ratio", "level")
    table = _table("allowance of", "left", "pace")
    for level, dollars in sorted(left.items()):
        fast = pace.get(level, 0.0) > 1.0
        style = "bold yellow" if fast else ""
        table.add_row(level, f"${dollars:,.2f}", Text(f"{pace.get(level, 0.0):.2f}", style=style))
    yield Text()
    yield table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold underline")
    for title in titles:
        table.add_column(title, no_wrap=True)
    return table


def _time(seconds: float | None) -> str:
    if seconds is None:
        return NOTHING
    return f"≤ {seconds * 1000:.3g} ms" if seconds < 1 else f"≤ {seconds:.3g} s"
