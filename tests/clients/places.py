"""An environment for each client, with pinned releases; made once and kept until the pins change.

Everything a Python client needs is pinned in `pins/`, whose files `renew_pins` makes.

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
ROOT = ACTORS.parent.parent
MINI = "gpt-4.1-mini"
INSTALL_SECONDS = 240
READY = ".ready"


class Missing(Exception):
    """A client cannot be tried here; the text says what to install."""


@dataclass(frozen=True)
class Client:
    """A client to try: its packages, exactly pinned, and the actor that drives it.

    `speaks` is `openai`, or `messages` for those that only the gateway answers. `named` is the
    model it names.
    """

    name: str
    language: str
    packages: tuple[str, ...]
    actor: str
    speaks: str = "openai"
    named: str = MINI

    @property
    def folder(self) -> str:
        """Its name as a file's."""
        return self.name.replace(" ", "-")

    @property
    def pins(self) -> Path:
        """The releases of everything a Python client needs."""
        return ACTORS / "pins" / f"{self.folder}.txt"

    def stamp(self) -> str:
        """Changes with everything the environment is made of."""
        python = self.language == "python"
        made_of = [sys.version, self.pins.read_text()] if python else self.packages
        return sha256(json.dumps(made_of).encode()).hexdigest()[:16]


CLIENTS = (
    Client("openai-python 1", "python", ("openai==1.109.1", "httpx==0.28.1"), "actor.py"),
    Client("openai-python 2", "python", ("openai==2.54.0", "httpx==0.28.1"), "actor.py"),
    Client("openai-python 3", "python", ("openai==3.54.0",), "actor.py"),
    Client("openai-node 7", "node", ("openai@7.57.0", "zod@4.6.7"), "actor.mjs"),
    Client(
        "ai-sdk 7", "node", ("ai@7.0.173", "@ai-sdk/openai@4.0.118", "zod@4.6.7"), "ai_actor.mjs"
    ),
    # Frameworks know models by name, so these are tried with a name they cannot know: a tier's.
    Client("langchain", "python", ("langchain-openai==1.7.4",), "langchain_actor.py", named="mini"),
    Client(
        "llama-index",
        "python",
        ("llama-index-llms-openai==0.8.3", "llama-index-llms-openai-like==0.8.1"),
        "llama_index_actor.py",
        named="mini",
    ),
    Client(
        "pydantic-ai",
        "python",
        ("pydantic-ai-slim[openai]==2.68.0",),
        "pydantic_ai_actor.py",
        named="mini",
    ),
    Client("openai-agents", "python", ("openai-agents==0.24.0",), "agents_actor.py", named="mini"),
    Client("instructor", "python", ("instructor==1.17.0",), "instructor_actor.py", named="mini"),
    Client("litellm", "python", ("litellm==1.110.2",), "litellm_actor.py", named="mini"),
    Client(
        "anthropic-python",
        "python",
        ("anthropic==2.13.0",),
        "anthropic_actor.py",
        speaks="messages",
        named="mini",
    ),
)


def prepare(client: Client, root: Path, actors: Path = ACTORS) -> list[str]:
    """Make the client's environment unless it is there; gives the command that runs its actor.

    Raises:
        Missing: a tool is not installed.
        subprocess.SubprocessError: the packages could not be installed.
    """
    place = root / client.folder
    node = None if client.language == "python" else tool("node", "nodejs")
    ready = place / READY
    if not ready.is_file() or ready.read_text() != client.stamp():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        if node is None:
            make_python(place, client.pins)
        else:
            make_node(place, client.packages)
        ready.write_text(client.stamp())
    if node is None:
        return [str(place / "bin" / "python"), "-E", "-s", "-m", _module(client)]
    # Modules are looked for beside the script, so the script goes there.
    shutil.copy(actors / client.actor, place / client.actor)
    return [node, str(place / client.actor)]


def _module(client: Client) -> str:
    return ".".join(["tests", "clients", client.actor.removesuffix(".py")])


def renew_pins() -> None:
    """Pin again what each Python client needs; needs uv.

    Raises:
        Missing: uv is not installed.
        subprocess.SubprocessError: no releases fit together.
    """
    quiet = ("--quiet", "--no-header", "--no-annotate", "--no-emit-index-url")
    command = [tool("uv", "uv"), "pip", "compile", *quiet, "--no-emit-find-links", "--universal"]
    for client in CLIENTS:
        if client.language == "python":
            asked = "\n".join(client.packages)
            where = ("--python-version", "3.11", "--output-file", str(client.pins), "-")
            _run([*command, *where], asked)


def make_python(place: Path, pins: Path) -> None:
    """A virtual environment with what is pinned, and nothing else."""
    if uv := shutil.which("uv"):
        _run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(place)])
        python = str(place / "bin" / "python")
        _run([uv, "pip", "install", "--quiet", "--no-deps", "--python", python, "-r", str(pins)])
        return
    _run([sys.executable, "-m", "venv", str(place)])
    python = str(place / "bin" / "python")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-compile")
    _run([python, "-m", "pip", "install", *quiet, "--no-deps", "-r", str(pins)])


def make_node(place: Path, packages: Sequence[str]) -> None:
    """A folder with these packages, `name@version`, and what they need."""
    npm = tool("npm", "npm")
    pins = dict(package.rsplit("@", 1) for package in packages)
    manifest = {"private": True, "type": "module", "dependencies": pins}
    (place / "package.json").write_text(json.dumps(manifest))
    quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
    _run([npm, "install", "--ignore-scripts", *quiet, "--prefix", str(place)])


def tool(name: str, package: str) -> str:
    """Where a tool is.

    Raises:
        Missing: it is not installed; with the Debian package that has it.
    """
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not installed (Debian: apt install {package})"
        raise Missing(message)
    return found


def _run(command: Sequence[str], said: str = "") -> None:
    subprocess.run(  # noqa: S603 - made of constants and our own paths
        command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS, input=said
    )
