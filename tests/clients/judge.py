"""Is what a client got through the gateway what it gets without it?

Nearly every case must be equal, word for word, once the clock and the ids of single exchanges are
taken out. The few that must differ are listed in `EXCEPTIONS` with what is expected instead.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

ID = re.compile(r"req_[0-9a-z]+")
# What frameworks call the same cases on the other API.
OTHER_API = "responses_"
STAMP = re.compile(r'"created":\d+')
STAMPS = ("created", "created_at")
# Reply fields that cross the gateway; the rest describes a connection or an account.
PASSED = re.compile(
    r"content-type|openai-processing-ms|openai-version|x-request-id|x-ratelimit-.*|retry-after.*"
    r"|x-tiergate-simulated"
)
HIDDEN = ("openai-organization", "openai-project", "set-cookie", "access-control-expose-headers")
OURS = ("model", "tier", "reason", "cache", "cost-usd", "overhead-ms", "attempts", "decision-id")
# What the cases raise that raise at all, in the words of each client.
RAISED: Mapping[str, tuple[str, ...]] = {
    "invalid": (
        "BadRequestError",
        "AI_APICallError",
        "OpenAIInvalidRequestError",
        "ModelRequestRejectedError",
    ),
    "untranslatable": ("BadRequestError",),
    "invalid_stream": ("BadRequestError",),
    "no_messages": ("BadRequestError",),
    "too_long": ("BadRequestError",),
    "unknown_model": (
        "NotFoundError",
        "AI_APICallError",
        "OpenAIModelNotFoundError",
        "ModelNotFoundError",
        "BadRequestError",
        "OpenAIInvalidRequestError",
        "ModelRequestRejectedError",
    ),
    "server_error": (
        "InternalServerError",
        "AI_APICallError",
        "OpenAIAPIError",
        "ModelServerError",
    ),
    "rate_limited": ("RateLimitError", "AI_APICallError"),
    "timeout": ("APITimeoutError", "APIConnectionTimeoutError", "TimeoutError"),
}
# The most chunks a framework makes of an end.
CLOSING = 3
NAMES = {"auto", "nano", "mini", "full"}


def normal(value: Any, name: str = "") -> Any:
    """A result without what no two exchanges share."""
    if isinstance(value, dict):
        if name == "headers":
            value = {k.lower(): v for k, v in value.items() if PASSED.fullmatch(k.lower())}
        return {key: normal(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    if name in STAMPS and isinstance(value, int | float):
        return "a time"
    return STAMP.sub("a time", ID.sub("an id", value)) if isinstance(value, str) else value


def model_of(result: Any) -> str | None:
    """The response model a result speaks of, if any."""
    values: list[Any] = [result]
    for value in values:
        if isinstance(value, dict):
            if isinstance(named := value.get("model") or value.get("modelId"), str):
                return named
            values.extend(value.values())
        elif isinstance(value, list):
            values.extend(value)
    return None


def stem(case: str) -> str:
    """What a case is about, whichever API it is on."""
    return case.removeprefix(OTHER_API)


def surprise(case: str, direct: Any) -> str:
    """What is wrong with a result without the gateway; empty when it is what the case is about."""
    raised = direct.get("raised", "") if isinstance(direct, dict) else ""
    wanted = RAISED.get(stem(case), ("",))
    return "" if raised in wanted else f"raised {_shown(direct)}, not {' or '.join(wanted)}"


def difference(case: str, direct: Any, through: Any) -> str:
    """Where two results of a case differ; empty when they are as they should be."""
    raised = any(isinstance(each, dict) and "raised" in each for each in (direct, through))
    if raised and stem(case) not in RAISED:
        return _equal(direct, through)
    return EXCEPTIONS.get(stem(case), _equal)(direct, through)


def _equal(direct: Any, through: Any) -> str:
    return _unlike(normal(direct), normal(through), "")


def _unlike(left: Any, right: Any, where: str) -> str:
    """The first place where two values differ."""
    alike = type(left) is type(right)
    if alike and isinstance(left, dict):
        for key in [*left, *(key for key in right if key not in left)]:
            if found := _unlike(left.get(key, "—"), right.get(key, "—"), f"{where}.{key}"):
                return found
        return "" if list(left) == list(right) else f"{where or '.'}: members in another order"
    if alike and isinstance(left, list) and len(left) == len(right):
        pairs = enumerate(zip(left, right, strict=True))
        places = (_unlike(one, other, f"{where}[{n}]") for n, (one, other) in pairs)
        return next(filter(None, places), "")
    return (
        "" if alike and left == right else f"{where or '.'}: {_shown(left)} became {_shown(right)}"
    )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}…"


def _headers(direct: Any, through: Any) -> str:
    found = _equal(direct, through)
    fields: Mapping[str, str] = {name.lower(): v for name, v in through["headers"].items()}
    leaked = [name for name in HIDDEN if name in fields]
    missing = [name for name in OURS if f"x-gateway-{name}" not in fields]
    if leaked or missing:
        return f"leaked {leaked}, missing {missing}"
    return found


def _rescued(direct: Any, through: Any) -> str:
    """A stream that breaks: the same chunks, and then an error that says so."""
    whole, torn = normal(direct["chunks"]), normal(through["chunks"])
    # Frameworks close a stream they take for whole with chunks of their own.
    if torn and len(torn) < len(whole) <= len(torn) + CLOSING:
        del whole[len(torn) :]
    if found := _unlike(whole, torn, ".chunks"):
        return found
    # Clients show an error's code, or only its message.
    if not any(word in str(through["error"]) for word in ("upstream_truncated", "ended before")):
        return f".error: {_shown(through['error'])} does not say that the reply is cut"
    return ""


def _models(direct: Any, through: Any) -> str:
    listed = set(through["ids"])
    lost = (set(direct["ids"]) | NAMES) - listed
    if lost:
        return f"not listed: {sorted(lost)}"
    return _unlike({**direct, "ids": []}, {**through, "ids": []}, "")


def _twice(direct: Any, through: Any) -> str:
    """The second reply is the first again: the very same, as nothing of it was made anew."""
    if through[1]["cache"] != "hit":
        return f"[1].cache: {_shown(through[1]['cache'])}"
    first, second = ({**each["reply"], "_request_id": None} for each in through)
    expected = {**normal(direct[0]["reply"]), "_request_id": None}
    return _unlike(expected, normal(first), "[0]") or _unlike(first, second, "[1]")


def _too_long(direct: Any, through: Any) -> str:
    """A routed prompt that fits nowhere is refused by the gateway, which need not count it out."""
    quoted = ("message", "body")
    left, right = ({k: v for k, v in each.items() if k not in quoted} for each in (direct, through))
    if "maximum context length is 1047576 tokens" not in through["message"]:
        return f".message: {_shown(through['message'])}"
    return _unlike(normal(left), normal(right), "")


EXCEPTIONS: Mapping[str, Callable[[Any, Any], str]] = {
    "headers": _headers,
    "stream_headers": _headers,
    "cut": _rescued,
    "silent": _rescued,
    "models": _models,
    "kept": _twice,
    "too_long": _too_long,
}
