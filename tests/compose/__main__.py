"""`python -m tests.compose`: the compose stack on a real Docker Engine.

With an engine that runs already (`docker info`, `docker compose version`) that one is used, and it
gets its images wherever it gets them. Without one, on Debian and as root, an engine is set up from
Debian's packages with stand-ins for the images of others; it lives in a network namespace of its
own and is gone afterwards. `--place` keeps what took long to make.

Exit codes: 0 all is well, 1 a promise is broken, 2 it could not be tried.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from tests.compose.checks import ONE_GATEWAY, Check
from tests.compose.engine import BUILDING, SERVING, Engine, ours, theirs
from tests.compose.machine import prepare, running_engine
from tests.compose.replicas import SEVERAL
from tests.compose.shell import CannotTry, run, say, timed
from tests.compose.stack import Stack
from tests.compose.standins import provide

PLACE = Path("build/compose")
# Building in an engine without a bridge: the build shares the machine's network.
BUILD = "services:\n  gateway:\n    build:\n      network: host\n"


def main() -> int:
    """Prepare, play, report."""
    signal.signal(signal.SIGTERM, _leave)
    options = _options()
    try:
        if options.inside:
            return _play_inside(options.place)
        if running_engine():
            return _play_there()
        return _set_up(options.place)
    except CannotTry as reason:
        say(str(reason))
        return 2
    except KeyboardInterrupt:
        return 2


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.compose", description=__doc__)
    parser.add_argument("--place", type=Path, default=PLACE, help="where an engine of ours lives")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _play_there() -> int:
    engine = theirs()
    with timed("build"):
        Stack(engine).compose("build", "gateway")
    return _play(engine)


def _set_up(place: Path) -> int:
    """Build here, then play in a network namespace of its own."""
    place.mkdir(parents=True, exist_ok=True)
    prepare(place)
    override = place / "build.yml"
    override.write_text(BUILD)
    with ours(place, BUILDING) as engine:
        provide(engine, place)
        with timed("build"):
            Stack(engine, ("docker-compose.yml", str(override))).compose("build", "gateway")
    inside = [sys.executable, "-m", "tests.compose", "--inside", "--place", str(place)]
    return subprocess.run(["unshare", "--net", *inside], check=False).returncode  # noqa: S603, S607 - our own command


def _play_inside(place: Path) -> int:
    run(["ip", "link", "set", "lo", "up"])
    with ours(place, SERVING) as engine:
        return _play(engine)


def _play(engine: Engine) -> int:
    failed = 0
    with _cleared(Stack(engine)) as stack:
        checks: tuple[Check, ...] = (*ONE_GATEWAY, *SEVERAL)
        for check in checks:
            failed += not _holds(check, stack)
    sys.stdout.write(f"{len(checks) - failed} passed, {failed} failed\n")
    return 1 if failed else 0


@contextmanager
def _cleared(stack: Stack) -> Iterator[Stack]:
    """Nothing of an earlier try is there, and nothing stays."""
    stack.down("--volumes")
    try:
        yield stack
    finally:
        stack.down("--volumes")


def _holds(check: Check, stack: Stack) -> bool:
    name = check.__name__.replace("_", " ")
    try:
        measured = check(stack)
    except (AssertionError, RuntimeError, OSError, subprocess.TimeoutExpired) as problem:
        sys.stdout.write(f"{name:20} FAILED: {problem}\n")
        with suppress(RuntimeError):
            say(stack.compose("ps", "--all", profiles=("demo", "scale")))
            say(stack.compose("logs", "--tail", "15", profiles=("demo", "scale")))
        return False
    sys.stdout.write(f"{name:20} ok: {measured}\n")
    sys.stdout.flush()
    return True


def _leave(number: int, frame: FrameType | None) -> None:
    """SIGTERM unwinds like any other end, so that the engine is ended as well."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    os.environ.setdefault("COMPOSE_ANSI", "never")
    sys.exit(main())
