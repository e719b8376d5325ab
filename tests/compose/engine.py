"""A Docker Engine: one that runs already, or one of our own for as long as the proof lasts.

Our own is started twice over the same data: to build, it shares this machine's network and has no
bridge; to serve, it has a network namespace to itself, so that its bridges and firewall rules touch
nothing here. Whoever wants to talk to what it serves must be in that namespace too.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.compose.shell import run, say, succeeds

START_SECONDS = 60
STOP_SECONDS = 30
POLL_SECONDS = 0.2
# No bridge and no firewall rules: this machine's network is left as it is.
BUILDING = ("--bridge=none", "--iptables=false", "--ip-forward=false")
SERVING = ("--ip-forward=true",)


@dataclass(frozen=True)
class Engine:
    """How an engine is reached; `own` is ours to fill with stand-ins."""

    environ: dict[str, str]
    own: bool

    def docker(self, *words: str, given: str | None = None, seconds: float = 900) -> str:
        """Run docker; what it printed."""
        return run(["docker", *words], environ=self.environ, given=given, seconds=seconds)

    def has_image(self, name: str) -> bool:
        """Whether an image is there without being pulled."""
        return succeeds(["docker", "image", "inspect", name], environ=self.environ)


def theirs() -> Engine:
    """The engine that runs already."""
    return Engine(dict(os.environ), own=False)


@contextmanager
def ours(place: Path, options: Sequence[str]) -> Iterator[Engine]:
    """An engine of our own, its data in `place`, until the block ends.

    Raises:
        RuntimeError: it does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="engine-") as name, Path(name, "log").open("w") as log:
        address = f"unix://{name}/docker.sock"
        command = [
            "dockerd",
            *("--data-root", str((place / "engine").resolve())),
            *("--exec-root", f"{name}/run", "--pidfile", f"{name}/pid", "--host", address),
            *("--storage-driver", "overlay2", "--log-level", "warn"),
            *options,
        ]
        environ = {**os.environ, "DOCKER_HOST": address, "DOCKER_CONFIG": str(place.resolve())}
        environ |= {"COMPOSE_BAKE": "false", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        daemon = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: S603 - our own command
        try:
            _answers(environ, daemon, Path(name, "log"))
            yield Engine(environ, own=True)
        finally:
            _end(daemon)


def _answers(environ: dict[str, str], daemon: subprocess.Popen[bytes], log: Path) -> None:
    end = time.perf_counter() + START_SECONDS
    while time.perf_counter() < end and daemon.poll() is None:
        if succeeds(["docker", "version"], environ=environ):
            return
        time.sleep(POLL_SECONDS)
    message = f"the engine did not come up:\n{log.read_text()[-3000:]}"
    raise RuntimeError(message)


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        say("the engine does not stop; killing it")
        daemon.kill()
        daemon.wait()
