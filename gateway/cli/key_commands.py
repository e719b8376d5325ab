"""`tiergate keys` and `tiergate spend` as they are typed. What they do is in `gateway.cli.keys`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar="TIERGATE_CONFIG",
        help="Configuration file; without it, tiergate.yaml here, if there is one.",
        show_default=False,
    ),
]
Which = Annotated[str, typer.Argument(help="The key's name or id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ASKED = frozenset(
    {"name", "team", "expires", "allowances", "requests_per_minute", "tokens_per_minute"}
    | {"parallel", "tiers", "models", "quality", "max_cost_usd", "deadline", "hold", "clamp"}
    | {"on_outage", "cache_scope"}
)


class KeyWork(Protocol):
    """What the commands do; each returns its exit code."""

    def create(self, config: Path | None, said: Mapping[str, object], *, as_settings: bool) -> int:
        """Make a key and print it."""
        ...

    def listed(self, config: Path | None, *, team: str, as_json: bool) -> int:
        """Print the keys there are."""
        ...

    def revoke(self, config: Path | None, key: str) -> int:
        """Revoke a key."""
        ...

    def rotate(self, config: Path | None, key: str) -> int:
        """Print a new secret for a key."""
        ...

    def spend(self, config: Path | None, said: Mapping[str, str], *, limit: int, form: str) -> int:
        """Print what was spent; `form` is `table`, `csv` or `json`."""
        ...


def create(work: Callable[[], KeyWork]) -> typer.Typer:
    """Assemble `tiergate keys`."""
    app = typer.Typer(
        name="keys",
        help="Make, list, revoke and rotate the keys that callers bring.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.command("create")(_create(work))
    app.command("list")(_list(work))
    app.command("revoke")(_revoke(work))
    app.command("rotate")(_rotate(work))
    return app


def _option(*names: str, text: str, panel: str = "Limits") -> Any:  # noqa: ANN401 - typer's own
    return typer.Option(*names, help=text, rich_help_panel=panel, show_default=False)


TEAM = _option("--team", text="The team it belongs to.", panel="Options")
EXPIRES = _option("--expires", text="When it ends: 30d, or 2027-01-31.", panel="Options")
AS_SETTINGS = _option(
    "--settings",
    text="Store nothing: print lines for the configuration, which hold no key; the key goes to "
    "standard error.",
    panel="Options",
)
ALLOWANCE = _option("--allowance", text="5usd/day, 20usd/month rolling; may be repeated.")
RPM = _option("--rpm", text="Requests a minute.")
TPM = _option("--tpm", text="Tokens a minute: 100k.")
PARALLEL = _option("--parallel", text="Calls at a time.")
TIERS = _option("--tiers", text="nano,mini: these only.")
MODELS = _option("--models", text="These models only.")
QUALITY = _option("--quality", text="The dial, 0 to 1.", panel="Policy")
MAX_COST = _option("--max-cost-usd", text="Most a call may cost.", panel="Policy")
DEADLINE = _option("--deadline", text="Longest a call may take.", panel="Policy")
HOLD = _option("--hold", text="worst or expected.", panel="Policy")
CLAMP = _option("--clamp/--no-clamp", text="May answers be cut to fit?", panel="Policy")
ON_OUTAGE = _option("--on-outage", text="fail_open or fail_closed.", panel="Policy")
CACHE_SCOPE = _option("--cache-scope", text="key, team or organisation.", panel="Policy")
Said = str | None


def _create(work: Callable[[], KeyWork]) -> Callable[..., None]:
    def create(  # noqa: PLR0913 - an option each, as typer reads them from the signature
        name: Annotated[str, typer.Argument(help="How people and records call the key.")],
        config: Config = None,
        *,
        as_settings: Annotated[bool, AS_SETTINGS] = False,
        team: Annotated[Said, TEAM] = None,
        expires: Annotated[Said, EXPIRES] = None,
        allowances: Annotated[list[str] | None, ALLOWANCE] = None,
        requests_per_minute: Annotated[Said, RPM] = None,
        tokens_per_minute: Annotated[Said, TPM] = None,
        parallel: Annotated[Said, PARALLEL] = None,
        tiers: Annotated[Said, TIERS] = None,
        models: Annotated[Said, MODELS] = None,
        quality: Annotated[Said, QUALITY] = None,
        max_cost_usd: Annotated[Said, MAX_COST] = None,
        deadline: Annotated[Said, DEADLINE] = None,
        hold: Annotated[Said, HOLD] = None,
        clamp: Annotated[bool | None, CLAMP] = None,
        on_outage: Annotated[Said, ON_OUTAGE] = None,
        cache_scope: Annotated[Said, CACHE_SCOPE] = None,
    ) -> None:
        """Make a key and print it, this once."""
        # The options are called what the settings call them.
        said = {option: value for option, value in locals().items() if option in ASKED}
        given = {option: value for option, value in said.items() if value not in (None, [])}
        raise typer.Exit(work().create(config, given, as_settings=as_settings))

    return create


def _list(work: Callable[[], KeyWork]) -> Callable[..., None]:
    def list_keys(
        config: Config = None,
        *,
        team: Annotated[str, typer.Option(help="Keys of this team only.", show_default=False)] = "",
        as_json: AsJson = False,
    ) -> None:
        """List the keys, those of the configuration too; never what would open anything."""
        raise typer.Exit(work().listed(config, team=team, as_json=as_json))

    return list_keys


def _revoke(work: Callable[[], KeyWork]) -> Callable[..., None]:
    def revoke(key: Which, config: Config = None) -> None:
        """Revoke a key: within two seconds it opens nothing any more. Its records stay."""
        raise typer.Exit(work().revoke(config, key))

    return revoke


def _rotate(work: Callable[[], KeyWork]) -> Callable[..., None]:
    def rotate(key: Which, config: Config = None) -> None:
        """Print a new secret for a key; limits and spend stay, the old one opens nothing more."""
        raise typer.Exit(work().rotate(config, key))

    return rotate


def spend(work: Callable[[], KeyWork]) -> Callable[..., None]:
    """The command `tiergate spend`."""

    def spend(  # noqa: PLR0913 - an option each, as typer reads them from the signature
        config: Config = None,
        *,
        since: Annotated[
            str, typer.Option(help="First day: 2026-11-01, or 7d for a week back.")
        ] = "",
        until: Annotated[str, typer.Option(help="Last day; without it, today (UTC).")] = "",
        organisation: Annotated[str, typer.Option(help="Of this organisation only.")] = "",
        team: Annotated[str, typer.Option(help="Of this team only.")] = "",
        key: Annotated[str, typer.Option(help="Of this key only, by name or id.")] = "",
        limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most rows.")] = 1_000,
        as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Show what was spent, by day, key, model and tier; this month unless said otherwise."""
        said = {
            "since": since,
            "until": until,
            "organisation": organisation,
            "team": team,
            "key": key,
        }
        if as_csv and as_json:
            message = "--csv or --json, not both"
            raise typer.BadParameter(message)
        form = "csv" if as_csv else "json" if as_json else "table"
        raise typer.Exit(work().spend(config, said, limit=limit, form=form))

    return spend
