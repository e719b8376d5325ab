"""What is typed reaches the work as it was meant; exit codes come back."""

import runpy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway import __version__, cli
from gateway.cli.commands import create


@dataclass
class NotedWork:
    """Notes what it is asked to do and ends with the code it is given."""

    code: int = 0
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def serve(self, config: Path | None, said: Mapping[str, object]) -> int:
        return self._note("serve", config, {n: v for n, v in said.items() if v is not None})

    def demo(
        self, config: Path | None, *, url: str | None, seconds: float | None, rate: float
    ) -> int:
        return self._note("demo", config, url, seconds, rate)

    def check(self, config: Path | None) -> int:
        return self._note("check", config)

    def route(
        self,
        config: Path | None,
        prompt: str,
        *,
        model: str,
        as_json: bool,
        headers: Sequence[str],
    ) -> int:
        return self._note("route", config, prompt, model, as_json, *headers)

    def schema(self, *, markdown: bool) -> int:
        return self._note("schema", markdown)

    def _note(self, *asked: Any) -> int:
        self.asked.append(asked)
        return self.code


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        (["serve"], ("serve", None, {})),
        (
            ["serve", "-c", "a.yaml", "--host", "::", "--port", "0", "--simulate"],
            (
                "serve",
                Path("a.yaml"),
                {
                    "GATEWAY_SERVER_HOST": "::",
                    "GATEWAY_SERVER_PORT": 0,
                    "GATEWAY_SIMULATE_ENABLED": True,
                },
            ),
        ),
        (["serve", "--no-simulate"], ("serve", None, {"GATEWAY_SIMULATE_ENABLED": False})),
        (
            ["serve", "--data", "d"],
            ("serve", None, {"GATEWAY_STORE_DATA": "d"}),
        ),
        (["demo"], ("demo", None, None, None, 5.0)),
        (["demo", "--url", "http://a:1"], ("demo", None, "http://a:1", None, 5.0)),
        (["demo", "--seconds", "3", "--rate", "50"], ("demo", None, None, 3.0, 50.0)),
        (["check", "--config", "b.yaml"], ("check", Path("b.yaml"))),
        (["route", "Hello"], ("route", None, "Hello", "auto", False)),
        (["route", "-", "-m", "mini", "--json"], ("route", None, "-", "mini", True)),
        (
            ["route", "Hi", "-H", "a: 1", "-H", "b: 2"],
            ("route", None, "Hi", "auto", False, "a: 1", "b: 2"),
        ),
        (["schema"], ("schema", False)),
        (["schema", "--markdown"], ("schema", True)),
    ],
)
@pytest.mark.parametrize("code", [0, 1, 78])
def test_a_command_asks_for_its_work_and_ends_with_its_code(
    typed: list[str], asked: tuple[Any, ...], code: int
) -> None:
    work = NotedWork(code)

    result = CliRunner(env={"TIERGATE_CONFIG": None}).invoke(create(lambda: work), typed)

    assert work.asked == [asked]
    assert result.exit_code == code


def test_the_configuration_may_be_named_in_the_environment() -> None:
    work = NotedWork()

    CliRunner(env={"TIERGATE_CONFIG": "c.yaml"}).invoke(create(lambda: work), ["check"])

    assert work.asked == [("check", Path("c.yaml"))]


@pytest.mark.parametrize(
    "typed",
    [
        ["nonsense"],
        ["route"],
        ["serve", "--port", "70000"],
        ["serve", "--port", "http"],
        ["demo", "--rate", "0"],
        ["check", "--nonsense"],
    ],
)
def test_what_is_typed_wrong_ends_with_2(typed: list[str]) -> None:
    work = NotedWork()

    result = CliRunner().invoke(create(lambda: work), typed)

    assert (result.exit_code, work.asked) == (2, [])


def test_help_lists_every_command_and_the_exit_codes() -> None:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(create(NotedWork), ["--help"])

    assert result.exit_code == 0
    words = ("serve", "demo", "check", "route", "schema", "version", "78 the configuration")
    assert all(word in result.output for word in words)


@pytest.mark.parametrize("typed", [["version"], ["--version"]])
def test_the_version_is_printed_without_any_work(typed: list[str]) -> None:
    work = NotedWork()

    result = CliRunner().invoke(create(lambda: work), typed)

    assert result.output.startswith(f"tiergate {__version__} (Python 3.")
    assert (result.exit_code, work.asked) == (0, [])


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command line of this process."""
    line = ["tiergate"]
    monkeypatch.setattr(sys, "argv", line)
    return line


def test_the_version_is_answered_before_anything_is_loaded(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed.append("version")

    runpy.run_module("gateway", run_name="__main__")

    assert capsys.readouterr().out == f"{cli.version()}\n"


def test_the_installed_command_runs_the_commands(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed.append("schema")

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == 0
    assert '"Tiergate configuration"' in capsys.readouterr().out
