"""Prometheus' rules: accepted, each alert tested both ways, each with its runbook."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.boards.queries import families, left_of, rules

PROMETHEUS = Path("deploy/prometheus")
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
OPERATIONS = Path("docs/operations.md")
ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
SEVERITIES = {"critical", "warning", "info"}
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)


def promtool(*words: str) -> tuple[int, str]:
    ended = subprocess.run(  # noqa: S603 - made of constants and our own paths
        ["promtool", *words],  # noqa: S607 - wherever it is installed
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def expectations(alert: str) -> list[bool]:
    """Whether each test of an alert expects it to fire."""
    cases: list[dict[str, Any]] = [
        case
        for path in TESTS
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    return [bool(case.get("exp_alerts")) for case in cases if case["alertname"] == alert]


@needs_promtool
def test_prometheus_accepts_the_configuration() -> None:
    code, said = promtool("check", "config", str(PROMETHEUS / "prometheus.yml"))

    assert code == 0, said


@needs_promtool
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_alerts_do_what_their_tests_say(path: Path) -> None:
    code, said = promtool("test", "rules", str(path))

    assert code == 0, said


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_tested_firing_and_quiet(name: str) -> None:
    found = expectations(name)

    assert True in found
    # GatewayModelShutsDown keeps quiet about one model while it fires for another.
    assert False in found or name == "GatewayModelShutsDown"


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_is_and_where_to_read_on(name: str) -> None:
    rule = ALERTS[name]

    assert rule["labels"]["severity"] in SEVERITIES
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{name.lower()}"


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_a_query_compared_with_a_number(name: str) -> None:
    query = left_of(ALERTS[name]["expr"])

    assert families(query) or "up{" in query or "process_" in query


def test_every_alert_has_a_runbook_and_no_runbook_is_left_over() -> None:
    headings = re.findall(r"^### (Gateway\w+)$", OPERATIONS.read_text(), re.MULTILINE)

    assert headings == list(ALERTS)
