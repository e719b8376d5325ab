"""Whatever becomes of the output, a command ends with a code and without a traceback."""

import io
import os
import sys
from pathlib import Path

import pytest

from gateway import cli

FULL = Path("/dev/full")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command line of this process."""
    line = ["tiergate", "version"]
    monkeypatch.setattr(sys, "argv", line)
    return line


@pytest.mark.parametrize("command", [["version"], ["schema"], ["--help"]])
def test_a_reader_that_has_seen_enough_ends_the_command_quietly(
    typed: list[str],
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    typed[1:] = command

    with os.fdopen(writing, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        with pytest.raises(SystemExit) as ended:
            cli.main()

    assert ended.value.code == 1
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")
@pytest.mark.usefixtures("typed")
def test_a_full_disk_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FULL.open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        with pytest.raises(SystemExit) as ended:
            cli.main()

    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: [Errno 28] No space left on device\n"


def test_what_a_terminal_cannot_show_is_spelled(
    typed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = io.BytesIO()
    typed[1:] = ["schema", "--markdown"]
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(kept, encoding="ascii"))

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == 0
    assert b"\\u2013" in kept.getvalue()
