"""What the operator's commands do: ask the product, show what it says, exit accordingly."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from rich.table import Table
from rich.text import Text

from gateway.catalog import Secret
from gateway.cli import bench_report, work
from gateway.cli.scraped import Scrape, Unreachable, fetch
from gateway.cli.top import Top, keyboard
from gateway.cli.work import BAD_CONFIGURATION, FAILED, OK, Desk
from gateway.clock import SystemClock
from gateway.errors import GatewayError
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
COSTLY = "this gateway's answers cost money: `--paid` says that is meant, or leave the address out"


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

    def bench(self, asked: Any) -> Mapping[str, Any]:  # noqa: ANN401 - an `Asked` of the product's
        """Measure; the figures.

        Raises:
            GatewayError: there is no gateway.
            Costly: its answers cost money.
        """
        ...

    @property
    def Asked(self) -> Callable[..., Any]:  # noqa: N802 - a class of the product's
        """What to measure (`gateway.app.bench`)."""
        ...

    @property
    def Costly(self) -> type[Exception]:  # noqa: N802 - a class of the product's
        """Its answers cost money, and that was not meant."""
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

    def bench(self, said: Mapping[str, Any], *, as_json: bool) -> int:
        """Measure a gateway."""
        product = self.product()
        try:
            body = self._body(said["body"])
            asked = product.Asked(**{**said, "body": body, "key": Secret(said["key"])})
            figures = product.bench(asked)
        except product.Costly:
            self.desk.say("error", COSTLY)
            return FAILED
        except (GatewayError, ValueError) as error:
            self.desk.say("error", str(error))
            return FAILED
        if as_json:
            self._json(figures)
        else:
            self.desk.out.print(bench_report.report(figures), soft_wrap=True)
        return FAILED if figures["errors"] else OK

    def top(self, url: str, *, once: bool, interval: float) -> int:
        """Show a gateway at work."""
        clock = SystemClock()
        console = self.desk.out

        def scrape() -> Scrape:
            return fetch(url, clock.now(), clock.wall())

        if once or not console.is_terminal:
            try:
                return Top(url, console, scrape, lambda _: True, interval).once()
            except Unreachable as error:
                self.desk.say("error", str(error))
                return FAILED
        with keyboard(self.desk.stdin) as wait:
            return Top(url, console, scrape, wait, interval).run()

    def _body(self, path: str | None) -> Mapping[str, Any] | None:
        """A call's body from a file or the input.

        Raises:
            ValueError: it cannot be read, or is no JSON object.
        """
        if path is None:
            return None
        try:
            text = self.desk.stdin.read() if path == "-" else Path(path).read_text("utf-8")
        except OSError as error:
            message = f"{path} cannot be read: {error.strerror}"
            raise ValueError(message) from None
        except UnicodeError:
            message = f"{path} is not UTF-8 text"
            raise ValueError(message) from None
        try:
            body = json.loads(text)
        except ValueError as error:
            message = f"{path} holds no JSON: {error}"
            raise ValueError(message) from None
        if not isinstance(body, dict):
            message = f"{path} holds no JSON object"
            raise ValueError(message)  # noqa: TRY004 - one error for all that is wrong with it
        return body

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
