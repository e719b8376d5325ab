"""What the caller may say about a call, in our words and in those users already know.

    says                                              means
    x-gateway-max-cost-usd: 0.002                     cost cap of this call
    x-gateway-deadline-ms, x-litellm-timeout (s)      latency budget to the last byte
    x-gateway-deadline-ttft-ms, x-gateway-ttft-ms     … to the first
    x-gateway-quality: 0–1                            the dial, 0 is cheapest
    x-gateway-tier: nano, mini or full                that tier
    x-gateway-cache, cache-control                    kept replies (`gateway.wire.caching`)
    x-session-id, and what agents send by themselves  the conversation this call belongs to
      (x-claude-code-session-id, session_id, x-session-affinity)
    x-gateway-explain: 1                              say why, in the body
    x-stainless-read-timeout, x-stainless-timeout     how long the client itself waits, in seconds
    body: models, provider, plugins                   OpenRouter's (`gateway.wire.openrouter`)
    body: cache                                       LiteLLM's (`gateway.wire.caching`)

Headers win over the body. A knob with a value it cannot have is refused, never guessed at; what
SDKs and browsers send by themselves (x-stainless-*, cache-control) is used or ignored.
"""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.call import NO_WISHES, CacheWish, Wishes
from gateway.catalog import TIER_LABELS, TIERS_BY_LABEL, Tier
from gateway.errors import InvalidValue
from gateway.wire.caching import from_cache_control, from_gateway_header, from_member
from gateway.wire.openrouter import from_models, from_plugins, from_provider
from gateway.wire.values import DAY_SECONDS, choice, dollars, number, refuse

SESSION_CHARS = 256
"""Longest session id; SDKs send UUIDs."""

_NOTHING: frozenset[str] = frozenset()
_SDK_TIMEOUT = b"x-stainless-read-timeout"
_SDK_ONLY = frozenset([_SDK_TIMEOUT])
_SDK_PATIENCE = Wishes(patience=600.0)
_DAY_MS = DAY_SECONDS * 1000


def parse(
    headers: Mapping[bytes, bytes], document: Mapping[str, Any]
) -> tuple[Wishes, frozenset[str]]:
    """The caller's wishes, and the members of the body that are ours to strip.

    `headers` have lower-case names. A member that does not have the knob's shape is not ours: it
    stays, for the upstream to judge.

    Raises:
        InvalidValue: a knob with a value it cannot have; `param` names it.
    """
    if HEADERS.isdisjoint(headers) and not (
        "models" in document
        or "provider" in document
        or "plugins" in document
        or "cache" in document
    ):
        return NO_WISHES, _NOTHING
    given = HEADERS.intersection(headers)
    fields: dict[str, Any] = {}
    caching: dict[str, Any] = {}
    stripped = _from_body(document, fields, caching)
    # openai-python sends its timeout with every call; nearly always the one it came with.
    if given == _SDK_ONLY and headers[_SDK_TIMEOUT] == b"600" and not fields and not caching:
        return _SDK_PATIENCE, stripped
    for name, field, reader in _READERS:
        if name in given:
            said = reader(headers[name].decode("latin-1").strip(), name.decode())
            if said is not None:
                fields[field] = said
    for name, speaks in _CACHE_READERS.items():
        if name in given:
            caching.update(speaks(headers[name].decode("latin-1")))
    if caching:
        fields["cache"] = CacheWish(**caching)
    return Wishes(**fields) if fields else NO_WISHES, stripped


def _from_body(
    document: Mapping[str, Any], fields: dict[str, Any], caching: dict[str, Any]
) -> frozenset[str]:
    stripped: list[str] = []
    for member, reader in _MEMBER_READERS.items():
        said = reader(document[member]) if member in document else None
        if said is not None:
            stripped.append(member)
            (caching if member == "cache" else fields).update(said)
    return frozenset(stripped)


def _millis(text: str, param: str) -> float:
    return number(text, param, 1, _DAY_MS, " milliseconds") / 1000


def _seconds(text: str, param: str) -> float:
    return number(text, param, 0.001, DAY_SECONDS, " seconds")


def _patience(text: str, param: str) -> float | None:
    # The SDK sends whatever timeout its user set, infinity too; that is no word to us.
    try:
        return _seconds(text, param)
    except InvalidValue:
        return None


def _dial(text: str, param: str) -> float:
    return number(text, param, 0, 1)


def _tier(text: str, param: str) -> Tier:
    return TIERS_BY_LABEL[choice(text, param, TIER_LABELS)]


def _session(text: str, param: str) -> str:
    if not 0 < len(text) <= SESSION_CHARS or not text.isprintable():
        refuse(param, f"1 to {SESSION_CHARS} printable characters")
    return text


def _agents_session(text: str, param: str) -> str | None:
    # Agents send theirs unasked: one that cannot be used is no reason to refuse their call.
    try:
        return _session(text, param)
    except InvalidValue:
        return None


def _yes(text: str, param: str) -> bool:
    return choice(text, param, ("0", "1")) == "1"


# Of two names for one field the later wins.
_READERS: tuple[tuple[bytes, str, Callable[[str, str], Any]], ...] = (
    (b"x-stainless-timeout", "patience", _patience),
    (_SDK_TIMEOUT, "patience", _patience),
    (b"x-litellm-timeout", "deadline", _seconds),
    (b"x-gateway-deadline-ms", "deadline", _millis),
    (b"x-gateway-ttft-ms", "ttft", _millis),
    (b"x-gateway-deadline-ttft-ms", "ttft", _millis),
    (b"x-gateway-max-cost-usd", "max_cost", dollars),
    (b"x-gateway-quality", "quality", _dial),
    (b"x-gateway-tier", "tier", _tier),
    (b"x-session-affinity", "session", _agents_session),
    (b"session_id", "session", _agents_session),
    (b"x-claude-code-session-id", "session", _agents_session),
    (b"x-session-id", "session", _session),
    (b"x-gateway-explain", "explain", _yes),
)
_CACHE_READERS: Mapping[bytes, Callable[[str], dict[str, Any]]] = {
    b"cache-control": from_cache_control,
    b"x-gateway-cache": from_gateway_header,
}
_MEMBER_READERS: Mapping[str, Callable[[object], dict[str, Any] | None]] = {
    "models": from_models,
    "provider": from_provider,
    "plugins": from_plugins,
    "cache": from_member,
}
HEADERS = frozenset([name for name, _, _ in _READERS]) | frozenset(_CACHE_READERS)
"""Names of the header fields that are read here."""
