"""The demonstration's display: who answered, what it cost, why; and what to try next."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gateway.catalog import TIER_LABELS
from gateway.simulate.drive import Seen

LAST_CALLS = 12
TIER_STYLES = {"nano": "green", "mini": "yellow", "full": "red"}
BAR_WIDTH = 24
REFRESHES_PER_SECOND = 4


@dataclass(slots=True)
class Totals:
    """Sums over the calls so far."""

    calls: int = 0
    failed: int = 0
    tiers: Counter[str] = field(default_factory=Counter)
    caches: Counter[str] = field(default_factory=Counter)
    cost: float = 0.0
    saved: float = 0.0
    overheads: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    last: deque[Seen] = field(default_factory=lambda: deque(maxlen=LAST_CALLS))

    def add(self, seen: Seen) -> None:
        """Count one call."""
        self.calls += 1
        self.failed += seen.status != 200
        self.tiers[seen.tier] += 1
        self.caches[seen.cache] += 1
        self.cost += seen.cost
        self.saved += seen.saved
        self.overheads.append(seen.overhead_ms)
        self.last.append(seen)

    def median_overhead(self) -> float:
        """The middle of the last thousand calls' overheads, in milliseconds."""
        ordered = sorted(self.overheads)
        return ordered[len(ordered) // 2] if ordered else 0.0


class Show:
    """Shows calls as they come: a live table on a terminal, a line a call elsewhere."""

    def __init__(self, console: Console, url: str) -> None:
        self._console = console
        self._url = url
        self.totals = Totals()
        self._live: Live | None = None

    def __enter__(self) -> Callable[[Seen], None]:
        self._console.print(
            Text("Everything below is SIMULATED", style="bold magenta")
            + Text(f": no key, no cost. The gateway listens on {self._url}/v1", style="none"),
            soft_wrap=True,
        )
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._drawn,
                console=self._console,
                refresh_per_second=REFRESHES_PER_SECOND,
            )
            self._live.start()
        return self.tell

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
        else:
            self._console.print(summary(self.totals), soft_wrap=True)
        self._console.print(next_steps(self._url), soft_wrap=True)

    def tell(self, seen: Seen) -> None:
        """Show one more call."""
        self.totals.add(seen)
        if self._live is None:
            self._console.print(_line(seen), soft_wrap=True)

    def _drawn(self) -> RenderableType:
        return Group(summary(self.totals), calls(self.totals))


def summary(totals: Totals) -> RenderableType:
    """Shares of the tiers, money, cache, overhead."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for tier in TIER_LABELS:
        share = totals.tiers[tier] / totals.calls if totals.calls else 0.0
        bar = Text("█" * round(share * BAR_WIDTH), style=TIER_STYLES[tier])
        table.add_row(tier, bar, f"{share:.0%}")
    always_full = totals.cost + totals.saved
    kept = totals.saved / always_full if always_full else 0.0
    facts = (
        f"{totals.calls} calls, {totals.failed} failed · cost ${totals.cost:.4f}, "
        f"saved ${totals.saved:.4f} ({kept:.0%}) against always-full · cache: "
        f"{totals.caches['hit']} hits, {totals.caches['shared']} shared · "
        f"overhead p50 {totals.median_overhead():.2f} ms"
    )
    return Group(table, Text(facts))


def calls(totals: Totals) -> Table:
    """The last calls, newest last."""
    table = Table(box=None, pad_edge=False, header_style="bold underline")
    for title in ("tier", "prompt", "why"):
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    for seen in totals.last:
        style = TIER_STYLES.get(seen.tier, "dim")
        table.add_row(Text(seen.tier, style=style), Text(seen.prompt), Text(_why(seen), "dim"))
    return table


def _why(seen: Seen) -> str:
    if seen.status != 200:
        return f"status {seen.status}"
    return seen.reason if seen.cache == "miss" else f"{seen.reason} ({seen.cache})"


def _line(seen: Seen) -> Text:
    return Text(f"{seen.tier:4} {seen.seconds:6.2f}s  {seen.prompt}  — {_why(seen)}")


def next_steps(url: str) -> Text:
    """What a person may want to do now."""
    return Text(
        "\nTry next:\n"
        f"  curl {url}/v1/chat/completions -H 'content-type: application/json' \\\n"
        '    -d \'{"model": "auto", "messages": [{"role": "user", "content": "Hello!"}]}\'\n'
        f"  OpenAI(base_url='{url}/v1', api_key='any').chat.completions.create(model='auto', …)\n"
        "  tiergate route 'Prove that there are infinitely many primes'\n"
        "  OPENAI_API_KEY=sk-… tiergate serve     the real models\n"
    )
