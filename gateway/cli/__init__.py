"""The command line. Answers `version` at once, and loads the rest only when it is asked for.

Building options takes typer a fifth of a second; scripts and probes ask for the version a thousand
times a day.
"""

import platform
import sys
from importlib import import_module
from importlib.util import find_spec

from gateway import __version__


def main() -> None:
    """Run the command that was typed."""
    if sys.argv[1:] in (["version"], ["--version"]):
        sys.stdout.write(f"{version()}\n")
    else:
        # Imported late: see above.
        import_module("gateway.cli.commands").run()


def version() -> str:
    """The version, and what it runs on."""
    # Found, not loaded: that is most of the time this takes.
    made = "compiled" if find_spec("gateway.classify._swift") else "uncompiled"
    return f"tiergate {__version__} (Python {platform.python_version()}, {made})"
