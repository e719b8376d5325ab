"""OpenAI's own clients, straight to an upstream and through the gateway: the same must come back.

    python -m tests.clients [--allow-missing]

Each client gets an environment of its own (cached under `build/clients`). Prints a table and
ends with `N passed, N failed`; exits 1 on any difference.
"""

import argparse
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.clock import SystemClock
from gateway.http.beside import beside
from gateway.settings.catalog import build
from gateway.settings.load import load
from gateway.simulate.app import create
from gateway.simulate.upstream import Simulation

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / "build" / "clients"
PYTHON_SDKS = ("1.109.1", "2.54.0", "3.54.0")
NODE_SDK = "7.57.0"
MODEL = "gpt-4.1-mini"
SETUP_SECONDS, RUN_SECONDS = 300, 120


@dataclass(frozen=True, slots=True)
class Client:
    """A client to drive: its name, and the command that runs its script."""

    name: str
    command: tuple[str, ...]


def run(command: tuple[str, ...], cwd: Path, seconds: float) -> str:
    """Run to the end; what it printed.

    Raises:
        subprocess.CalledProcessError: it failed; its complaints are shown.
    """
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stderr[-4000:])
        done.check_returncode()
    return done.stdout


def python_client(version: str) -> Client:
    """A venv with that version of the Python SDK."""
    home = CACHE / f"python-{version}"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        venv.create(home, with_pip=True, clear=True)
        package = f"openai=={version}"
        run((str(python), "-m", "pip", "install", "--quiet", package), CACHE, SETUP_SECONDS)
        (home / "ready").touch()
    return Client(f"python {version}", (str(python), str(HERE / "script.py")))


def node_client() -> Client:
    """A folder with the Node SDK."""
    home = CACHE / f"node-{NODE_SDK}"
    if not (home / "ready").exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text('{"private": true, "type": "module"}')
        package = f"openai@{NODE_SDK}"
        run(("npm", "install", "--silent", "--no-audit", "--no-fund", package), home, SETUP_SECONDS)
        (home / "ready").touch()
    # Node looks for packages beside the script, not in the working directory.
    shutil.copy(HERE / "script.mjs", home)
    return Client(f"node {NODE_SDK}", ("node", str(home / "script.mjs")))


@contextmanager
def upstream() -> Iterator[str]:
    """The simulation on a port of its own."""
    clock = SystemClock()
    catalog = build(load(None, {"GATEWAY_SIMULATE_ENABLED": "true"}))
    look = Assessor(Tokenizer(), Difficulty.load())
    with beside(create(Simulation(catalog, clock, clock.sleep, 0, 0.0, look.count))) as url:
        yield f"{url}/v1"


@contextmanager
def gateway(base_url: str) -> Iterator[str]:
    """A gateway process in front of an upstream."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("GATEWAY_", "TIERGATE_"))}
    environ |= {
        "OPENAI_API_KEY": "sk-upstream-0123456789abcdef",
        "OPENAI_BASE_URL": base_url,
        "GATEWAY_SERVER_PORT": "0",
    }
    process = subprocess.Popen(
        (sys.executable, "-m", "gateway", "serve"),
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"listening on (http://[0-9.:]+)", line):
                yield f"{found[1]}/v1"
                return
        raise SystemExit("the gateway did not start")
    finally:
        process.terminate()
        process.communicate()


def drive(client: Client, base_url: str, model: str) -> dict[str, Any]:
    """What came of every case."""
    results: dict[str, Any] = json.loads(
        run((*client.command, base_url, model), CACHE, RUN_SECONDS)
    )
    return results


def compare(client: Client, direct_url: str, gateway_url: str) -> tuple[int, int]:
    """Print a line a case; how many passed and failed."""
    direct = drive(client, direct_url, MODEL)
    through = drive(client, gateway_url, MODEL)
    routed = drive(client, gateway_url, "auto")
    passed = failed = 0
    for case, expected in direct.items():
        if case == "cut stream":
            # Straight from an upstream some clients take a cut stream for a whole one.
            expected = "raised"
        same = through[case] == expected
        shaped = type(routed[case]) is type(expected)
        passed, failed = passed + (same and shaped), failed + (not (same and shaped))
        verdict = "ok" if same and shaped else "DIFFERS" if shaped else "DIFFERS (auto)"
        sys.stdout.write(f"{client.name:16} {case:20} {verdict}\n")
        if verdict != "ok":
            sys.stdout.write(f"  straight: {expected!r:.600}\n  through:  {through[case]!r:.600}\n")
            sys.stdout.write(f"  auto:     {routed[case]!r:.600}\n")
    return passed, failed


def clients(*, allow_missing: bool) -> list[Client]:
    """Every client that can be set up."""
    CACHE.mkdir(parents=True, exist_ok=True)
    made = [python_client(version) for version in PYTHON_SDKS]
    if shutil.which("node") and shutil.which("npm"):
        made.append(node_client())
    elif not allow_missing:
        raise SystemExit("node and npm are missing (Debian: nodejs npm), or say --allow-missing")
    return made


def main() -> int:
    """Drive them all."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("--allow-missing", action="store_true")
    allow_missing = parser.parse_args().allow_missing
    # The server under the simulation complains of every cut that is played.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    passed = failed = 0
    with upstream() as direct_url, gateway(direct_url) as gateway_url:
        for client in clients(allow_missing=allow_missing):
            good, bad = compare(client, direct_url, gateway_url)
            passed, failed = passed + good, failed + bad
    sys.stdout.write(f"{passed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
