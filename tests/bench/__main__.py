"""`python -m tests.bench`: the gateway against nginx, in one run, on one machine.

The gateway and nginx run on one core, the upstream and the load generator on another. Refuses to
compare with figures of another day or machine: only ratios within one run are worth anything.

Exit codes: 0 done, 1 a bar was clearly missed (`--check`), 2 the benchmark could not run.
"""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from tests.bench import report
from tests.bench.run import SCENARIOS, Order, measure
from tests.bench.scenarios import FULL, QUICK
from tests.bench.targets import Programs
from tests.bench.tools import BenchError, build, pick_cores, programs

NOISY = 0.15


def main() -> int:
    """Run, print, save, judge."""
    signal.signal(signal.SIGTERM, _leave)
    options = _options()
    began = time.perf_counter()
    try:
        results, about = _measure(options)
    except BenchError as problem:
        _say(f"bench: {problem}")
        return 2
    except KeyboardInterrupt:
        _say("bench: interrupted")
        return 2
    about |= {"mode": "quick" if options.quick else "full", "seconds": time.perf_counter() - began}
    sys.stdout.write("\n" + report.table(results))
    report.save(options.output, results, about)
    _say(f"\n{options.output} written after {about['seconds']:.0f} s")
    others = results["run"]["others_share"] + results["run"]["stolen_share"]
    if others > NOISY:
        _say(f"others used {others:.0%} of the machine meanwhile: expect noise")
    broken = report.missed(results)
    for sentence in broken:
        _say(f"missed: {sentence}")
    return 1 if broken and options.check else 0


def _measure(options: argparse.Namespace) -> tuple[report.Results, dict[str, object]]:
    found = programs()
    cores = pick_cores()
    if cores.shared:
        _say("only one core may be used: the tools disturb what they measure")
    with tempfile.TemporaryDirectory(prefix="tiergate-bench-") as name:
        place = Path(name)
        upstream, load = build(found["gcc"], place)
        made = Programs(
            upstream=upstream,
            nginx=found["nginx"],
            taskset=found["taskset"],
            cores=cores,
            place=place,
            command=options.command,
        )
        order = Order(QUICK if options.quick else FULL, tuple(options.only))
        return measure(order, made, load, _say), report.machine(found["nginx"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("output", nargs="?", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--quick", action="store_true", help="half a minute instead of three")
    parser.add_argument("--check", action="store_true", help="fail when a bar is clearly missed")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=[], metavar="SCENARIO")
    parser.add_argument(
        "--command",
        default="",
        help="measure another server in the gateway's place; {port} and {upstream} are filled in",
    )
    return parser.parse_args()


def _leave(number: int, frame: FrameType | None) -> None:
    """SIGTERM unwinds like any other end, so that servers are ended as well."""
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
