"""Runs commands of others, and says what they said when they fail."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

MOST_SECONDS = 900
LAST_WORDS = 4000


class CannotTry(Exception):
    """This machine lacks something the proof needs; the message says what to do."""


def run(
    command: Sequence[str],
    *,
    environ: Mapping[str, str] | None = None,
    given: str | None = None,
    seconds: float = MOST_SECONDS,
) -> str:
    """Run a command and return what it printed.

    Raises:
        RuntimeError: it failed; with its last words.
    """
    ended = subprocess.run(  # noqa: S603 - made of constants and our own paths
        list(command),
        env=None if environ is None else dict(environ),
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if ended.returncode:
        words = (ended.stdout + ended.stderr)[-LAST_WORDS:]
        message = f"{' '.join(command)} ended with {ended.returncode}:\n{words}"
        raise RuntimeError(message)
    return ended.stdout


def succeeds(command: Sequence[str], *, environ: Mapping[str, str] | None = None) -> bool:
    """Whether a command ends well."""
    try:
        run(command, environ=environ, seconds=60)
    except (OSError, RuntimeError, subprocess.TimeoutExpired):
        return False
    return True


def say(text: str) -> None:
    """Tell whoever watches."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Tell how long something took."""
    began = time.perf_counter()
    yield
    say(f"  {time.perf_counter() - began:6.1f} s  {what}")
