"""What a request says beside its messages and tools.

Passed on: max_tokens, stop_sequences, temperature, top_p, service_tier, metadata.user_id, thinking,
output_config, and the knobs of `gateway.wire.wishes`. Without effect here, so passed over:
cache_control (the upstream caches by itself), diagnostics, betas. Refused: whatever would change
the answer and cannot be said, such as top_k.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from gateway.wire.anthropic.parsing import listed, mapping, refuse, share, text
from gateway.wire.anthropic.schemas import is_strict

KNOBS = ("models", "provider", "plugins", "cache")
"""Members that `gateway.wire.wishes` reads and strips."""

MOST_STOPS = 4
MAX_USER = 64
"""Both are OpenAI's limits."""

_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_TIERS = {"auto": None, "standard_only": "default"}
# Thinking tokens up to which an effort is low or medium: what models spend at those, roughly.
_BUDGETS = ((4_096, "low"), (16_384, "medium"))
_LEAST_BUDGET = 1_024
_THINKING = ("adaptive", "between_tools", "disabled", "enabled")
_ANYWHERE = ("global", "not_available")
_UNMEANT: Mapping[str, tuple[object, ...]] = {
    "container": (None,),
    "mcp_servers": (None, []),
    "inference_geo": (None, *_ANYWHERE),
    "speed": (None, "standard"),
    "top_k": (None,),
    "prefill": (None,),
}
"""Members that can only say what is so anyway."""

KNOWN = frozenset((
    *("model", "messages", "system", "max_tokens", "stop_sequences", "temperature", "top_p"),
    *("tools", "tool_choice", "stream", "metadata", "service_tier", "thinking", "output_config"),
    *("output_format", "context_management", "cache_control", "diagnostics", "betas"),
    *_UNMEANT, *KNOBS,
))  # fmt: skip


def check(document: Mapping[str, Any]) -> None:
    """Refuse what cannot be said.

    Raises:
        InvalidValue: a member that is unknown, or means something we cannot do.
    """
    for name in document:
        if name not in KNOWN:
            refuse(name[:64], "Extra inputs are not permitted")
    for name, harmless in _UNMEANT.items():
        if document.get(name) not in harmless:
            refuse(name, "has no equivalent behind this gateway")
    edits = mapping(document.get("context_management") or {}, "context_management").get("edits")
    for edit in listed(edits or [], "context_management.edits"):
        kind = mapping(edit, "context_management.edits").get("type")
        # Thoughts are never passed on, so that edit is always done.
        if not str(kind).startswith("clear_thinking"):
            refuse("context_management.edits", "only clear_thinking has an equivalent here")


def limit(document: Mapping[str, Any], most: int | None) -> int:
    """The longest answer, at most `most`: callers ask for what Anthropic's models can write.

    Raises:
        InvalidValue: no limit, or none we can keep.
    """
    tokens = document.get("max_tokens")
    if tokens is None:
        refuse("max_tokens", "Field required")
    if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 1:
        refuse("max_tokens", "Input should be a whole number of at least 1")
    return tokens if most is None else min(tokens, most)


def sample(document: Mapping[str, Any], chat: dict[str, Any]) -> None:
    """Put sampling, stop sequences and who asks into `chat`.

    Raises:
        InvalidValue: a value they cannot have.
    """
    for name in ("temperature", "top_p"):
        if document.get(name) is not None:
            chat[name] = share(document[name], name)
    stops = listed(document.get("stop_sequences") or [], "stop_sequences")
    if len(stops) > MOST_STOPS:
        refuse("stop_sequences", f"at most {MOST_STOPS} can be passed on")
    if stops:
        chat["stop"] = [text(stop, f"stop_sequences.{i}") for i, stop in enumerate(stops)]
    tier = document.get("service_tier")
    if tier is not None:
        if not isinstance(tier, str) or tier not in _TIERS:
            refuse("service_tier", "Input should be auto or standard_only")
        if (meant := _TIERS[tier]) is not None:
            chat["service_tier"] = meant
    user = mapping(document.get("metadata") or {}, "metadata").get("user_id")
    if user is not None:
        chat["user"] = _user(text(user, "metadata.user_id"))


def shape(document: Mapping[str, Any], chat: dict[str, Any], *, reasons: bool) -> None:
    """Put the form of the answer and the effort into `chat`.

    `reasons` says that a model behind some tier can reason. Effort is a wish, passed over where
    none can; a budget for thinking is a demand.

    Raises:
        InvalidValue: a value they cannot have, or a demand that cannot be met.
    """
    config = mapping(document.get("output_config") or {}, "output_config")
    for name in config:
        if name not in {"effort", "format"} and config[name] is not None:
            refuse(f"output_config.{name[:64]}", "has no equivalent behind this gateway")
    form = config.get("format", document.get("output_format"))
    if form is not None:
        chat["response_format"] = _form(mapping(form, "output_config.format"))
    effort = config.get("effort")
    if effort is not None and effort not in _EFFORTS:
        refuse("output_config.effort", f"Input should be one of {', '.join(_EFFORTS)}")
    meant = _effort(mapping(document.get("thinking") or {}, "thinking"), effort, reasons=reasons)
    if meant is not None and reasons:
        chat["reasoning_effort"] = meant


def wants_thoughts(document: Mapping[str, Any]) -> bool:
    """Whether the caller asked to see what a model thinks."""
    thinking = document.get("thinking") or {}
    shown = thinking.get("display") != "omitted"
    return shown and thinking.get("type") in {"enabled", "adaptive"}


def _effort(thinking: Mapping[str, Any], effort: str | None, *, reasons: bool) -> str | None:
    if not thinking:
        return effort
    kind = thinking.get("type")
    if kind not in _THINKING:
        refuse("thinking.type", f"Input should be one of {', '.join(_THINKING)}")
    if kind == "disabled":
        return None
    if kind != "enabled":
        return effort
    budget = thinking.get("budget_tokens")
    if isinstance(budget, bool) or not isinstance(budget, int) or budget < _LEAST_BUDGET:
        refuse("thinking.budget_tokens", f"Input should be at least {_LEAST_BUDGET}")
    if not reasons:
        refuse("thinking", "no model behind this gateway thinks; leave it out or say adaptive")
    return effort or next((e for most, e in _BUDGETS if budget <= most), "high")


def _form(form: Mapping[str, Any]) -> dict[str, Any]:
    param = "output_config.format"
    if form.get("type") != "json_schema":
        refuse(f"{param}.type", "Input should be json_schema")
    schema = mapping(form.get("schema"), f"{param}.schema")
    inner = {"name": "answer", "schema": schema, "strict": is_strict(schema)}
    return {"type": "json_schema", "json_schema": inner}


def _user(user: str) -> str:
    if len(user) <= MAX_USER:
        return user
    return hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()
