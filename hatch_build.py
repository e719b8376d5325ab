"""Builds `gateway/classify/_swift.c` into the package, where there is a C compiler.

It is an accelerator: without a compiler, or with `TIERGATE_PURE=1`, the package is built without it
and does the same more slowly. `CC` names the compiler, as it does for other packages. Nothing here
makes an installation fail, and a wheel is built without writing to the tree: it may be read-only.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOM = "gateway/classify"
SOURCE = f"{ROOM}/_swift.c"
MOST_SECONDS = 120


class Compiled(BuildHookInterface[Any]):
    """Adds the extension module to a wheel, or builds it in place for an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; on any trouble say so and go on without."""
        if self.target_name != "wheel":
            return
        name = f"_swift{sysconfig.get_config_var('EXT_SUFFIX')}"
        in_place = Path(self.root, ROOM, name)
        if version == "editable":
            with suppress(OSError):
                in_place.unlink(missing_ok=True)
        if os.environ.get("TIERGATE_PURE"):
            return
        problem, made = self._made(name)
        if not problem and version == "editable":
            problem = moved(made, in_place)
        if problem:
            self.app.display_warning(f"{SOURCE} was not compiled; Python does its work. {problem}")
        elif version != "editable":
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["force_include"][str(made)] = f"{ROOM}/{name}"

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Leave nothing behind."""
        if self._room is not None:
            shutil.rmtree(self._room, ignore_errors=True)

    _room: str | None = None

    def _made(self, name: str) -> tuple[str, Path]:
        """What went wrong, or nothing; and the module, in a folder of its own."""
        try:
            self._room = tempfile.mkdtemp(prefix="tiergate-")
        except OSError as error:
            return f"There is no folder to compile in: {error}.", Path(name)
        made = Path(self._room, name)
        return compiled(Path(self.root, SOURCE), made), made


def moved(made: Path, place: Path) -> str:
    """Put a module where an editable installation looks for it; what went wrong, or nothing."""
    # Beside its place first: whoever runs what is there keeps it until the new one is whole.
    partial = place.with_name(f"{place.name}.part")
    try:
        shutil.copyfile(made, partial)
        partial.replace(place)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        return f"It cannot be put into {place.parent}: {error.strerror}."
    return ""


def compiled(source: Path, made: Path) -> str:
    """Compile an extension module; what went wrong, or nothing."""
    asked = os.environ.get("CC", "").strip()
    try:
        command = shlex.split(asked or sysconfig.get_config_var("CC") or "cc")
    except ValueError:
        return f"CC is no command: {asked}."
    if not asked and shutil.which(command[0]) is None:
        command = ["cc"]
    if shutil.which(command[0]) is None:
        return f"There is no C compiler: {command[0]} is not found."
    include = sysconfig.get_path("include")
    linking = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    # Sums are rounded as Python rounds them: no fused steps.
    options = ["-O3", "-ffp-contract=off", "-fPIC", "-shared", f"-I{include}", *linking]
    try:
        subprocess.run(  # noqa: S603 - no shell, and nothing of it comes from outside
            [*command, *options, str(source), "-lm", "-o", str(made)],
            check=True,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        return str(said).strip().splitlines()[0] if str(said).strip() else "It failed."
    return "" if made.is_file() else f"{command[0]} made nothing."
