"""The commands read the settings, tell what is wrong, and hand over to the product."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from gateway.cli.work import Desk, here
from tests.cli.noted import EXPLANATION, NotedProduct

KEY = {"OPENAI_API_KEY": "sk-abc"}


@dataclass
class Office:
    """A desk whose product, output and complaints can be looked at."""

    desk: Desk
    product: NotedProduct
    out: io.StringIO
    err: io.StringIO


Open = Callable[..., Office]


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def office() -> Open:
    def opened(environ: Mapping[str, str], *, refuses: bool = False, stdin: str = "") -> Office:
        product, out, err = NotedProduct(refuses), io.StringIO(), io.StringIO()
        desk = Desk(
            product=lambda: product,
            environ=environ,
            today=lambda: date(2026, 11, 1),
            out=Console(file=out, width=100),
            err=Console(file=err, width=40),
            stdin=io.StringIO(stdin),
        )
        return Office(desk, product, out, err)

    return opened


def test_serve_hands_over_what_was_configured_and_typed(office: Open) -> None:
    there = office(KEY)

    code = there.desk.serve(
        None,
        {
            "GATEWAY_SERVER_HOST": "::",
            "GATEWAY_SERVER_PORT": 9,
            "GATEWAY_SIMULATE_ENABLED": True,
            "GATEWAY_SERVER_WORKERS": None,
        },
    )

    (settings,) = there.product.served
    assert code == 7
    assert (settings.server.host, settings.server.port) == ("::", 9)
    assert settings.simulate.enabled


def test_serve_leaves_alone_what_was_not_typed(office: Open) -> None:
    there = office(KEY | {"GATEWAY_SERVER_PORT": "81"})

    there.desk.serve(None, {})

    assert there.product.served[0].server.port == 81
    assert not there.product.served[0].simulate.enabled


def test_serve_warns_on_standard_error_and_serves_all_the_same(office: Open) -> None:
    there = office(KEY)

    there.desk.serve(None, {})

    (warning,) = there.err.getvalue().splitlines()
    assert warning.startswith("warning: gpt-4.1-nano (tier nano) was switched off on 2026-10-23.")
    assert there.out.getvalue() == ""


def test_a_bad_configuration_is_told_line_by_line_and_nothing_starts(office: Open) -> None:
    there = office(KEY)
    Path("bad.yaml").write_text("server:\n  prot: 1\n  drain: x\n")
    Path("worse.yaml").write_text("a: [\n")

    codes = [
        there.desk.serve(Path("bad.yaml"), {}),
        there.desk.demo(Path("bad.yaml"), url=None, seconds=None, rate=1.0),
        there.desk.route(Path("bad.yaml"), "Hello", model="auto", as_json=False),
        there.desk.check(Path("worse.yaml")),
    ]

    assert codes == [78, 78, 78, 78]
    assert (there.product.served, there.product.demos, there.product.bodies) == ([], [], [])
    lines = there.err.getvalue().splitlines()
    assert lines[0] == "error: bad.yaml:2: server.prot: is no setting (did you mean `port`?)"
    assert lines[1].startswith("error: bad.yaml:3: server.drain: must be a duration")
    assert lines[2] == "2 mistakes in the configuration."
    assert lines[-1] == "1 mistake in the configuration."


def test_demo_needs_no_key_even_with_a_file(office: Open) -> None:
    there = office({})
    Path("tiergate.yaml").write_text("server: {port: 5}")

    code = there.desk.demo(None, url=None, seconds=2.0, rate=9.0)

    ((settings, seconds, rate),) = there.product.demos
    assert (code, seconds, rate) == (0, 2.0, 9.0)
    assert (settings.simulate.enabled, settings.server.port) == (True, 5)


def test_check_shows_what_the_configuration_means(office: Open) -> None:
    there = office(KEY)
    Path("tiergate.yaml").write_text("catalog: {preset: gpt-5.4, tiers: {nano: gpt-4.1-nano}}")

    code = there.desk.check(None)

    text = there.out.getvalue()
    assert code == 0
    assert "The configuration is good (tiergate.yaml)" in text
    assert "listens on 127.0.0.1:8080, upstream real" in text
    assert [line.split() for line in text.splitlines()[-3:]] == [
        ["nano", "nano", "gpt-4.1-nano", "0.1/0.025/0.4", "1,048k", "2026-10-23", HOST],
        ["mini", "mini", "gpt-5.4-mini", "0.75/0.075/4.5", "272k", "–", HOST],
        ["full", "full", "gpt-5.4", "2.5/0.25/15", "272k", "–", HOST],
    ]
    assert "warning: gpt-4.1-nano" in there.err.getvalue()


HOST = "api.openai.com"


def test_check_says_when_everything_is_simulated(office: Open) -> None:
    there = office({})

    code = there.desk.check(None)

    text = there.out.getvalue()
    assert code == 0
    assert "no file: the environment and defaults" in text
    assert text.count("simulated") == 4


def test_route_asks_for_the_prompt_and_shows_every_candidate(office: Open) -> None:
    there = office({})

    code = there.desk.route(None, "What is 2+2?", model="auto:floor", as_json=False)

    assert code == 0
    assert there.product.bodies == [
        {"model": "auto:floor", "messages": [{"role": "user", "content": "What is 2+2?"}]}
    ]
    text = there.out.getvalue()
    assert "mini (gpt-4.1-mini), 1,234 prompt tokens" in text
    assert "because mini promises +0.12 quality over nano" in text
    assert "signals: code" in text
    assert "because code" not in text
    rows = [line.split("  ") for line in text.splitlines()[-3:]]
    assert [[cell.strip() for cell in row if cell] for row in rows] == [
        [
            "nano",
            "gpt-4.1-nano",
            "a larger model promises more",
            "0.60",
            "$0.00001",
            "400 ms",
            "2.3 s",
        ],
        ["→ mini", "gpt-4.1-mini", "chosen", "0.60", "$0.00012", "400 ms", "2.3 s"],
        ["full", "gpt-4.1", "prompt over its [window]", "0.60", "$0", "400 ms", "2.3 s"],
    ]


def test_route_hands_over_what_a_caller_would_say(office: Open) -> None:
    there = office({})
    said = ["x-gateway-quality: 0.9", "X-Gateway-Max-Cost-USD:0.01"]

    there.desk.route(None, "Hello", model="auto", as_json=False, headers=said)

    assert there.product.headers == [{"x-gateway-quality": "0.9", "X-Gateway-Max-Cost-USD": "0.01"}]


def test_route_refuses_a_header_that_is_none(office: Open) -> None:
    there = office({})

    code = there.desk.route(None, "Hello", model="auto", as_json=False, headers=["quality"])

    assert code == 2
    assert "write it as `name: value`" in there.err.getvalue()
    assert there.product.bodies == []


@pytest.mark.parametrize(("typed", "stdin"), [("caf\udce9", ""), ("-", "caf\udce9")])
def test_route_refuses_what_is_no_text(office: Open, typed: str, stdin: str) -> None:
    there = office({}, stdin=stdin)

    assert there.desk.route(None, typed, model="auto", as_json=False) == 2
    assert "not UTF-8 text" in there.err.getvalue()
    assert there.product.bodies == []


def test_route_reads_a_long_prompt_from_the_input(office: Open) -> None:
    there = office({}, stdin="from the pipe\n")

    there.desk.route(None, "-", model="auto", as_json=False)

    assert there.product.bodies[0]["messages"][0]["content"] == "from the pipe\n"


def test_route_prints_nothing_but_json_when_asked(office: Open) -> None:
    there = office({})

    there.desk.route(None, "Hello", model="auto", as_json=True)

    assert json.loads(there.out.getvalue()) == EXPLANATION


def test_route_says_why_nothing_can_answer(office: Open) -> None:
    there = office({}, refuses=True)

    code = there.desk.route(None, "Hello", model="auto", as_json=False)

    assert code == 1
    assert there.err.getvalue() == "error: No tier can answer this call within its limits.\n"


def test_signals_are_left_out_when_there_are_none(
    office: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = office({})
    monkeypatch.setitem(EXPLANATION, "signals", [])

    there.desk.route(None, "Hello", model="auto", as_json=False)

    assert "signals" not in there.out.getvalue()


def test_the_references_are_printed(office: Open) -> None:
    schema, reference = office({}), office({})

    codes = [schema.desk.schema(markdown=False), reference.desk.schema(markdown=True)]

    assert codes == [0, 0]
    assert json.loads(schema.out.getvalue())["title"] == "Tiergate configuration"
    assert reference.out.getvalue().startswith("# Configuration\n")


def test_a_key_is_never_shown(office: Open) -> None:
    there = office(KEY)

    there.desk.check(None)
    there.desk.serve(None, {})

    told = there.out.getvalue() + there.err.getvalue() + repr(there.product.served)
    assert "sk-abc" not in told
    assert "sk-abc" not in there.product.served[0].model_dump_json()


def test_the_desk_of_this_process_looks_at_todays_date() -> None:
    assert here().today() >= date(2025, 1, 1)
