"""The systemd unit: accepted, patient with streams, confined."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.cli.work import BAD_CONFIGURATION
from gateway.settings.schema import Settings

UNIT = Path("deploy/systemd/tiergate.service")
TEXT = UNIT.read_text()
# Of ten; below two systemd calls it well confined.
MOST_EXPOSED = 2.0
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


def setting(name: str) -> str:
    (found,) = re.findall(rf"^{name}=(.*)$", TEXT, re.MULTILINE)
    return str(found)


def analyzed(*words: str) -> tuple[int, str]:
    ended = subprocess.run(  # noqa: S603 - made of constants and our own paths
        ["systemd-analyze", *words],  # noqa: S607 - wherever it is installed
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


@needs_systemd
def test_systemd_accepts_it(tmp_path: Path) -> None:
    # The program need not be installed for that.
    there = TEXT.replace("/opt/tiergate/bin/tiergate", str(shutil.which("true")))
    (tmp_path / UNIT.name).write_text(there)

    assert analyzed("verify", str(tmp_path / UNIT.name)) == (0, "")


@needs_systemd
def test_it_is_confined() -> None:
    _, said = analyzed("security", "--offline=true", str(UNIT.resolve()))
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)

    assert exposure is not None, said
    assert float(exposure[1]) < MOST_EXPOSED


def test_streams_in_flight_may_finish_before_it_is_killed() -> None:
    assert int(setting("TimeoutStopSec")) > Settings().server.drain


def test_a_configuration_that_cannot_be_used_is_not_tried_again() -> None:
    assert int(setting("RestartPreventExitStatus")) == BAD_CONFIGURATION
