"""What is read of a prompt: the same head and tail that serving reads."""

from typing import Final

HEAD: Final = 1_500
TAIL: Final = 500
"""Characters; more was measured to gain nothing."""


def excerpt(prompt: str) -> str:
    """The head and the tail of a prompt."""
    return prompt if len(prompt) <= HEAD + TAIL else prompt[:HEAD] + prompt[-TAIL:]
