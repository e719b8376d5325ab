"""Builds `gateway/classify/_swift.c` into the package, where there is a C compiler.

It is an accelerator: without a compiler, or with `TIERGATE_PURE=1`, the package is built without it
and does the same more slowly. Nothing here makes an installation fail.
"""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
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
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        made = Path(self.root, f"{ROOM}/_swift{suffix}")
        made.unlink(missing_ok=True)
        if os.environ.get("TIERGATE_PURE"):
            return
        problem = compiled(Path(self.root, SOURCE), made)
        if problem:
            self.app.display_warning(f"{SOURCE} was not compiled; Python does its work. {problem}")
        elif version != "editable":
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["force_include"][str(made)] = f"{ROOM}/{made.name}"


def compiled(source: Path, made: Path) -> str:
    """Compile an extension module; what went wrong, or nothing."""
    command = shlex.split(sysconfig.get_config_var("CC") or "cc")
    if shutil.which(command[0]) is None:
        command = ["cc"]
    if shutil.which(command[0]) is None:
        return "There is no C compiler."
    include = sysconfig.get_path("include")
    linking = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    partial = made.with_name(f"{made.name}.part")
    # Sums are rounded as Python rounds them: no fused steps.
    options = ["-O3", "-ffp-contract=off", "-fPIC", "-shared", f"-I{include}", *linking]
    try:
        subprocess.run(  # noqa: S603 - no shell, and nothing of it comes from outside
            [*command, *options, str(source), "-lm", "-o", str(partial)],
            check=True,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        partial.unlink(missing_ok=True)
        said = getattr(error, "stderr", None) or str(error)
        return str(said).strip().splitlines()[0] if str(said).strip() else "It failed."
    partial.replace(made)
    return ""
