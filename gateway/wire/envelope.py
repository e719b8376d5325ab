"""Errors as OpenAI spells them; clients read `message`, `type`, `param` and `code`, all present."""

import json

import orjson

from gateway.errors import GatewayError


def envelope(error: GatewayError) -> bytes:
    """The body of an error reply."""
    said = {
        "error": {
            "message": error.message,
            "type": error.type,
            "param": error.param,
            "code": error.code,
        }
    }
    try:
        return orjson.dumps(said)
    except orjson.JSONEncodeError:
        # A message may quote the caller, and callers may write half a surrogate pair.
        return json.dumps(said, separators=(",", ":")).encode()


def error_frame(error: GatewayError) -> bytes:
    """An error inside a stream. JSON escapes line ends, so one data line is enough."""
    return b"data: " + envelope(error) + b"\n\n"
