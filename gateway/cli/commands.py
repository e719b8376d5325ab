"""The commands as they are typed: names, options, help. What they do is in `gateway.cli.work`.

The work is imported when a command runs, so that help and shell completion do not wait for it.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Protocol, cast

import typer

from gateway import cli
from gateway.cli import imports, key_commands, learn, operator_commands
from gateway.cli.key_commands import Config, KeyWork
from gateway.cli.operator_commands import OperatorWork

EPILOG = (
    "Exit codes: 0 all went well, 1 it failed, 2 the command was typed wrong, "
    "78 the configuration cannot be used."
)


class Work(Protocol):
    """What the commands do; each returns its exit code."""

    def serve(self, config: Path | None, said: Mapping[str, object]) -> int:
        """Serve until told to stop; `said` are settings by their variables, None unsaid."""
        ...

    def demo(
        self, config: Path | None, *, url: str | None, seconds: float | None, rate: float
    ) -> int:
        """Serve simulated traffic."""
        ...

    def check(self, config: Path | None) -> int:
        """Say what is wrong with the configuration."""
        ...

    def route(
        self,
        config: Path | None,
        prompt: str,
        *,
        model: str,
        as_json: bool,
        headers: Sequence[str],
    ) -> int:
        """Say where a prompt would go."""
        ...

    def schema(self, *, markdown: bool) -> int:
        """Print the reference of the settings."""
        ...


def run() -> None:
    """Run the command that was typed."""
    create(_work)()


def _work() -> Work:
    # Imported late: reading settings and drawing tables takes half a second to import.
    return cast("Work", import_module("gateway.cli.work").here())


def _key_work() -> KeyWork:
    return cast("KeyWork", import_module("gateway.cli.keys").here())


def _operator() -> OperatorWork:
    return cast("OperatorWork", import_module("gateway.cli.operator").here())


def create(work: Callable[[], Work], key_work: Callable[[], KeyWork] = _key_work) -> typer.Typer:
    """Assemble the commands over what they do."""
    app = typer.Typer(
        name="tiergate",
        help="An OpenAI-compatible gateway that answers every call with the smallest model that is "
        "good enough, inside its cost and time, and says why.",
        epilog=EPILOG,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        # A traceback with locals would print the configuration, keys and all.
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    app.command(rich_help_panel="Run")(_serve(work))
    app.command(rich_help_panel="Run")(_demo(work))
    app.command(rich_help_panel="Look")(_check(work))
    app.command(rich_help_panel="Look")(_route(work))
    app.command(rich_help_panel="Look")(_schema(work))
    app.command(rich_help_panel="Look")(version)
    app.add_typer(key_commands.create(key_work), rich_help_panel="Keys and money")
    app.command("spend", rich_help_panel="Keys and money")(key_commands.spend(key_work))
    app.add_typer(imports.create(), rich_help_panel="Look")
    app.add_typer(learn.create(), rich_help_panel="Look")
    operator_commands.add(app, _operator)
    return app


def version() -> None:
    """Print the version."""
    typer.echo(cli.version())


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


def _options(
    *,
    wanted: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Options before any command; they act by themselves."""


def _serve(work: Callable[[], Work]) -> Callable[..., None]:
    def serve(
        config: Config = None,
        *,
        host: Annotated[
            str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")
        ] = None,
        port: Annotated[
            int | None,
            typer.Option(min=0, max=65535, help="Port to listen on.", show_default="8080"),
        ] = None,
        simulate: Annotated[
            bool | None,
            typer.Option(
                "--simulate/--no-simulate",
                help="Answer from the built-in simulation instead of the models.",
                show_default="on only without any key and configuration",
            ),
        ] = None,
        data: Annotated[
            str | None,
            typer.Option(
                help="Directory of keys and money without Redis; `memory` keeps nothing.",
                show_default=".tiergate",
            ),
        ] = None,
        workers: Annotated[
            int | None,
            typer.Option(
                min=1, help="Processes that serve side by side; needs Redis.", show_default="1"
            ),
        ] = None,
    ) -> None:
        """Serve the gateway until it is told to stop (SIGTERM or Ctrl-C)."""
        said = {
            "GATEWAY_SERVER_HOST": host,
            "GATEWAY_SERVER_PORT": port,
            "GATEWAY_SIMULATE_ENABLED": simulate,
            "GATEWAY_STORE_DATA": data,
            "GATEWAY_SERVER_WORKERS": workers,
        }
        raise typer.Exit(work().serve(config, said))

    return serve


def _demo(work: Callable[[], Work]) -> Callable[..., None]:
    def demo(
        config: Config = None,
        *,
        url: Annotated[
            str | None,
            typer.Option(
                help="Send the traffic to this running gateway instead, if a simulation answers "
                "there.",
                show_default=False,
            ),
        ] = None,
        seconds: Annotated[
            float | None,
            typer.Option(min=0.1, help="How long; without it, until Ctrl-C.", show_default=False),
        ] = None,
        rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="Calls a second.")] = 5.0,
    ) -> None:
        """Show the gateway at work on simulated traffic; needs no key and costs nothing."""
        raise typer.Exit(work().demo(config, url=url, seconds=seconds, rate=rate))

    return demo


def _check(work: Callable[[], Work]) -> Callable[..., None]:
    def check(config: Config = None) -> None:
        """Check the configuration: every mistake with its line, every warning, the tiers."""
        raise typer.Exit(work().check(config))

    return check


def _route(work: Callable[[], Work]) -> Callable[..., None]:
    def route(
        prompt: Annotated[str, typer.Argument(help="The question; `-` reads it from the input.")],
        config: Config = None,
        *,
        model: Annotated[
            str, typer.Option("--model", "-m", help="The requested model, as a caller writes it.")
        ] = "auto",
        headers: Annotated[
            list[str] | None,
            typer.Option(
                "--header", "-H", help="What a caller would say, such as `x-gateway-quality: 0.9`."
            ),
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    ) -> None:
        """Say which tier would answer a prompt, and why. Nothing is sent; no key is needed."""
        done = work().route(config, prompt, model=model, as_json=as_json, headers=headers or ())
        raise typer.Exit(done)

    return route


def _schema(work: Callable[[], Work]) -> Callable[..., None]:
    def schema(
        *,
        markdown: Annotated[
            bool, typer.Option("--markdown", help="Print the reference for people instead.")
        ] = False,
    ) -> None:
        """Print the JSON schema of the configuration file."""
        raise typer.Exit(work().schema(markdown=markdown))

    return schema
