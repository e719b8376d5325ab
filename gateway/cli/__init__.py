"""The command line. Answers `version` at once, and loads the rest only when it is asked for.

Building options takes typer a fifth of a second; scripts and probes ask for the version a thousand
times a day. What cannot be written (a closed pipe, a full disk, a terminal that lacks a character)
never ends in a traceback.
"""

import io
import os
import platform
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import NoReturn

from gateway import __version__


def main() -> None:
    """Run the command that was typed."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As standard error does: `\u2192` where the terminal has no arrow.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            _run()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # `tiergate … | head`: whoever read has seen enough.
        _unwritten()
    except OSError as error:
        sys.stderr.write(f"error: {error}\n")
        _unwritten()


def _run() -> None:
    if sys.argv[1:] in (["version"], ["--version"]):
        sys.stdout.write(f"{version()}\n")
    else:
        # Imported late: see above.
        import_module("gateway.cli.commands").run()


def _unwritten() -> NoReturn:
    # What is still in the buffer would fail once more when the interpreter ends.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    sys.exit(1)


def version() -> str:
    """The version, and what it runs on."""
    # Found, not loaded: that is most of the time this takes.
    made = "compiled" if find_spec("gateway.classify._swift") else "uncompiled"
    return f"tiergate {__version__} (Python {platform.python_version()}, {made})"
