"""The token counts of a response, where prompt and completion are called input and output."""

from collections.abc import Mapping
from typing import Any

from gateway.call import Usage

# As in `gateway.wire.usage`: a count like that is a defect.
_ABSURD = 1 << 40


def usage_of(response: Mapping[str, Any]) -> Usage | None:
    """The counts in the `usage` of a response; None when they are missing or cannot be true."""
    stated = response.get("usage")
    if stated.__class__ is not dict:
        return None
    counts: tuple[Any, ...] = (
        stated.get("input_tokens"),
        stated.get("output_tokens"),
        _detail(stated, "input_tokens_details", "cached_tokens"),
        _detail(stated, "output_tokens_details", "reasoning_tokens"),
    )
    for count in counts:
        if count.__class__ is not int or not 0 <= count <= _ABSURD:
            return None
    return Usage(*counts)


def _detail(stated: Mapping[str, Any], group: str, name: str) -> Any:  # noqa: ANN401 - checked with the others
    details = stated.get(group)
    count = details.get(name) if isinstance(details, dict) else None
    return 0 if count is None else count
