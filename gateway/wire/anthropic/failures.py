"""Errors as Anthropic spells them: `{"type": "error", "error": {type, message}, "request_id"}`.

OpenAI's 503 is Anthropic's 529; every other status is the same in both. Clients read the type, and
some the words "prompt is too long", upon which they shorten the conversation and try again.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.errors import GatewayError
from gateway.wire.anthropic.parsing import dumps
from gateway.wire.reader import Unreadable, look

OVERLOADED = 529
_TOO_LONG = "context_length_exceeded"
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    OVERLOADED: "overloaded_error",
}
# Inside a stream there is no status; these are OpenAI's codes and types, the codes first.
_SPOKEN = {
    "gateway_overloaded": OVERLOADED,
    "server_is_overloaded": OVERLOADED,
    "upstreams_exhausted": OVERLOADED,
    "slow_down": OVERLOADED,
    "upstream_timeout": 504,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "invalid_request_error": 400,
    "requests": 429,
    "tokens": 429,
}
_NOTHING_SAID = "The upstream refused the call and gave no reason."


class Failure(NamedTuple):
    """An error reply."""

    status: int
    body: bytes


def translate(status: int, body: bytes, request_id: str | None = None) -> Failure:
    """An error reply that OpenAI or a server like it gave."""
    try:
        document = look(body)
    except Unreadable:
        document = None
    error = document.get("error") if isinstance(document, dict) else None
    status = OVERLOADED if status == 503 else status
    return Failure(status, _spelled(status, error, request_id))


def from_error(error: GatewayError, request_id: str | None = None) -> Failure:
    """An error of our own."""
    status = OVERLOADED if error.status == 503 else error.status
    said = {"message": error.message, "code": error.code}
    return Failure(status, _spelled(status, said, request_id))


def event(error: object, request_id: str | None = None) -> bytes:
    """The event for an `error` inside a chat stream."""
    told = error if isinstance(error, dict) else {}
    status = next(
        (
            _SPOKEN[word]
            for word in (told.get("code"), told.get("type"))
            if isinstance(word, str) and word in _SPOKEN
        ),
        500,
    )
    return b"event: error\ndata: " + _spelled(status, error, request_id) + b"\n\n"


def _spelled(status: int, error: object, request_id: str | None) -> bytes:
    told: Mapping[str, Any] = error if isinstance(error, dict) else {"message": error}
    message = told.get("message")
    message = message if isinstance(message, str) and message else _NOTHING_SAID
    if told.get("code") == _TOO_LONG:
        message = f"prompt is too long: {message}"
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
    said = {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}
    return dumps(said)
