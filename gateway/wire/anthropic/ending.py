"""How a reply ended and what it used, in Anthropic's words."""

from collections.abc import Mapping
from typing import Any

from gateway.wire.usage import usage_of

_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_TIERS = {"default": "standard", "flex": "standard", "priority": "priority"}


def ended(
    choice: Mapping[str, Any], stops: tuple[str, ...], *, called: bool, refusal: str
) -> dict[str, Any]:
    """The stop reason with its details, of a choice that has ended.

    `called` says that tools were called, as some servers finish such a reply with `stop`;
    `refusal` is what the model said when it refused. OpenAI does not tell which stop sequence it
    met, or that it met one; servers that do, say it beside `finish_reason`.
    """
    finish = choice.get("finish_reason")
    reason = _REASONS.get(finish, "end_turn") if isinstance(finish, str) else "end_turn"
    stop = choice.get("stop_reason")
    met = stop if reason == "end_turn" and isinstance(stop, str) and stop in stops else None
    if met is not None:
        reason = "stop_sequence"
    elif reason == "end_turn" and called:
        reason = "tool_use"
    if refusal and reason == "end_turn":
        reason = "refusal"
    details = None
    if reason == "refusal":
        details = {"type": "refusal", "category": None, "explanation": refusal or None}
    return {"stop_reason": reason, "stop_sequence": met, "stop_details": details}


def used(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The usage of a chat reply or chunk; None when it states none.

    Anthropic counts a cached prompt token apart from the others, OpenAI among them.
    """
    usage = usage_of(document)
    if usage is None:
        return None
    details = document["usage"].get("prompt_tokens_details")
    written = details.get("cache_write_tokens") if isinstance(details, dict) else None
    written = written if isinstance(written, int) and written > 0 else 0
    cached = min(usage.cached, usage.prompt)
    written = min(written, usage.prompt - cached)
    counts: dict[str, Any] = {
        "input_tokens": usage.prompt - cached - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.completion,
    }
    if usage.reasoning:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return counts


def at_first(prompt_tokens: int) -> dict[str, Any]:
    """The usage before any is stated."""
    return {
        "input_tokens": prompt_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 0,
    }


def processed(document: Mapping[str, Any]) -> dict[str, str]:
    """The service tier that processed a reply, if it says so."""
    tier = document.get("service_tier")
    return {"service_tier": _TIERS[tier]} if isinstance(tier, str) and tier in _TIERS else {}


def identified(document: Mapping[str, Any]) -> str:
    """A message's id, made of the chat reply's."""
    chat = document.get("id")
    return "msg_" + (chat.removeprefix("chatcmpl-") if isinstance(chat, str) else "")


def named(document: Mapping[str, Any]) -> str:
    """The response model."""
    model = document.get("model")
    return model if isinstance(model, str) else ""
