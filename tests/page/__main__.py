"""`python -m tests.page`: the page at /ui/, used in a real browser before a gateway with traffic.

Every view in light and dark, on a wide screen and on a phone, with axe; the figures move, the
playground answers, keys are made and revoked, a guarded gateway asks for its key, the console stays
silent. Pictures are left in build/page.

Exit codes: 0 all is well, 1 something is not, 2 it could not be tried.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from gateway.clock import SystemClock
from tests.clients.places import Client, Missing, prepare
from tests.processes import bare_environment, free_port

PLACE = Path("build/page")
BROWSER = Client("browser", "node", ("playwright-core@1.65.1", "axe-core@4.14.1"), "look.mjs")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ADMIN_KEY = "an-admin-key-for-the-page"
CALLS_A_SECOND = "60"
START_SECONDS = 30.0
LOOK_SECONDS = 300.0
CONFIGURATION = "store: {data: memory}\nlog: {format: json}\n"


def main() -> int:
    """Serve, drive, look, report."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        if browser is None:
            message = "chromium is not installed (Debian: apt install chromium)"
            raise Missing(message)
        command = prepare(BROWSER, PLACE, Path(__file__).parent)
    except (Missing, subprocess.SubprocessError) as problem:
        say(f"not tried: {problem}")
        return 2
    with (
        tempfile.TemporaryDirectory() as scratch,
        served(Path(scratch), "open") as url,
        served(Path(scratch), "locked", f"admin: {{key: {ADMIN_KEY}}}\n") as locked,
        driven(url),
    ):
        return looked([*command, browser, url, locked, ADMIN_KEY, str(PLACE)])


def say(words: str) -> None:
    """A line for whoever runs this."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def looked(command: list[str]) -> int:
    """Report what the browser says, line by line."""
    failed = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as looking:  # noqa: S603 - ours
        stop = threading.Timer(LOOK_SECONDS, looking.kill)
        stop.start()
        output = looking.stdout
        for line in output if output is not None else ():
            said = json.loads(line)
            failed += not said["ok"]
            say(f"{'ok  ' if said['ok'] else 'FAIL'}  {said['name']}  {said['seen']}")
        stop.cancel()
    if looking.returncode:
        say(f"the browser's script ended with {looking.returncode}")
        failed += 1
    say(f"{failed} failed" if failed else "all is well")
    return 1 if failed else 0


@contextmanager
def served(scratch: Path, name: str, more: str = "") -> Iterator[str]:
    """A gateway process before its own simulation; gives its address."""
    port = free_port()
    configuration, log = scratch / f"{name}.yaml", PLACE / f"{name}.log"
    configuration.write_text(CONFIGURATION + more)
    command = [sys.executable, "-m", "gateway", "serve", "--simulate", "--port", str(port)]
    with (
        log.open("w") as said,
        subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--config", str(configuration)],
            env=bare_environment(),
            stdout=said,
            stderr=said,
        ) as process,
    ):
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(url)
            yield url
        finally:
            process.terminate()


def wait_until_ready(url: str) -> None:
    """Return when the gateway takes calls.

    Raises:
        TimeoutError: it does not.
    """
    clock = SystemClock()
    until = clock.now() + START_SECONDS
    while clock.now() < until:
        try:
            if httpx.get(f"{url}/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    message = f"the gateway did not come up; nothing answers at {url}"
    raise TimeoutError(message)


@contextmanager
def driven(url: str) -> Iterator[None]:
    """Traffic of many kinds at a gateway, until left."""
    command = [sys.executable, "-m", "gateway", "demo", "--url", url, "--rate", CALLS_A_SECOND]
    with (
        (PLACE / "demo.log").open("w") as said,
        subprocess.Popen(command, stdout=said, stderr=said) as driver,  # noqa: S603 - our own
    ):
        try:
            yield
        finally:
            driver.terminate()


if __name__ == "__main__":
    sys.exit(main())
