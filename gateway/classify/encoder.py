"""The token encoder of this installation: in C where that was built, else tiktoken."""

from importlib import import_module
from types import ModuleType

try:
    # One built from older sources lacks the last of them.
    from gateway.classify._swift import Encoder, Reader, total  # noqa: F401 - whether it is there
except ImportError:
    from gateway.classify.portable import Encoder, total  # type: ignore[assignment]  # the same

__all__ = ["COMPILED", "Encoder", "swift", "total"]

COMPILED = Encoder.__module__ == "gateway.classify._swift"


def swift() -> ModuleType:
    """The compiled module; only where there is one."""
    return import_module("gateway.classify._swift")
