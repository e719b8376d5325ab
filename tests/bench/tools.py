"""What the benchmark needs from the machine: programs, cores, ports; its C sources, compiled.

A missing program is explained with the Debian package that brings it; nothing is downloaded.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent
PACKAGES = {"gcc": "gcc libc6-dev", "nginx": "nginx-light", "taskset": "util-linux"}
# nginx lives where an ordinary user's PATH does not look.
ADMIN_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
COMPILE_SECONDS = 60


class BenchError(Exception):
    """The benchmark cannot go on; the message says why, in words for people."""


@dataclass(frozen=True, slots=True)
class Cores:
    """`proxy` runs what is measured, `tools` the upstream, the generator and this program."""

    proxy: int
    tools: int

    @property
    def shared(self) -> bool:
        """Whether there is only one core, which spoils every figure."""
        return self.proxy == self.tools


def programs(path: str = "") -> dict[str, str]:
    """Where gcc, nginx and taskset are, looked for in `path` (by default the PATH and more).

    Raises:
        BenchError: names what is missing and how to install it.
    """
    path = path or f"{os.environ.get('PATH', os.defpath)}:{ADMIN_PATH}"
    found = {name: shutil.which(name, path=path) for name in PACKAGES}
    missing = [name for name, where in found.items() if where is None]
    if missing:
        packages = " ".join(PACKAGES[name] for name in missing)
        message = (
            f"the benchmark needs {', '.join(missing)}; on Debian: apt-get install -y {packages}"
        )
        raise BenchError(message)
    return {name: where for name, where in found.items() if where is not None}


def build(gcc: str, into: Path) -> tuple[Path, Path]:
    """Compile the upstream and the load generator; returns where they are.

    Raises:
        BenchError: with the compiler's words.
    """
    made = (into / "upstream", into / "load")
    for program in made:
        source = SOURCES / f"{program.name}.c"
        command = [gcc, "-O2", "-o", str(program), str(source), "-lm"]
        done = subprocess.run(  # noqa: S603 - our own source, compiled by the user's compiler
            command, capture_output=True, text=True, timeout=COMPILE_SECONDS, check=False
        )
        if done.returncode:
            advice = f"apt-get install -y {PACKAGES['gcc']}"
            message = f"{source.name} does not compile ({advice}?):\n{done.stderr}"
            raise BenchError(message)
    return made


def pick_cores() -> Cores:
    """The first two cores we may use; this process moves to the second."""
    allowed = sorted(os.sched_getaffinity(0))
    cores = Cores(proxy=allowed[0], tools=allowed[min(1, len(allowed) - 1)])
    os.sched_setaffinity(0, {cores.tools})
    return cores
