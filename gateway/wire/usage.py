"""OpenAI's token counts, as an upstream states them. An explicit zero is a value, not a gap."""

from collections.abc import Mapping
from typing import Any

from gateway.call import Counts, Usage
from gateway.prices import service_named

# No reply has a trillion tokens; a count like that is a defect, and money hangs on it.
_ABSURD = 1 << 40
_ODD = Counts(-1, -1, -1)
_NOTHING: Mapping[str, Any] = {}
# The Realtime API and transcriptions spell them in the singular.
_IN = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_OUT = ("completion_tokens_details", "output_tokens_details", "output_token_details")


def usage_of(document: Mapping[str, Any]) -> Usage | None:
    """The counts in the `usage` of a reply or chunk; None when they are missing or cannot be true.

    One impossible count discredits them all: half a bill is no bill.
    """
    stated = document.get("usage")
    if stated.__class__ is not dict:
        return None
    service = document.get("service_tier")
    service = "" if service is None or service == "default" else service_named(service)
    of_prompt = stated.get("prompt_tokens_details")
    of_completion = stated.get("completion_tokens_details")
    return counted(
        (stated.get("prompt_tokens"), stated.get("completion_tokens")),
        of_prompt if of_prompt.__class__ is dict else _NOTHING,
        of_completion if of_completion.__class__ is dict else _NOTHING,
        service,
    )


def any_usage(stated: object, service: object = None) -> Usage | None:
    """The counts in a `usage` in the words of any API: prompt or input, completion or output.

    `service` is the `service_tier` that stands beside it.
    """
    if not isinstance(stated, dict):
        return None
    totals = (
        stated.get("prompt_tokens", stated.get("input_tokens")),
        stated.get("completion_tokens", stated.get("output_tokens", 0)),
    )
    return counted(totals, _details(stated, _IN), _details(stated, _OUT), service_named(service))


def counted(
    totals: tuple[Any, Any],
    of_prompt: Mapping[str, Any],
    of_completion: Mapping[str, Any],
    service: str = "",
) -> Usage | None:
    """The counts of a prompt and a completion with their details; None if they cannot be true."""
    cached, reasoning = of_prompt.get("cached_tokens"), of_completion.get("reasoning_tokens")
    counts = (*totals, 0 if cached is None else cached, 0 if reasoning is None else reasoning)
    for count in counts:
        if count.__class__ is not int or not 0 <= count <= _ABSURD:
            return None
    audio = images = None
    # Nearly every reply says that there are none, or nothing.
    if of_prompt.get("audio_tokens") or of_completion.get("audio_tokens"):
        audio = _kind("audio_tokens", of_prompt, of_completion)
    if of_prompt.get("image_tokens") or of_completion.get("image_tokens"):
        images = _kind("image_tokens", of_prompt, of_completion)
    if audio is _ODD or images is _ODD:
        return None
    return Usage(*counts, False, service, audio, images)


def _kind(name: str, of_prompt: Mapping[str, Any], of_completion: Mapping[str, Any]) -> Counts:
    """The tokens of one kind among all."""
    cached = of_prompt.get("cached_tokens_details")
    found = (
        of_prompt.get(name) or 0,
        (cached.get(name) or 0) if isinstance(cached, dict) else 0,
        of_completion.get(name) or 0,
    )
    if any(count.__class__ is not int or not 0 <= count <= _ABSURD for count in found):
        return _ODD
    return Counts(*found)


def _details(stated: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    found = (stated.get(name) for name in names)
    return next((details for details in found if isinstance(details, dict)), _NOTHING)
