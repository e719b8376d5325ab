"""`tiergate models` and `tiergate doctor`: what is shown, and the exit code."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from gateway.cli import operator
from gateway.cli.commands import create
from gateway.cli.operator import Operator
from gateway.cli.work import Desk
from gateway.settings.schema import Settings
from tests.cli.noted import NotedProduct


@dataclass
class Said:
    """What a product found."""

    values: dict[str, Any]

    def document(self) -> dict[str, Any]:
        return self.values


@dataclass
class FakeProduct:
    """Finds what it is told to."""

    found: Sequence[Said]
    asked: list[Settings] = field(default_factory=list)

    def models(self, settings: Settings) -> Sequence[Said]:
        self.asked.append(settings)
        return self.found

    def doctor(self, settings: Settings, environ: Mapping[str, str]) -> Sequence[Said]:
        self.asked.append(settings)
        return self.found


def opened(
    *found: dict[str, Any], environ: Mapping[str, str] | None = None
) -> tuple[Operator, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    desk = Desk(
        product=lambda: NotedProduct(refuses=False),
        environ={} if environ is None else environ,
        today=lambda: date(2026, 11, 24),
        out=Console(file=out, width=120),
        err=Console(file=err, width=120),
        stdin=io.StringIO(),
    )
    product = FakeProduct([Said(one) for one in found])
    return Operator(desk, lambda: product), out, err


NANO = {
    "tier": "nano",
    "deployment": "eu",
    "model": "gpt-4.1-nano",
    "sent": "my-nano",
    "presence": "present",
    "shutdown": "2026-12-01",
    "days_left": 7,
    "successor": "gpt-6-luna",
    "successor_presence": "present",
    "trouble": "",
    "fails": False,
}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, 0),
        ({"presence": "unknown", "trouble": "the key is not accepted"}, 1),
        ({"presence": "missing", "fails": True}, 1),
        ({"presence": "simulated", "successor_presence": "simulated", "days_left": -3}, 0),
        ({"shutdown": None, "days_left": None, "successor": "", "sent": "gpt-4.1-nano"}, 0),
    ],
)
def test_models_shows_each_tier_and_fails_where_calls_do(more: dict[str, Any], code: int) -> None:
    there, out, err = opened(NANO | more)
    as_json, data, _ = opened(NANO | more)

    assert there.models(None, as_json=False) == code
    assert as_json.models(None, as_json=True) == code
    assert "gpt-4.1-nano" in out.getvalue()
    assert ("as my-nano" in out.getvalue()) is ("sent" not in more)
    assert more.get("trouble", "") in err.getvalue()
    assert json.loads(data.getvalue()) == {"models": [NANO | more]}


def test_doctor_says_what_to_do_and_fails_when_something_is_broken() -> None:
    ill = {"about": "redis r", "verdict": "fail", "words": "refused", "advice": "Start it."}
    well = {"about": "port", "verdict": "ok", "words": "is free", "advice": ""}
    there, out, _ = opened(well, ill)
    healthy, data, _ = opened(well)
    broken, lines, _ = opened(ill)

    assert there.doctor(None, as_json=False) == 1
    assert healthy.doctor(None, as_json=True) == 0
    assert broken.doctor(None, as_json=True) == 1
    assert out.getvalue().splitlines() == [
        *("ok   port: is free", "fail redis r: refused", "      → Start it."),
    ]
    assert json.loads(data.getvalue()) == {"healthy": True, "findings": [well]}
    assert json.loads(lines.getvalue())["healthy"] is False


def test_a_configuration_that_cannot_be_used_is_told_as_ever() -> None:
    there, _, err = opened(environ={"GATEWAY_SERVER_PORT": "x"})

    assert (there.models(None, as_json=False), there.doctor(None, as_json=True)) == (78, 78)
    assert "GATEWAY_SERVER_PORT" in err.getvalue()


def test_the_commands_are_typed_as_documented(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there, out, _ = opened(NANO)
    monkeypatch.setattr(operator, "here", lambda: there)
    monkeypatch.chdir(tmp_path)
    app = create(lambda: pytest.fail("not asked"))

    assert CliRunner().invoke(app, ["models", "--json"]).exit_code == 0
    assert json.loads(out.getvalue())["models"] == [NANO]


def test_here_stands_on_the_real_product() -> None:
    assert operator.here().product().models is not None
