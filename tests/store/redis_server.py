"""A real redis-server for tests: its own directory, a Unix socket and a free port, gone at the end.

Starting one takes about 20 ms. Servers on Unix sockets cannot collide, so tests may run side by
side; where a port is needed it is one that was free a moment ago.
"""

import asyncio
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree, which
from tempfile import mkdtemp

import hiredis
import pytest

from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.store.redis.link import Link
from gateway.store.redis.topology import topology
from gateway.store.redis.wire import pack
from tests.processes import free_port

REDIS = which("redis-server") or ""
LET_PASS = """
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PEXPIRE', key, left - ARGV[1]) end
end
return redis.status_reply('OK')
"""
NO_HURRY = 5.0
"""Seconds for a round trip that a busy machine keeps, where time is not what is tested."""

START_SECONDS = 10.0


def until(true: Callable[[], object], seconds: float = START_SECONDS) -> None:
    """Look again and again until it is so."""
    due = time.monotonic() + seconds  # noqa: TID251 - processes outside keep real time
    while not true():
        assert time.monotonic() < due, "it did not come about"  # noqa: TID251 - as above
        time.sleep(0.005)


@dataclass
class RedisServer:
    """A running server: `path` of its socket, `port` (0: none), and what it was started with."""

    directory: Path
    port: int
    options: Mapping[str, str]
    program: tuple[str, ...] = ()
    password: str = ""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def path(self) -> str:
        return str(self.directory / "redis.sock")

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    @property
    def tcp(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, or start again after `kill`."""
        given = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "unixsocket": self.path,
            "dir": str(self.directory),
            "save": "",
            "appendonly": "no",
            "logfile": str(self.directory / "log"),
            **self.options,
        }
        words = [word for name, value in given.items() for word in (f"--{name}", *_words(value))]
        Path(self.path).unlink(missing_ok=True)
        self.process = subprocess.Popen(  # noqa: S603 - our own words
            [REDIS, *self.program, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers)

    def ask(self, *command: str | bytes | int) -> object:
        """Do a command on a connection of its own; errors are values."""
        reader = hiredis.Reader()
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(START_SECONDS)
            line.connect(self.path)
            commands: list[tuple[str | bytes | int, ...]] = [command]
            if self.password:
                commands.insert(0, ("AUTH", self.password))
            for one in commands:
                line.sendall(pack(one))
                while (reply := reader.gets()) is False:
                    reader.feed(line.recv(1 << 16))
        return reply

    def let_pass(self, seconds: float) -> None:
        """Everything in database 0 is so much nearer its end."""
        assert self.ask("EVAL", LET_PASS, 0, int(seconds * 1000)) == b"OK"

    def calls(self, command: str) -> int:
        """How often a command was done, by the server's own count."""
        stats = self.ask("INFO", "commandstats")
        assert isinstance(stats, bytes)
        for line in stats.decode().splitlines():
            if line.startswith(f"cmdstat_{command}:"):
                return int(line.split("calls=")[1].split(",")[0])
        return 0

    def freeze(self) -> None:
        """It keeps its connections and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """It is gone without a word."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.directory / "log").read_text()
        try:
            # LOADING and NOAUTH are answers too.
            return self.ask("PING") is not None
        except OSError:
            return False


@asynccontextmanager
async def linked(url: str, budget: float = NO_HURRY, *, tend: bool = False) -> AsyncIterator[Link]:
    """A link that is closed at the end; `tend`: connected and looked after."""
    link = Link(topology(url), SystemClock(), budget=budget)
    try:
        async with asyncio.TaskGroup() as group:
            if tend:
                group.create_task(link.tend())
                await link.reach()
            try:
                yield link
            finally:
                await link.close()
    except ExceptionGroup as several:
        raise several.exceptions[0] from None


async def comes_back(ask: Callable[[], Awaitable[object]], seconds: float = 5.0) -> float:
    """How long it takes until a command is answered again."""
    clock = SystemClock()
    began = clock.now()
    while clock.now() - began < seconds:
        with suppress(StoreUnavailable):
            await ask()
            break
        await clock.sleep(0.01)
    return clock.now() - began


def _words(value: str) -> list[str]:
    return value.split() if value else [""]


@contextmanager
def redis_server(
    *, port: int | None = 0, password: str = "", program: tuple[str, ...] = (), **options: str
) -> Iterator[RedisServer]:
    """A fresh server; `port` None: a free one, 0: none. Options are those of redis.conf, with _."""
    if not REDIS:
        pytest.skip("redis-server is not installed")
    directory = Path(mkdtemp(prefix="redis-", dir="/tmp"))
    named = {name.replace("_", "-"): value for name, value in options.items()}
    if password:
        named["requirepass"] = password
    server = RedisServer(directory, free_port() if port is None else port, named, program, password)
    try:
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.thaw()
            server.kill()
        rmtree(directory, ignore_errors=True)
