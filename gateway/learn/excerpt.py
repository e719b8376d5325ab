"""What is read of a prompt: what serving judges of the same one."""

from gateway.classify import difficulty
from gateway.classify.asking import asked


def excerpt(prompt: str) -> str:
    """Its head and tail, as they are shown."""
    return asked(difficulty.excerpt(prompt))
