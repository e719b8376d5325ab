"""The operator's commands as they are typed. What they do is in `gateway.cli.operator`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from gateway.cli.key_commands import AsJson, Config

PANEL = "Operate"
HERE = "http://127.0.0.1:8080"
Url = Annotated[str, typer.Argument(help="The gateway's address.", envvar="TIERGATE_URL")]


class OperatorWork(Protocol):
    """What the commands do; each returns its exit code."""

    def models(self, config: Path | None, *, as_json: bool) -> int:
        """Say what stands behind the tiers, and until when."""
        ...

    def doctor(self, config: Path | None, *, as_json: bool) -> int:
        """Look at everything that could go wrong."""
        ...

    def bench(self, said: Mapping[str, Any], *, as_json: bool) -> int:
        """Measure a gateway."""
        ...

    def top(self, url: str, *, once: bool, interval: float) -> int:
        """Show a gateway at work."""
        ...


def add(app: typer.Typer, work: Callable[[], OperatorWork]) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL)(_models(work))
    app.command(rich_help_panel=PANEL)(_doctor(work))
    app.command(rich_help_panel=PANEL)(_top(work))
    app.command(rich_help_panel=PANEL)(_bench(work))


def _models(work: Callable[[], OperatorWork]) -> Callable[..., None]:
    def models(config: Config = None, *, as_json: AsJson = False) -> None:
        """Ask the upstreams for their models (free): which are there, until when, what follows.

        Exits with 1 when a tier's model is gone, or could not be looked up.
        """
        raise typer.Exit(work().models(config, as_json=as_json))

    return models


def _doctor(work: Callable[[], OperatorWork]) -> Callable[..., None]:
    def doctor(config: Config = None, *, as_json: AsJson = False) -> None:
        """Look at keys, models, Redis, clock, ports and limits, and say what to do.

        Only free calls are made. Exits with 1 when something is broken; warnings are no failure.
        """
        raise typer.Exit(work().doctor(config, as_json=as_json))

    return doctor


def _top(work: Callable[[], OperatorWork]) -> Callable[..., None]:
    def top(
        url: Url = HERE,
        *,
        once: Annotated[
            bool, typer.Option("--once", help="Print one frame; needs no terminal.")
        ] = False,
        interval: Annotated[
            float, typer.Option(min=1, max=3600, help="Seconds between two looks.")
        ] = 2.0,
    ) -> None:
        """Watch a running gateway: calls, tiers, spend, latency, cache, breakers, allowances."""
        raise typer.Exit(work().top(url, once=once, interval=interval))

    return top


CONCURRENCY = typer.Option("--concurrency", "-c", min=1, max=1024, help="Callers at a time.")
SECONDS = typer.Option("--seconds", "-s", min=0.1, max=86_400, help="How long.")
BODY = typer.Option(
    "--body",
    "-b",
    help="File with the JSON body of a call; `-` reads it from the input.",
    show_default="a short question, each time another",
)
CACHED = typer.Option("--cached", help="Let kept replies answer (with one question for all).")
PAID = typer.Option("--paid", help="Go on where answers cost money.")
KEY = typer.Option("--key", envvar="TIERGATE_KEY", help="Your key.", show_default=False)


def _bench(work: Callable[[], OperatorWork]) -> Callable[..., None]:
    def bench(  # noqa: PLR0913 - a command's options
        url: Annotated[
            str, typer.Argument(help="The gateway's address.", show_default="one started beside")
        ] = "",
        *,
        concurrency: Annotated[int, CONCURRENCY] = 8,
        seconds: Annotated[float, SECONDS] = 10.0,
        body: Annotated[str | None, BODY] = None,
        stream: Annotated[bool, typer.Option("--stream", help="Ask for streams.")] = False,
        cached: Annotated[bool, CACHED] = False,
        paid: Annotated[bool, PAID] = False,
        key: Annotated[str, KEY] = "",
        as_json: AsJson = False,
    ) -> None:
        """Measure a gateway under load: throughput, latency, what the gateway adds, errors.

        Without an address one is started beside, in front of the simulation without its waits.
        """
        said = {
            "url": url,
            "concurrency": concurrency,
            "seconds": seconds,
            "body": body,
            "stream": stream,
            "cached": cached,
            "paid": paid,
            "key": key,
        }
        raise typer.Exit(work().bench(said, as_json=as_json))

    return bench
