"""What the clients talk to: a simulated upstream that notices who leaves, and a gateway before it.

The upstream lives in a thread of this process, the gateway is the real command in one of its own.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.clock import SystemClock
from gateway.http.beside import beside
from gateway.settings.catalog import build
from gateway.settings.load import load
from gateway.simulate.app import Asgi, Message, Receive, Scope, Send, create
from gateway.simulate.upstream import Simulation
from tests.processes import bare_environment

SEED = 20_250_414
START_SECONDS = 90.0
STOP_SECONDS = 10.0
# How long a hang-up may take from the client through the gateway to the upstream.
NOTICE_SECONDS = 3.0
MARK = b"x-client-request-id"
# Replies are kept only where a case asks for it, and what fails here fails on purpose.
CONFIGURATION = """\
store:
  data: memory
server:
  port: 0
cache:
  policy: "off"
breaker:
  failures: 1000000
passthrough:
  account: allow
log:
  format: json
"""
LISTENING = "listening on "


class Watch:
    """An application that notices callers who leave before their reply is whole."""

    def __init__(self, app: Asgi) -> None:
        self._app = app
        self._left: set[str] = set()
        self._changed = threading.Condition()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> object:
        mark = dict(scope.get("headers", ())).get(MARK, b"").decode("latin-1")
        whole = False

        async def sending(message: Message) -> None:
            nonlocal whole
            whole = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" and not whole:
                with self._changed:
                    self._left.add(mark)
                    self._changed.notify_all()
            return message

        return await self._app(scope, receiving, sending)

    def noticed(self, mark: str) -> bool:
        """Whether the caller with this mark left early; waits a moment for the news."""
        with self._changed:
            return self._changed.wait_for(lambda: mark in self._left, NOTICE_SECONDS)


@contextmanager
def upstream(configuration: Path) -> Iterator[tuple[str, Watch]]:
    """A simulated upstream; gives its address and what it noticed."""
    settings = load(configuration, {"OPENAI_API_KEY": "unused"})
    clock = SystemClock()
    look = Assessor(Tokenizer(), Difficulty.load())
    simulation = Simulation(build(settings), clock, clock.sleep, SEED, 0.0, look.count)
    watch = Watch(create(simulation))
    with beside(watch) as url:
        yield f"{url}/v1", watch


@contextmanager
def gateway(configuration: Path, upstream_url: str, log: Path) -> Iterator[str]:
    """A gateway process before the upstream; gives its address.

    Raises:
        RuntimeError: it did not come up; with what it said.
    """
    environ = {
        **bare_environment(),
        "OPENAI_API_KEY": "sk-of-the-gateway",
        "OPENAI_BASE_URL": upstream_url,
    }
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(configuration)]
    with running(command, environ, log) as url:
        yield f"{url}/v1"


@contextmanager
def running_simulated(configuration: Path, log: Path) -> Iterator[str]:
    """A gateway process that answers from its own simulation, at once; gives its address.

    Raises:
        RuntimeError: it did not come up; with what it said.
    """
    environ = {
        **bare_environment(),
        "GATEWAY_SIMULATE_ENABLED": "true",
        "GATEWAY_SIMULATE_SPEED": "0",
    }
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(configuration)]
    with running(command, environ, log) as url:
        yield url


@contextmanager
def running(
    command: Sequence[str], environ: Mapping[str, str], log: Path, mark: str = LISTENING
) -> Iterator[str]:
    """A process that serves; gives the address it says behind a mark.

    Raises:
        RuntimeError: it did not come up; with what it said.
    """
    with subprocess.Popen(  # noqa: S603 - made of constants and our own paths
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        reader = _Reader(process, log, mark)
        try:
            yield reader.address()
        finally:
            _end(process)
            reader.join()


class _Reader(threading.Thread):
    """Reads what a server says into a file, and finds where it listens."""

    def __init__(self, process: subprocess.Popen[str], log: Path, mark: str) -> None:
        super().__init__(name="log", daemon=True)
        self._process = process
        self._log = log
        self._mark = mark
        self._address = ""
        self._known = threading.Event()
        self.start()

    def run(self) -> None:
        """Until it says no more."""
        output: Any = self._process.stdout
        with self._log.open("w") as log:
            for line in output:
                log.write(line)
                log.flush()
                if not self._address and self._mark in line:
                    self._address = line.partition(self._mark)[2].split('"')[0].split()[0]
                    self._known.set()
        self._known.set()

    def address(self) -> str:
        """Where the server listens."""
        self._known.wait(START_SECONDS)
        if not self._address:
            message = f"a server did not come up:\n{self._log.read_text()}"
            raise RuntimeError(message)
        return self._address


def _end(process: subprocess.Popen[str]) -> None:
    """End a process with all that it has started."""
    _signal(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[str], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
