"""`python -m tests.boards`: no board has a panel that stays empty.

Real traffic goes through a real gateway before the simulation, scraped by a real Prometheus with
the project's own rules; then every query of every panel and alert is asked and must find something.
On a calm day only those panels may be empty that say what that means. Then ten
thousand names that nobody has met must leave the page of metrics small and quick. The boards are
also checked against Grafana's own types.

Exit codes: 0 all is well, 1 something is empty or wrong, 2 it could not be tried.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType

import httpx

from gateway.observe.families import FAMILIES
from tests.boards import hostile, queries, schema, traffic
from tests.boards.queries import Asked
from tests.boards.stage import gateway, prometheus
from tests.compose.shell import CannotTry, say, timed

PLACE = Path("build/boards")
# Within this everything has happened, was looked at twice, and was recorded.
SETTLE_SECONDS = 40.0
POLL_SECONDS = 1.0


def main() -> int:
    """Check the types, play, ask, report."""
    signal.signal(signal.SIGTERM, _leave)
    options = _options()
    boards = queries.boards()
    asked = [*queries.of_panels(boards), *queries.of_alerts()]
    try:
        tried, problems = _play(asked, unbuilt_allowed=options.allow_unbuilt)
        if not options.no_types:
            tried += len(boards)
            problems += schema.complaints(boards, options.place)
    except CannotTry as reason:
        say(str(reason))
        return 2
    except KeyboardInterrupt:
        return 2
    for line in problems:
        sys.stdout.write(f"{line}\n")
    failed = len(problems)
    sys.stdout.write(f"{max(tried - failed, 0)} passed, {failed} failed\n")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.boards", description=__doc__)
    parser.add_argument("--place", type=Path, default=PLACE, help="where the compiler lives")
    parser.add_argument("--no-types", action="store_true", help="do not check Grafana's types")
    parser.add_argument(
        "--allow-unbuilt",
        action="store_true",
        help="leave out queries for families that this gateway does not have",
    )
    return parser.parse_args()


def _play(asked: list[Asked], *, unbuilt_allowed: bool) -> tuple[int, list[str]]:
    """How many queries were asked, and what was wrong."""
    with tempfile.TemporaryDirectory(prefix="tiergate-boards-") as name:
        place = Path(name)
        with (
            gateway(place) as (gate, key),
            prometheus(place, gate.base_url.netloc.decode()) as watch,
        ):
            if unbuilt_allowed:
                asked = list(_built(asked))
            always = [each for each in asked if not each.may_be_empty]
            with timed("a calm day"), traffic.flowing(traffic.calm(gate)):
                calm = _asked("calm", watch, always)
            with timed("a bad day"), traffic.flowing(traffic.bad(gate, key)):
                bad = _asked("bad", watch, asked)
            with timed("10,000 hostile names"):
                told, hostile_ones = hostile.complaints(gate)
            say(f"  {told}")
            problems = [*calm, *bad, *_unwell(watch), *hostile_ones]
            return len(always) + len(asked) + 1, problems


def _built(asked: Iterable[Asked]) -> Iterator[Asked]:
    """Those whose families exist, recorded ones included; what is left out is told."""
    there = {family.name for family in FAMILIES}
    for each in asked:
        missing = queries.families(each.query) - there
        if missing:
            say(f"  left out: {each.where} ({', '.join(sorted(missing))})")
        else:
            yield each


def _asked(day: str, watch: httpx.Client, asked: list[Asked]) -> list[str]:
    """What still finds nothing when there was time for everything to be seen."""
    end = time.perf_counter() + SETTLE_SECONDS
    while True:
        problems = [
            f"{day}: {each.where}: {problem}: {each.query}"
            for each in asked
            if (problem := queries.answered(watch, each))
        ]
        if not problems or time.perf_counter() > end:
            return problems
        time.sleep(POLL_SECONDS)


def _unwell(watch: httpx.Client) -> list[str]:
    """Rules that Prometheus could not evaluate."""
    groups = watch.get("/api/v1/rules").json()["data"]["groups"]
    return [
        f"rule {rule['name']}: {rule['lastError']}"
        for group in groups
        for rule in group["rules"]
        if rule["health"] == "err"
    ]


def _leave(number: int, frame: FrameType | None) -> None:
    """SIGTERM unwinds like any other end, so that processes are ended as well."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
