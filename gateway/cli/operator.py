"""What the operator's commands do: ask the product, show what it says, exit accordingly."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from rich.table import Table
from rich.text import Text

from gateway.cli import work
from gateway.cli.work import BAD_CONFIGURATION, FAILED, OK, Desk
from gateway.settings.schema import Settings

STYLES: Mapping[str, str] = {
    "ok": "green",
    "warn": "bold yellow",
    "fail": "bold red",
    "present": "green",
    "missing": "bold red",
    "unknown": "yellow",
    "simulated": "dim",
}
SOON_DAYS = 30


class Behind(Protocol):
    """A deployment's model (`gateway.app.survey`)."""

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        ...


class Finding(Protocol):
    """What the doctor found (`gateway.app.doctor`)."""

    def document(self) -> dict[str, str]:
        """JSON-ready values."""
        ...


class Product(Protocol):
    """What the composition root offers an operator."""

    def models(self, settings: Settings) -> Sequence[Behind]:
        """What stands behind the tiers, as the accounts say it."""
        ...

    def doctor(self, settings: Settings, environ: Mapping[str, str]) -> Sequence[Finding]:
        """Look at everything."""
        ...


@dataclass(frozen=True, slots=True)
class Operator:
    """Does the work of the commands, over the desk that reads settings and prints."""

    desk: Desk
    product: Callable[[], Product]

    def models(self, config: Path | None, *, as_json: bool) -> int:
        """Say what stands behind the tiers, and until when."""
        settings = self.desk.load(config, {})
        if settings is None:
            return BAD_CONFIGURATION
        found = [one.document() for one in self.product().models(settings)]
        if as_json:
            self._json({"models": found})
        else:
            self.desk.out.print(_models(found))
            for trouble in sorted(
                {f"{m['deployment']}: {m['trouble']}" for m in found if m["trouble"]}
            ):
                self.desk.say("warning", trouble)
        return FAILED if any(map(_ill, found)) else OK

    def doctor(self, config: Path | None, *, as_json: bool) -> int:
        """Look at everything that could go wrong."""
        settings = self.desk.load(config, {})
        if settings is None:
            return BAD_CONFIGURATION
        found = [one.document() for one in self.product().doctor(settings, self.desk.environ)]
        failed = any(one["verdict"] == "fail" for one in found)
        if as_json:
            self._json({"healthy": not failed, "findings": found})
            return FAILED if failed else OK
        for one in found:
            mark = Text(f"{one['verdict']:<5}", style=STYLES[one["verdict"]])
            line = mark + Text(f"{one['about']}: {one['words']}", style="none")
            self.desk.out.print(line, soft_wrap=True)
            if one["advice"]:
                self.desk.out.print(Text(f"      → {one['advice']}", style="dim"), soft_wrap=True)
        return FAILED if failed else OK

    def _json(self, document: object) -> None:
        self.desk.out.file.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _ill(one: Mapping[str, Any]) -> bool:
    """Whether calls to it fail, or nobody could say."""
    return bool(one["trouble"]) or one["fails"] is True


def _models(found: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold underline")
    for title in ("tier", "deployment", "model", "there", "shutdown", "days", "then"):
        table.add_column(title, justify="right" if title == "days" else "left")
    for one in found:
        sent = f" as {one['sent']}" if one["sent"] != one["model"] else ""
        days, then = one["days_left"], one["successor"]
        seen = one["successor_presence"]
        table.add_row(
            one["tier"],
            Text(one["deployment"]),
            Text(f"{one['model']}{sent}"),
            Text(one["presence"], style=STYLES[one["presence"]]),
            one["shutdown"] or "–",
            Text("–" if days is None else str(days), style=_urgency(days)),
            Text(f"{then} ({seen})" if then and seen != "simulated" else then or "–"),
        )
    return table


def _urgency(days: int | None) -> str:
    if days is None or days > SOON_DAYS:
        return ""
    return "bold red" if days <= 0 else "bold yellow"


def here() -> Operator:
    """The operator of this process."""
    return Operator(work.here(), lambda: cast("Product", import_module("gateway.app.operating")))
