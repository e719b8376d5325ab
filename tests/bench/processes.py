"""Servers under measurement: started in a session of their own, pinned, accounted, always ended.

CPU time and memory are those of every process in the session, read from /proc.
"""

import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench.tools import BenchError

START_SECONDS = 30.0
STOP_SECONDS = 5.0
POLL_SECONDS = 0.002
LOG_TAIL = 3000
TICKS = os.sysconf("SC_CLK_TCK")
MEBIBYTE = 1 << 20
# Positions in /proc/PID/stat, counted after the program's name and its closing bracket.
SESSION, UTIME, CSTIME = 3, 11, 15


@dataclass(frozen=True, slots=True)
class Memory:
    """Mebibytes: resident, and proportional (shared pages divided among their users)."""

    rss: float
    pss: float


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `started` is how many seconds it took to its first good answer."""

    name: str
    pid: int
    port: int
    started: float

    def cpu(self) -> float:
        """CPU seconds used so far, user and system, by the whole session."""
        total = 0
        for _, fields in self._processes():
            total += sum(int(ticks) for ticks in fields[UTIME:CSTIME])
        return total / TICKS

    def memory(self) -> Memory:
        """What the session holds in memory now."""
        rss = pss = 0
        for pid, _ in self._processes():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Rss:"):
                    rss += int(line.split()[1])
                elif line.startswith("Pss:"):
                    pss += int(line.split()[1])
        return Memory(rss * 1024 / MEBIBYTE, pss * 1024 / MEBIBYTE)

    def _processes(self) -> Iterator[tuple[int, list[str]]]:
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with suppress(FileNotFoundError, ProcessLookupError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[SESSION]) == self.pid:
                    yield int(entry.name), fields


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to start a server. `path` is asked for until it answers; `strict`: until it says 200."""

    name: str
    command: Sequence[str]
    port: int
    path: str = "/"
    strict: bool = False
    environ: Mapping[str, str] | None = None


@contextmanager
def running(recipe: Recipe, *, taskset: str, core: int, log: Path) -> Iterator[Server]:
    """Start a server on one core, wait until it answers, end its whole session afterwards.

    Raises:
        BenchError: when it ends or stays silent; with the last lines of its log.
    """
    command = [taskset, "-c", str(core), *recipe.command]
    began = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the caller's own command line
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=None if recipe.environ is None else dict(recipe.environ),
            start_new_session=True,
        )
    try:
        _wait_until_ready(recipe, process, log)
        yield Server(recipe.name, process.pid, recipe.port, time.perf_counter() - began)
    finally:
        _end(process)


def _wait_until_ready(recipe: Recipe, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.perf_counter() + START_SECONDS
    while not _answers(recipe):
        if process.poll() is None and time.perf_counter() < deadline:
            time.sleep(POLL_SECONDS)
            continue
        state = "does not answer" if process.poll() is None else "ended at once"
        tail = log.read_text(errors="replace")[-LOG_TAIL:]
        message = f"{recipe.name} {state}: {' '.join(recipe.command)}\n{tail}"
        raise BenchError(message)


def _answers(recipe: Recipe) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", recipe.port, timeout=5)
    try:
        connection.request("GET", recipe.path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return status == http.client.OK or not recipe.strict


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            break
    # The leader is gone; whatever it left behind in its group goes as well.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
