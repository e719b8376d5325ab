"""An environment for each client, with pinned releases; made once and kept until the pins change.

Refuses to touch the environment the tests run in: what the clients install stays among themselves.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

ACTORS = Path(__file__).parent
INSTALL_SECONDS = 240
READY = ".ready"


class Missing(Exception):
    """A client cannot be tried here; the text says what to install."""


@dataclass(frozen=True)
class Client:
    """A client to try: its packages, exactly pinned, and the actor that drives it."""

    name: str
    language: str
    packages: tuple[str, ...]
    actor: str

    def stamp(self) -> str:
        """Changes with everything the environment is made of."""
        made_of = [sys.version, *self.packages] if self.language == "python" else self.packages
        return sha256(json.dumps(made_of).encode()).hexdigest()[:16]


CLIENTS = (
    Client("openai-python 1", "python", ("openai==1.109.1", "httpx==0.28.1"), "actor.py"),
    Client("openai-python 2", "python", ("openai==2.54.0", "httpx==0.28.1"), "actor.py"),
    Client("openai-python 3", "python", ("openai==3.54.0",), "actor.py"),
    Client("openai-node 7", "node", ("openai@7.57.0", "zod@4.6.7"), "actor.mjs"),
    Client(
        "ai-sdk 7", "node", ("ai@7.0.173", "@ai-sdk/openai@4.0.118", "zod@4.6.7"), "ai_actor.mjs"
    ),
)


def prepare(client: Client, root: Path, actors: Path = ACTORS) -> list[str]:
    """Make the client's environment unless it is there; gives the command that runs its actor.

    Raises:
        Missing: a tool is not installed.
        subprocess.SubprocessError: the packages could not be installed.
    """
    place = root / client.name.replace(" ", "-")
    make = _make_python if client.language == "python" else _make_node
    node = None if client.language == "python" else _tool("node", "nodejs")
    ready = place / READY
    if not ready.is_file() or ready.read_text() != client.stamp():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        make(place, client.packages)
        ready.write_text(client.stamp())
    if node is None:
        return [str(place / "bin" / "python"), "-I", str(actors / client.actor)]
    # Modules are looked for beside the script, so the script goes there.
    shutil.copy(actors / client.actor, place / client.actor)
    return [node, str(place / client.actor)]


def _make_python(place: Path, packages: Sequence[str]) -> None:
    if uv := shutil.which("uv"):
        _run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(place)])
        python = str(place / "bin" / "python")
        _run([uv, "pip", "install", "--quiet", "--python", python, *packages])
        return
    _run([sys.executable, "-m", "venv", str(place)])
    python = str(place / "bin" / "python")
    quiet = ("--quiet", "--disable-pip-version-check")
    _run([python, "-m", "pip", "install", *quiet, *packages])


def _make_node(place: Path, packages: Sequence[str]) -> None:
    npm = _tool("npm", "npm")
    pins = dict(package.rsplit("@", 1) for package in packages)
    manifest = {"private": True, "type": "module", "dependencies": pins}
    (place / "package.json").write_text(json.dumps(manifest))
    quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    _run([npm, "install", "--ignore-scripts", *quiet, "--prefix", str(place)])


def _tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not installed (Debian: apt install {package})"
        raise Missing(message)
    return found


def _run(command: Sequence[str]) -> None:
    subprocess.run(  # noqa: S603 - made of constants and our own paths
        command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS
    )
