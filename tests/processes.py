"""What proofs that start processes share."""

import os
import socket

NEEDED = ("PATH", "HOME", "LANG")


def bare_environment() -> dict[str, str]:
    """The environment every process needs, without what changes how it speaks (as `CI` does)."""
    return {name: os.environ[name] for name in NEEDED if name in os.environ}


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
