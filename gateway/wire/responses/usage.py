"""The token counts of a response, where prompt and completion are called input and output."""

from collections.abc import Mapping
from typing import Any

from gateway.call import Usage
from gateway.prices import service_named
from gateway.wire.usage import counted

_NOTHING: Mapping[str, Any] = {}


def usage_of(response: Mapping[str, Any]) -> Usage | None:
    """The counts in the `usage` of a response; None when they are missing or cannot be true."""
    stated = response.get("usage")
    if stated.__class__ is not dict:
        return None
    of_prompt = stated.get("input_tokens_details")
    of_completion = stated.get("output_tokens_details")
    return counted(
        (stated.get("input_tokens"), stated.get("output_tokens")),
        of_prompt if isinstance(of_prompt, dict) else _NOTHING,
        of_completion if isinstance(of_completion, dict) else _NOTHING,
        service_named(response.get("service_tier")),
    )
