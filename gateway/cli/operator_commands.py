"""The operator's commands as they are typed. What they do is in `gateway.cli.operator`."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import typer

from gateway.cli.key_commands import AsJson, Config

PANEL = "Operate"


class OperatorWork(Protocol):
    """What the commands do; each returns its exit code."""

    def models(self, config: Path | None, *, as_json: bool) -> int:
        """Say what stands behind the tiers, and until when."""
        ...

    def doctor(self, config: Path | None, *, as_json: bool) -> int:
        """Look at everything that could go wrong."""
        ...


def add(app: typer.Typer, work: Callable[[], OperatorWork]) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL)(_models(work))
    app.command(rich_help_panel=PANEL)(_doctor(work))


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
