"""The load generator as a function: `Load` in, `Run` out."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.tools import BenchError

GRACE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """What to send.

    `rate` calls a second arrive at random (0: every connection sends again at once); `warm`
    seconds are not counted; `spread` seconds lie between the first and the last connection's
    first call; `seeds` different texts (0: each call its own); `match` is looked for in the heads
    of replies; `headers` are further lines of every head.
    """

    bodies: tuple[Path, ...]
    connections: int
    seconds: float
    warm: float = 0.3
    rate: float = 0.0
    spread: float = 0.0
    seeds: int = 0
    match: str = ""
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Times:
    """Microseconds."""

    mean: float
    p50: float
    p90: float
    p99: float
    p999: float
    max: float


@dataclass(frozen=True, slots=True)
class Run:
    """What came back.

    `calls` counts all replies, warm-up included, `replies` parts of replies as well, `measured`
    those after the warm-up; `rate` is measured calls a second; `failed` counts replies that were
    not 200, lost connections and calls that still waited at the end of an open loop.
    """

    calls: int
    replies: float
    measured: int
    rate: float
    failed: int
    matched: int
    latency: Times
    ttft: Times
    gap: Times


@dataclass(frozen=True, slots=True)
class Generator:
    """The compiled generator, pinned to its core."""

    program: Path
    taskset: str
    core: int

    def run(self, port: int, load: Load) -> Run:
        """Put the load on a port of the loopback interface.

        Raises:
            BenchError: when nothing answers there.
        """
        with self.beside(port, load) as process:
            return self.collect(process, load)

    @contextmanager
    def beside(self, port: int, load: Load) -> Iterator[subprocess.Popen[str]]:
        """Put the load on a port while something else goes on; ends it on leaving."""
        process = subprocess.Popen(  # noqa: S603 - our own program
            self._command(port, load), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def _command(self, port: int, load: Load) -> list[str]:
        command = [self.taskset, "-c", str(self.core), str(self.program), "-p", str(port)]
        command += [f"-c{load.connections}", f"-d{load.seconds}", f"-w{load.warm}"]
        command += [f"-r{load.rate}", f"-s{load.spread}", f"-V{load.seeds}"]
        for body in load.bodies:
            command += ["-b", str(body)]
        for header in load.headers:
            command += ["-H", header]
        return [*command, "-m", load.match] if load.match else command

    def collect(self, process: subprocess.Popen[str], load: Load) -> Run:
        """Wait for the end of a load and read what came back.

        Raises:
            BenchError: when the generator gave up or most calls failed.
        """
        output, complaint = process.communicate(timeout=load.seconds + load.warm + GRACE_SECONDS)
        if process.returncode:
            message = f"the load generator gave up: {complaint.strip()}"
            raise BenchError(message)
        run = _read(json.loads(output))
        if not run.measured or run.failed > run.calls / 2:
            message = f"most calls failed ({run.failed} of {run.calls}): {complaint.strip()}"
            raise BenchError(message)
        return run


def _read(printed: Mapping[str, Any]) -> Run:
    return Run(
        calls=printed["all"],
        replies=printed["replies"],
        measured=printed["done"],
        rate=printed["rate"],
        failed=printed["bad"] + printed["lost"] + printed["waiting"],
        matched=printed["matched"],
        latency=Times(**printed["latency"]),
        ttft=Times(**printed["ttft"]),
        gap=Times(**printed["gap"]),
    )
