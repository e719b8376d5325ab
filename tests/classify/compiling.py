"""Builds the token counter in C for a test, with every warning an error."""

import importlib.util
import shutil
import subprocess
import sysconfig
from pathlib import Path
from types import ModuleType

SOURCE = Path(__file__).parents[2] / "gateway/classify/_swift.c"


def compiled(place: Path) -> ModuleType | None:
    """The module, made anew; None without a compiler or Python's headers."""
    include = Path(sysconfig.get_path("include"))
    if shutil.which("cc") is None or not (include / "Python.h").exists():
        return None
    made = place / "_swift.so"
    warnings = ("-Wall", "-Wextra", "-Werror")
    options = ("-O3", "-ffp-contract=off", "-fPIC", "-shared", f"-I{include}")
    command = ["cc", *options, *warnings, str(SOURCE), "-lm", "-o"]
    subprocess.run([*command, str(made)], check=True)  # noqa: S603 - no shell, no outsider
    spec = importlib.util.spec_from_file_location("gateway.classify._swift", made)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
