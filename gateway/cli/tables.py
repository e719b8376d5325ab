"""What the commands show on a terminal: the tiers of a configuration, the candidates of a call."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.catalog import Catalog, Deployment, Model
from gateway.settings.schema import Settings

CHOSEN = "bold green"
# Where there is little room names are folded; tiers and figures never are.
FOLDED = frozenset({"name", "model", "verdict"})


def _table(*left: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold underline")
    for title in left:
        table.add_column(title, overflow="fold", no_wrap=title not in FOLDED)
    for title in right:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def summary(settings: Settings, catalog: Catalog, source: Path | None) -> RenderableType:
    """One line on what was read and what it makes."""
    origin = str(source) if source else "no file: the environment and defaults"
    upstream = "simulated" if settings.simulate.enabled else "real"
    address = f"{settings.server.host}:{settings.server.port}"
    facts = (
        f" ({origin})\nlistens on {address}, upstream {upstream}, catalog version "
        f"{catalog.version}, {len(catalog.reroute)} names rerouted"
    )
    return Text("The configuration is good", style=CHOSEN) + Text(facts, style="none")


def tiers(catalog: Catalog, *, simulated: bool, today: date) -> RenderableType:
    """The deployments behind each tier; prices per million prompt, cached and answer tokens."""
    table = _table("tier", "name", "model", "$/M tokens", right=("window", "shutdown"))
    table.add_column("address", overflow="fold")
    for tier in sorted(catalog.tiers):
        for deployment in catalog.tiers[tier]:
            model = deployment.model
            table.add_row(
                tier.label,
                Text(deployment.name),
                Text(_as_sent(deployment)),
                _prices(model),
                f"{model.context_window / 1000:,.0f}k",
                _shutdown(deployment, today),
                Text("simulated" if simulated else urlsplit(deployment.base_url).netloc),
            )
    return table


def _as_sent(deployment: Deployment) -> str:
    name, sent = deployment.model.name, deployment.upstream_model
    return f"{name} as {sent}" if sent and sent != name else name


def _prices(model: Model) -> str:
    price = model.price
    return "/".join(f"{n / 1000:g}" for n in (price.prompt, price.cached, price.completion))


def _shutdown(deployment: Deployment, today: date) -> Text:
    day, successor = deployment.model.shutdown, deployment.successor
    if day is None:
        return Text("–")
    return Text(f"{day}", style="bold red" if day <= today and successor is None else "")


def choice(explanation: Mapping[str, Any]) -> RenderableType:
    """Where a prompt would go, why, and what else was looked at."""
    head = Text(f"{explanation['tier']}", style=CHOSEN)
    facts = f" ({explanation['model']}), {explanation['prompt_tokens']:,} prompt tokens"
    head += Text(f"{facts}, gain of a larger model {explanation['score']:.2f}", style="none")
    signals = explanation["signals"]
    # Signals are among the reasons; they are said once, as what they are.
    reasons = [reason for reason in explanation["reasons"] if reason not in signals]
    lines = [Text(f"  because {reason}") for reason in reasons]
    if signals:
        lines.append(Text(f"  signals: {', '.join(signals)}", style="dim"))
    lines += [Text(f"  {words}", style="dim") for words in explanation["would_change_it"]]
    return Group(head, *lines, _candidates(explanation))


def _candidates(explanation: Mapping[str, Any]) -> Table:
    table = _table("  tier", "model", "verdict", right=("quality", "cost", "first byte", "total"))
    for candidate in explanation["candidates"]:
        chosen = candidate["tier"] == explanation["tier"]
        table.add_row(
            f"{'→' if chosen else ' '} {candidate['tier']}",
            Text(candidate["model"]),
            Text(candidate["verdict"]),
            f"{candidate['quality']:.2f}",
            f"${_dollars(candidate['cost_usd'])}",
            _seconds(candidate["ttft_seconds"]),
            _seconds(candidate["total_seconds"]),
            style=CHOSEN if chosen else "",
        )
    return table


def _dollars(amount: float | str) -> str:
    """Up to nine decimals, none in vain; exact text is left as it is."""
    return amount if isinstance(amount, str) else f"{amount:.9f}".rstrip("0").rstrip(".")


def _seconds(amount: float) -> str:
    return f"{amount * 1000:.0f} ms" if amount < 1 else f"{amount:.1f} s"
