"""`python -m tests.spec`: every operation of OpenAI's API, straight and through the gateway.

The upstream is a server that knows nothing but OpenAI's specification: it refuses what does not
fit and makes up what an operation answers. Each operation is asked with as little as it takes, with
all it knows, in every form it reads, and for its events; what comes through the gateway must be
what comes straight. Each must have been understood at least once: a refusal proves little.

Exit codes: 0 all is well, 1 something differs, 2 it could not be tried.
"""

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.clients.places import Missing
from tests.clients.stage import CONFIGURATION, gateway
from tests.spec.exchange import ask, difference
from tests.spec.operations import Operation, operations, requests
from tests.spec.places import answering, prepared
from tests.spec.samples import Schema

PLACE = Path("build/spec")
REFUSED = 400


class Verdict(NamedTuple):
    """What came of one operation: requests sent, those understood, and what differs."""

    operation: Operation
    sent: int
    understood: int
    found: tuple[str, ...]


def main() -> int:
    """Prepare, ask, report."""
    options = _options()
    try:
        verdicts = _tried(options.place.resolve(), options.only)
    except subprocess.CalledProcessError as problem:
        _say(f"{' '.join(problem.cmd)}\n{problem.stderr or problem.stdout}")
        return 2
    except (Missing, RuntimeError, subprocess.TimeoutExpired) as problem:
        _say(str(problem))
        return 2
    _say("\n".join(_report(verdicts)))
    return 1 if any(verdict.found for verdict in verdicts) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.spec", description=__doc__)
    parser.add_argument("--only", default="", help="only operations with this in their path")
    parser.add_argument("--place", type=Path, default=PLACE, help="where what it needs is kept")
    return parser.parse_args()


def _tried(place: Path, only: str) -> list[Verdict]:
    spec = prepared(place)
    with tempfile.TemporaryDirectory(prefix="tiergate-spec-") as name:
        scratch = Path(name)
        configuration = scratch / "tiergate.yaml"
        configuration.write_text(CONFIGURATION)
        with (
            answering(place, scratch / "upstream.log") as straight,
            gateway(configuration, straight, scratch / "gateway.log") as url,
        ):
            wanted = (each for each in operations(spec) if only in each.path)
            return [_verdict(spec, operation, straight, url) for operation in wanted]


def _verdict(spec: Schema, operation: Operation, straight: str, url: str) -> Verdict:
    sent = understood = 0
    found = []
    for request in requests(spec, operation):
        direct, through = ask(straight, request), ask(url, request)
        sent += 1
        understood += direct.status < REFUSED
        if verdict := difference(operation, direct, through):
            found.append(f"{operation}, {request.variant}: {verdict}")
    if not understood:
        found.append(f"{operation}: never understood")
    return Verdict(operation, sent, understood, tuple(found))


def _report(verdicts: list[Verdict]) -> Iterator[str]:
    areas: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        yield from verdict.found
        counts = areas.setdefault(verdict.operation.area, Counter())
        counts["operations"] += 1
        counts["sent"] += verdict.sent
        counts["understood"] += verdict.understood
    columns = ("operations", "sent", "understood")
    yield f"{'area':16}" + "".join(f"{column:>12}" for column in columns)
    for area in sorted(areas):
        yield f"{area:16}" + "".join(f"{areas[area][column]:12}" for column in columns)
    total = sum(areas.values(), Counter[str]())
    yield f"{'all':16}" + "".join(f"{total[column]:12}" for column in columns)
    failed = sum(bool(verdict.found) for verdict in verdicts)
    yield f"{len(verdicts) - failed} passed, {failed} failed"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
