"""OpenAI's token counts, as an upstream states them. An explicit zero is a value, not a gap."""

from collections.abc import Mapping
from typing import Any

from gateway.call import Usage

# No reply has a trillion tokens; a count like that is a defect, and money hangs on it.
_ABSURD = 1 << 40


def usage_of(document: Mapping[str, Any]) -> Usage | None:
    """The counts in the `usage` of a reply or chunk; None when they are missing or cannot be true.

    One impossible count discredits them all: half a bill is no bill.
    """
    stated = document.get("usage")
    if stated.__class__ is not dict:
        return None
    prompt, completion = stated.get("prompt_tokens"), stated.get("completion_tokens")
    details = stated.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if details.__class__ is dict else None
    details = stated.get("completion_tokens_details")
    reasoning = details.get("reasoning_tokens") if details.__class__ is dict else None
    counts: tuple[Any, ...] = (
        prompt,
        completion,
        0 if cached is None else cached,
        0 if reasoning is None else reasoning,
    )
    for count in counts:
        if count.__class__ is not int or not 0 <= count <= _ABSURD:
            return None
    return Usage(*counts)


def any_usage(stated: object) -> Usage | None:
    """The counts in a `usage` in the words of any API: prompt or input, completion or output."""
    if not isinstance(stated, dict):
        return None
    prompt = stated.get("prompt_tokens", stated.get("input_tokens"))
    completion = stated.get("completion_tokens", stated.get("output_tokens", 0))
    details = stated.get("prompt_tokens_details", stated.get("input_tokens_details"))
    if not isinstance(details, dict):
        details = stated.get("input_token_details")
    cached = details.get("cached_tokens", 0) if isinstance(details, dict) else 0
    counts: tuple[Any, ...] = (prompt, completion, cached)
    if any(count.__class__ is not int or not 0 <= count <= _ABSURD for count in counts):
        return None
    return Usage(*counts)
