"""`tiergate import`: configurations of other gateways, made into ours.

The file goes to `-o`, or to standard output; what has no equivalent goes to standard error as a
table, so that a pipe carries the file only. Reading is imported when the command runs, so that help
and shell completion do not wait for it.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Protocol, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.settings.complaints import SettingsError
from gateway.settings.litellm_notes import Finding, Kind

LOST = 1
# EX_CONFIG of sysexits.h, as for our own configuration.
UNREADABLE = 78
STYLES = {Kind.LOST: "bold red", Kind.DIFFERS: "yellow", Kind.ELSEWHERE: "cyan"}
ORDER = (Kind.LOST, Kind.DIFFERS, Kind.ELSEWHERE)


class Made(Protocol):
    """What an import made (`gateway.settings.litellm.Import`)."""

    text: str
    findings: tuple[Finding, ...]
    variables: tuple[str, ...]
    lost: bool


class Reader(Protocol):
    """The module that reads another gateway's configuration."""

    def imported(self, path: Path) -> Made:
        """Import a configuration.

        Raises:
            SettingsError: it cannot be read.
        """
        ...


def create() -> typer.Typer:
    """Assemble the sub-commands, one for each gateway we read."""
    app = typer.Typer(
        name="import",
        help="Make a configuration out of another gateway's.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    app.command()(litellm)
    return app


def _options() -> None:
    """Make a configuration out of another gateway's."""


def litellm(
    config: Annotated[Path, typer.Argument(help="LiteLLM's config.yaml.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write.", show_default="standard output"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when something has no equivalent.")
    ] = False,
) -> None:
    """Write an equivalent tiergate.yaml, and list what has no equivalent."""
    told = Console(stderr=True)
    try:
        made = cast("Reader", import_module("gateway.settings.litellm")).imported(config)
    except SettingsError as error:
        for sentence in error.sentences():
            told.print(Text("error: ", style="bold red") + Text(sentence), soft_wrap=True)
        raise typer.Exit(UNREADABLE) from None
    if output is None:
        sys.stdout.write(made.text)
    else:
        _write(output, made.text, told, force=force)
    _tell(made, told)
    raise typer.Exit(LOST if strict and made.lost else 0)


def _write(output: Path, text: str, told: Console, *, force: bool) -> None:
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        problem = f"{output} is there already; --force overwrites it"
    except OSError as error:
        problem = f"{output} cannot be written: {error.strerror}"
    else:
        return
    told.print(Text("error: ", style="bold red") + Text(problem), soft_wrap=True)
    raise typer.Exit(LOST)


def _tell(made: Made, told: Console) -> None:
    if made.findings:
        table = Table(box=None, pad_edge=False, header_style="bold underline")
        for title in ("", "setting", "what becomes of it"):
            table.add_column(title, overflow="fold")
        for finding in sorted(made.findings, key=lambda f: ORDER.index(f.kind)):
            kind = Text(finding.kind.value, style=STYLES[finding.kind])
            table.add_row(kind, Text(finding.place), Text(finding.words))
        told.print(table)
    if made.variables:
        told.print(Text(f"Set in the environment: {', '.join(made.variables)}"), soft_wrap=True)
