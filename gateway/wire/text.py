"""How much text a reply carries: the tokens of an upstream that counts none are guessed from it."""

from collections.abc import Mapping
from typing import Any

TEXTS = ("content", "reasoning_content", "reasoning", "refusal")
"""Members that hold text; the second and third are what OpenAI-compatible servers say."""


def chars(message: Mapping[str, Any]) -> int:
    """Characters of a message or delta: its texts and the arguments of tool calls."""
    total = 0
    for name, value in message.items():
        if value.__class__ is str:
            if name in TEXTS:
                total += len(value)
        elif name == "tool_calls" and value.__class__ is list:
            total += sum(map(_arguments, value))
    return total


def chars_of(choices: list[Any], part: str) -> int:
    """Characters of all choices' `message` or `delta`, whichever `part` names."""
    total = 0
    for choice in choices:
        message = choice.get(part) if choice.__class__ is dict else None
        if message.__class__ is dict:
            total += chars(message)
    return total


def _arguments(call: object) -> int:
    function = call.get("function") if isinstance(call, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    return len(arguments) if isinstance(arguments, str) else 0
