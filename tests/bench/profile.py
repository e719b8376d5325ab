"""`python -m tests.bench.profile`: where the gateway's time goes when 32 callers are routed.

Prints functions by their own time, with the time of all they call beside it. By default the
gateway is sampled, which hardly disturbs it; `--calls` counts every call with cProfile instead:
use it for call counts and C functions, not for proportions.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench import bodies
from tests.bench.generator import Generator, Load, Run
from tests.bench.sampler import Row
from tests.bench.scenarios import CALLERS, MICRO, STREAMS
from tests.bench.targets import ROOT, Programs, bystanders, gateway, started
from tests.bench.tools import BenchError, build, pick_cores, programs

CALLERS_OF = {"routed": CALLERS, "pinned": CALLERS, "streamed": STREAMS, "huge": 1}


@dataclass(frozen=True, slots=True)
class Line:
    """A function: microseconds a call of the gateway, its own and with all it calls."""

    function: str
    own: float
    within: float
    times: float = 0.0


def main() -> int:
    """Start, load, stop, print."""
    options = _options()
    try:
        with tempfile.TemporaryDirectory(prefix="tiergate-profile-") as place:
            run, lines = _profiled(options, Path(place))
    except BenchError as problem:
        sys.stderr.write(f"profile: {problem}\n")
        return 2
    lines.sort(key=lambda line: line.within if options.cumulative else line.own, reverse=True)
    title = f"{run.replies:,.0f} calls, {sum(line.own for line in lines):.1f} µs each in all"
    out = [title, f"{'own µs':>8} {'within µs':>10} {'times':>7}  function"]
    for line in lines[: options.top]:
        times = f"{line.times:7.2f}" if line.times else " " * 7
        out.append(f"{line.own:8.2f} {line.within:10.2f} {times}  {line.function}")
    sys.stdout.write("\n".join(out) + "\n")
    return 0


def _profiled(options: argparse.Namespace, place: Path) -> tuple[Run, list[Line]]:
    found = programs()
    cores = pick_cores()
    upstream, load = build(found["gcc"], place)
    made = Programs(upstream, found["nginx"], found["taskset"], cores, place)
    written = bodies.write(place)
    seen = place / "profile"
    how = "calls" if options.calls else "sample"
    before = ("-m", "tests.bench.sampler", str(seen), how, "gateway")
    files: tuple[Path, ...] = getattr(written, options.scenario)
    callers = CALLERS_OF[options.scenario]
    wanted = Load(files, callers, options.seconds, seeds=int(options.cached))
    with ExitStack() as stack:
        far, _ = stack.enter_context(bystanders(made))
        server = stack.enter_context(started(made, gateway(made, far, before)))
        os.kill(server.pid, signal.SIGUSR2)
        before_load = server.cpu()
        run = Generator(load, found["taskset"], cores.tools).run(server.port, wanted)
        spent = server.cpu() - before_load
    if not seen.exists():
        message = "the gateway ended without a profile: it did not stop on SIGTERM in time"
        raise BenchError(message)
    return run, _lines(json.loads(seen.read_text()), spent / run.replies * MICRO, run)


def _lines(rows: list[Row], cpu: float, run: Run) -> list[Line]:
    """Share out the CPU time of a call among what was seen."""
    scale = cpu / sum(row[3] for row in rows)
    return [
        Line(_name(file, line, function), own * scale, within * scale, times / run.replies)
        for file, line, function, own, within, times in rows
    ]


def _name(file: str, line: int, function: str) -> str:
    if not line:
        return function
    short = file.removeprefix(f"{ROOT}/")
    for library in ("/site-packages/", "/lib/python"):
        short = short.rpartition(library)[2]
    return f"{short}:{line} {function}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.profile", description=__doc__)
    parser.add_argument("scenario", nargs="?", default="routed", choices=CALLERS_OF)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--top", type=int, default=40, help="how many functions to print")
    parser.add_argument("--cumulative", action="store_true", help="order by time within")
    parser.add_argument("--cached", action="store_true", help="repeat the same calls: cache hits")
    parser.add_argument("--calls", action="store_true", help="count calls with cProfile")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
