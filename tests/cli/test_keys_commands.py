"""`tiergate keys` and `tiergate spend` as they are typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.commands import Work, create
from gateway.settings.asked import AskedKey


@dataclass
class NotedKeyWork:
    """Notes what it is asked to do and ends with the code it is given."""

    code: int = 0
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def create(self, config: Path | None, said: Mapping[str, object], *, as_settings: bool) -> int:
        return self._note("create", config, dict(said), as_settings)

    def listed(self, config: Path | None, *, team: str, as_json: bool) -> int:
        return self._note("list", config, team, as_json)

    def revoke(self, config: Path | None, key: str) -> int:
        return self._note("revoke", config, key)

    def rotate(self, config: Path | None, key: str) -> int:
        return self._note("rotate", config, key)

    def spend(self, config: Path | None, said: Mapping[str, str], *, limit: int, form: str) -> int:
        given = {name: value for name, value in said.items() if value}
        return self._note("spend", config, given, limit, form)

    def _note(self, *asked: Any) -> int:
        self.asked.append(asked)
        return self.code


def no_work() -> Work:
    raise AssertionError


def commands(work: NotedKeyWork) -> typer.Typer:
    return create(no_work, lambda: work)


EVERY_OPTION = (
    "keys create ci -c a.yaml --team search --expires 30d --allowance 5usd/day "
    "--allowance 20usd/month --rpm 60 --tpm 100k --parallel 4 --tiers nano,mini --models gpt-4.1 "
    "--quality 0.3 --max-cost-usd 0.05 --deadline 30s --hold expected --no-clamp "
    "--on-outage fail_open --cache-scope team --settings"
)
EVERYTHING = {
    "name": "ci",
    "team": "search",
    "expires": "30d",
    "allowances": ["5usd/day", "20usd/month"],
    "requests_per_minute": "60",
    "tokens_per_minute": "100k",
    "parallel": "4",
    "tiers": "nano,mini",
    "models": "gpt-4.1",
    "quality": "0.3",
    "max_cost_usd": "0.05",
    "deadline": "30s",
    "hold": "expected",
    "clamp": False,
    "on_outage": "fail_open",
    "cache_scope": "team",
}


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("keys create ci", ("create", None, {"name": "ci"}, False)),
        (EVERY_OPTION, ("create", Path("a.yaml"), EVERYTHING, True)),
        ("keys list", ("list", None, "", False)),
        ("keys list --team search --json", ("list", None, "search", True)),
        ("keys revoke ci", ("revoke", None, "ci")),
        ("keys rotate ci -c b.yaml", ("rotate", Path("b.yaml"), "ci")),
        ("spend", ("spend", None, {}, 1_000, "table")),
        (
            "spend --since 7d --until 2026-11-20 --team t --organisation o --key k --limit 5 --csv",
            (
                *("spend", None),
                {
                    "since": "7d",
                    "until": "2026-11-20",
                    "organisation": "o",
                    "team": "t",
                    "key": "k",
                },
                *(5, "csv"),
            ),
        ),
        ("spend --json", ("spend", None, {}, 1_000, "json")),
    ],
)
@pytest.mark.parametrize("code", [0, 78])
def test_a_command_asks_for_its_work_and_ends_with_its_code(
    typed: str, asked: tuple[Any, ...], code: int
) -> None:
    work = NotedKeyWork(code)

    result = CliRunner(env={"TIERGATE_CONFIG": None}).invoke(commands(work), typed.split())

    assert work.asked == [asked]
    assert result.exit_code == code


def test_there_is_an_option_for_everything_that_can_be_asked_of_a_key() -> None:
    assert set(EVERYTHING) == set(AskedKey.model_fields)
    assert AskedKey.model_validate(EVERYTHING).name == "ci"


@pytest.mark.parametrize(
    "typed",
    [
        "keys create",
        "keys revoke",
        "keys nonsense",
        "spend --limit 0",
        "spend --csv --json",
        "keys list x",
    ],
)
def test_what_is_typed_wrong_ends_with_2(typed: str) -> None:
    work = NotedKeyWork()

    result = CliRunner().invoke(commands(work), typed.split())

    assert (result.exit_code, work.asked) == (2, [])


def test_help_lists_the_commands() -> None:
    runner, app = CliRunner(env={"COLUMNS": "200"}), commands(NotedKeyWork())

    whole, keys = runner.invoke(app, ["--help"]), runner.invoke(app, ["keys", "--help"])

    assert "Keys and money" in whole.output
    assert "spend" in whole.output
    assert all(word in keys.output for word in ("create", "list", "revoke", "rotate"))
