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

from gateway.app import bench as load
from gateway.catalog import Secret
from gateway.cli import operator
from gateway.cli.commands import create
from gateway.cli.operator import Operator
from gateway.cli.work import Desk
from gateway.errors import UpstreamUnreachable
from gateway.settings.schema import Settings
from tests.cli.noted import NotedProduct

PARTS = {"p50": 1.0, "p90": 2.0, "p99": 3.0, "p999": 4.0, "max": 5.0}
FIGURES: Mapping[str, Any] = {
    "url": "http://g",
    "concurrency": 2,
    "seconds": 1.0,
    "calls": 10,
    "calls_per_second": 10.0,
    "errors": 0,
    "outcomes": {"200": 10},
    "latency_ms": PARTS,
    "added_ms": {},
    "tiers": {"nano": 10},
    "cache": {},
    "cost_usd": 0.5,
    "simulated": True,
    "machine": {"cores": 2, "load": [1.0, 0.5, 0.2], "python": "3.11", "system": "Linux x86_64"},
}


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
    benched: list[load.Asked] = field(default_factory=list)

    def models(self, settings: Settings) -> Sequence[Said]:
        self.asked.append(settings)
        return self.found

    def doctor(self, settings: Settings, environ: Mapping[str, str]) -> Sequence[Said]:
        self.asked.append(settings)
        return self.found

    Asked, Costly = load.Asked, load.Costly

    def bench(self, asked: load.Asked) -> Mapping[str, Any]:
        self.benched.append(asked)
        if asked.url == "http://costly":
            raise load.Costly
        if asked.url == "http://nobody":
            message = "connection refused"
            raise UpstreamUnreachable(message)
        return FIGURES


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


def test_top_says_on_standard_error_that_there_is_no_gateway() -> None:
    there, out, err = opened()

    assert there.top("ftp://x", once=True, interval=1.0) == 1
    assert (out.getvalue(), err.getvalue()) == ("", "error: ftp://x is no address of a gateway\n")


def test_here_stands_on_the_real_product() -> None:
    assert operator.here().product().models is not None


SAID: Mapping[str, Any] = {
    "url": "http://g",
    "concurrency": 2,
    "seconds": 1.0,
    "body": None,
    "stream": False,
    "cached": False,
    "paid": False,
    "key": "tg-secret",
}


def test_bench_shows_the_figures_and_the_machine_they_are_of() -> None:
    there, out, _ = opened()
    as_json, data, _ = opened()

    assert there.bench(SAID, as_json=False) == 0
    assert as_json.bench(SAID, as_json=True) == 0
    text = out.getvalue()
    assert "10 calls in 1 s by 2 callers: 10.0 a second, 0 failed" in text
    assert "2 cores (Linux x86_64, Python 3.11), load 1/0.5/0.2" in text
    assert "cost: $0.5 (simulated)" in text
    assert json.loads(data.getvalue()) == FIGURES


def test_bench_takes_a_body_from_a_file_or_the_input(tmp_path: Path) -> None:
    there, _, err = opened()
    body = tmp_path / "body.json"
    body.write_text('{"model": "nano"}')
    there.desk.stdin.write('{"model": "mini"}')
    there.desk.stdin.seek(0)

    codes = [there.bench({**SAID, "body": b}, as_json=True) for b in (str(body), "-")]
    body.write_text("[1]")
    bad = [there.bench({**SAID, "body": str(b)}, as_json=True) for b in (body, tmp_path)]
    body.write_text("{")
    bad.append(there.bench({**SAID, "body": str(body)}, as_json=True))
    body.write_bytes(b"\xff")
    bad.append(there.bench({**SAID, "body": str(body)}, as_json=True))

    product = there.product()
    assert isinstance(product, FakeProduct)
    assert (codes, bad) == ([0, 0], [1, 1, 1, 1])
    assert [asked.body for asked in product.benched] == [{"model": "nano"}, {"model": "mini"}]
    assert product.benched[0].key == Secret("tg-secret")
    said = ("holds no JSON object", "holds no JSON: Expecting", "is not UTF-8 text")
    assert all(words in err.getvalue() for words in said)


@pytest.mark.parametrize(
    ("url", "words"), [("http://costly", "--paid"), ("http://nobody", "connection refused")]
)
def test_bench_says_why_it_did_not_measure(url: str, words: str) -> None:
    there, _, err = opened()

    assert there.bench({**SAID, "url": url}, as_json=False) == 1
    assert words in err.getvalue()
