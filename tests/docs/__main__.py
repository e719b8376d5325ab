"""`python -m tests.docs`: every `tiergate` and `curl` line of the documents, run as it stands.

Each document gets a directory and a gateway of its own (simulated), at the address the documents
name moved to a free port; what must be filled in is filled in. What serves until it is stopped is
stopped once it listens.

Exit codes: 0 every line works, 1 one does not.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from tests.docs.blocks import ROOT, Command, commands
from tests.page.__main__ import wait_until_ready
from tests.processes import free_port

TRIED = ("tiergate", "curl")
ADDRESS = re.compile(r"(?:127\.0\.0\.1|localhost):8080")
ADMIN_KEY = "an-admin-key-of-the-documents"
ASSIGNED = re.compile(r"\w+=")
SECONDS = 60
# These go on until they are stopped, unless their line says how long.
ENDLESS = {"serve": "listening on", "demo": "", "top": ""}
CONFIGURATION = """\
log: {format: json}
admin: {key: %s}
organisations: {acme: {}}
teams: {search: {organisation: acme}}
access: {open: true}
"""
LITELLM = """\
model_list:
  - model_name: gpt-4.1
    litellm_params: {model: openai/gpt-4.1, api_key: os.environ/OPENAI_API_KEY}
"""


def main() -> int:
    """Run them all, document by document."""
    # Started in a background, this process ignores interrupts, and so would what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    failed = 0
    wanted = [command for command in commands() if command.program in TRIED]
    for document, lines in groupby(wanted, lambda command: command.document):
        with tempfile.TemporaryDirectory() as scratch, served(Path(scratch)) as environ:
            for command in lines:
                problem = tried(command, environ, Path(scratch))
                failed += bool(problem)
                mark = "FAIL" if problem else "ok  "
                sys.stdout.write(f"{mark}  {document}  {command.line}\n{problem}")
                sys.stdout.flush()
    return 1 if failed else 0


@contextmanager
def served(scratch: Path) -> Iterator[dict[str, str]]:
    """A gateway, and the environment of whoever reads the documents beside it."""
    tools = scratch / "bin"
    tools.mkdir()
    wrapper = tools / "tiergate"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gateway "$@"\n')
    wrapper.chmod(0o755)
    (scratch / "gateway.yaml").write_text(CONFIGURATION % ADMIN_KEY)
    (scratch / "config.yaml").write_text(LITELLM)
    shutil.copy(ROOT / "docker-compose.yml", scratch)
    port = free_port()
    environ = {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "COLUMNS": "160",
        "PYTHONPATH": str(ROOT),
        "OPENAI_API_KEY": "sk-of-nobody",
        "ADMIN_KEY": ADMIN_KEY,
        "TIERGATE_CONFIG": "gateway.yaml",
        "PORT": str(port),
    }
    with subprocess.Popen(  # noqa: S603 - our own command
        [str(wrapper), "serve", "--simulate", "--port", str(port)],
        cwd=scratch,
        env=environ,
        stdout=subprocess.DEVNULL,
    ) as gateway:
        try:
            wait_until_ready(f"http://127.0.0.1:{port}")
            yield environ
        finally:
            gateway.terminate()


def tried(command: Command, environ: dict[str, str], scratch: Path) -> str:
    """Run a line; gives what is wrong with it, or nothing."""
    line = filled(command.line, environ["PORT"])
    words = [word for word in line.split() if not ASSIGNED.match(word)]
    if words[0] == "tiergate" and words[1] in ENDLESS and "--seconds" not in words:
        return until_it_runs(line, ENDLESS[words[1]], environ, scratch)
    if words[0] == "curl":
        line = line.replace("curl", "curl --fail-with-body --silent --show-error --max-time 20", 1)
    done = subprocess.run(  # noqa: S602 - lines of our own documents, which are for a shell
        line,
        shell=True,
        cwd=scratch,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return "" if done.returncode == 0 else f"{done.returncode}: {done.stdout}{done.stderr}\n"


def until_it_runs(line: str, sign: str, environ: dict[str, str], scratch: Path) -> str:
    """Start what does not end, wait for its sign of life, interrupt it."""
    free = {**environ, "GATEWAY_SERVER_PORT": "0", "GATEWAY_STORE_DATA": "memory"}
    said = []
    with subprocess.Popen(  # noqa: S602 - as above
        f"exec env {line}",
        shell=True,
        cwd=scratch,
        env=free,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        output = process.stdout
        for text in output if output is not None else ():
            said.append(text)
            if sign in text:
                process.send_signal(signal.SIGINT)
                break
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return "does not stop when it is interrupted\n"
    return "" if said and sign in said[-1] else "".join(said)


def filled(line: str, port: str) -> str:
    """A line with what its reader has to fill in."""
    return ADDRESS.sub(f"127.0.0.1:{port}", line).replace("…", "x")


if __name__ == "__main__":
    sys.exit(main())
