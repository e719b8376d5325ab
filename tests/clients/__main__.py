"""`python -m tests.clients`: real clients, straight to an upstream and through the gateway.

Each client plays the same cases against a simulated upstream and against a gateway before it, with
the model named (`named`) and routed (`routed`); what it got is compared. Where the client hangs up
or loses patience, the upstream must notice.

Exit codes: 0 all is well, 1 something differs, 2 it could not be tried.
"""

import argparse
import json
import logging
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from tests.clients.judge import difference, model_of, stem, surprise
from tests.clients.places import CLIENTS, MINI, ROOT, Client, Missing, prepare, renew_pins
from tests.clients.stage import CONFIGURATION, Watch, gateway, upstream

PLACE = Path("build/clients")
PLAY_SECONDS = 240
# How many clients play at a time, each before an upstream and a gateway of its own.
LANES = 2
DIRECT = ("gpt-4.1-nano", MINI, "gpt-4.1")
# Cases in which the client leaves before its answer is whole.
LEAVING = ("timeout", "stream_timeout", "hang_up", "async_hang_up")
# What a routed call has nothing to add to, and what the other direct runs are not compared for.
NOT_ROUTED = ("unknown_model", "responses_unknown_model", "models")
NOT_DIRECT = (*NOT_ROUTED, "too_long", "rate_limited")
# A 16 × 16 picture.
IMAGE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mNQSDhAEm"
    "IY1TCqYfhqAAB/t0AQzUKeVwAAAABJRU5ErkJggg=="
)


@dataclass
class Outcome:
    """One client's verdicts, `{run: {case: what differs}}`, or why there are none."""

    client: Client
    found: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: str = ""


@dataclass(frozen=True)
class Scene:
    """Where the upstream and the gateway are, and what the upstream noticed."""

    upstream: str
    gateway: str
    watch: Watch

    def runs(self, client: Client) -> Iterator[dict[str, Any]]:
        """What a client is to play."""
        direct = self.gateway if client.speaks == "messages" else self.upstream
        for model in DIRECT:
            skip = () if model == MINI else NOT_DIRECT
            yield _run(client, model, direct, model, skip)
        yield _run(client, "named", self.gateway, client.named, ())
        yield _run(client, "routed", self.gateway, "auto", NOT_ROUTED)


def _run(client: Client, name: str, url: str, model: str, skip: tuple[str, ...]) -> dict[str, Any]:
    return {"name": name, "url": url, "model": model, "mark": client.name, "skip": skip}


def main() -> int:
    """Prepare, play, judge, report."""
    signal.signal(signal.SIGTERM, _leave)
    # The upstream breaks replies on purpose, and its server complains of each.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    options = _options()
    wanted = [client for client in CLIENTS if options.only in client.name]
    try:
        if options.pins:
            renew_pins()
            return 0
        outcomes = _try(wanted, options.place.resolve())
    except subprocess.CalledProcessError as problem:
        _say(f"{' '.join(problem.cmd)}\n{problem.stderr or problem.stdout}")
        return 2
    except (Missing, RuntimeError, subprocess.TimeoutExpired) as problem:
        _say(str(problem))
        return 2
    except KeyboardInterrupt:
        return 2
    sys.stdout.write(_report(outcomes))
    skipped = any(outcome.skipped for outcome in outcomes)
    failed = any(any(cases.values()) for outcome in outcomes for cases in outcome.found.values())
    return 1 if failed else 2 if skipped and not options.allow_missing else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("--only", default="", help="only clients with this in their name")
    parser.add_argument("--place", type=Path, default=PLACE, help="where their environments are")
    parser.add_argument("--pins", action="store_true", help="renew the pins (needs uv), no more")
    parser.add_argument(
        "--allow-missing", action="store_true", help="do not fail when a tool is not installed"
    )
    return parser.parse_args()


def _try(clients: list[Client], place: Path) -> list[Outcome]:
    with tempfile.TemporaryDirectory(prefix="tiergate-clients-") as name:
        configuration = Path(name) / "tiergate.yaml"
        configuration.write_text(CONFIGURATION)
        waiting = list(reversed(clients))
        with ThreadPoolExecutor(LANES) as pool:
            logs = [Path(name) / f"log{lane}" for lane in range(LANES)]
            lanes = [pool.submit(_lane, waiting, place, configuration, log) for log in logs]
            outcomes = [outcome for lane in lanes for outcome in lane.result()]
    return sorted(outcomes, key=lambda outcome: clients.index(outcome.client))


def _lane(waiting: list[Client], place: Path, configuration: Path, log: Path) -> list[Outcome]:
    """Prepare and play one waiting client after another."""
    with (
        upstream(configuration) as (upstream_url, watch),
        gateway(configuration, upstream_url, log) as gateway_url,
    ):
        scene = Scene(upstream_url, gateway_url, watch)
        outcomes: list[Outcome] = []
        while waiting:
            client = waiting.pop()
            outcomes.append(_played(client, _prepared(client, place), scene))
        return outcomes


def _prepared(client: Client, place: Path) -> list[str] | str:
    try:
        return prepare(client, place)
    except Missing as missing:
        return str(missing)


def _played(client: Client, command: list[str] | str, scene: Scene) -> Outcome:
    if isinstance(command, str):
        return Outcome(client, skipped=command)
    _say(f"{client.name} …")
    plan = {"image": IMAGE, "runs": list(scene.runs(client))}
    played = subprocess.run(  # noqa: S603 - made of constants and our own paths
        command,
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        timeout=PLAY_SECONDS,
        check=False,
        cwd=ROOT,
    )
    if played.returncode:
        message = f"{client.name} ended with {played.returncode}:\n{played.stderr[-3000:]}"
        raise RuntimeError(message)
    return Outcome(client, _judged(client, json.loads(played.stdout), scene.watch))


def _judged(client: Client, results: dict[str, Any], watch: Watch) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"direct": {}, "named": {}, "routed": {}}
    for case in results[MINI]:
        found["direct"][case] = surprise(case, results[MINI][case]) or _noticed(
            client, MINI, case, watch
        )
    for run in ("named", "routed"):
        for case, through in results[run].items():
            model = model_of(through) if run == "routed" else MINI
            direct = results.get(model or MINI, {}).get(case, results[MINI][case])
            found[run][case] = difference(case, direct, through) or _noticed(
                client, run, case, watch
            )
    return found


def _noticed(client: Client, run: str, case: str, watch: Watch) -> str:
    if stem(case) not in LEAVING or watch.noticed(f"{client.name}/{run}/{case}"):
        return ""
    return "the upstream did not notice that the client left"


def _report(outcomes: list[Outcome]) -> str:
    lines: list[str] = []
    passed = failed = 0
    for outcome in outcomes:
        if outcome.skipped:
            lines.append(f"{outcome.client.name}: skipped, {outcome.skipped}")
            continue
        verdicts = [v for cases in outcome.found.values() for v in cases.values()]
        failed += sum(map(bool, verdicts))
        passed += sum(not verdict for verdict in verdicts)
        lines += _table(outcome)
    return "\n".join([*lines, f"{passed} passed, {failed} failed", ""])


def _table(outcome: Outcome) -> Iterator[str]:
    """A client's cases, and what differs."""
    runs = list(outcome.found)
    yield f"{outcome.client.name + ' ' + outcome.client.packages[0]:46}" + "".join(
        f"{run:>10}" for run in runs
    )
    for case in outcome.found["named"]:
        words = (_word(outcome.found[run].get(case)) for run in runs)
        yield f"  {case:44}" + "".join(f"{word:>10}" for word in words)
        for run in runs:
            if verdict := outcome.found[run].get(case):
                yield f"      {run}: {verdict}"


def _word(verdict: str | None) -> str:
    if verdict is None:
        return ""
    return "differs" if verdict else "ok"


def _leave(number: int, frame: FrameType | None) -> None:
    """SIGTERM unwinds like any other end, so that processes are ended as well."""
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
