"""Errors inside a stream of typed events.

OpenAI has written them in two ways: with `code`, `message` and `param` beside the type, and with an
`error` that holds them. Ours says both, so that clients of either kind raise it.
"""

import json
from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError
from gateway.wire.envelope import envelope


def error_event(error: GatewayError, sequence_number: int) -> bytes:
    """An error as the next event; the number continues the stream's own."""
    said = {
        "type": "error",
        "code": error.code,
        "message": error.message,
        "param": error.param,
        "sequence_number": sequence_number,
    }
    # Escaped as JSON, half a surrogate pair that a message may quote does no harm.
    start = json.dumps(said, separators=(",", ":")).encode()
    return b"event: error\ndata: " + start[:-1] + b"," + envelope(error)[1:] + b"\n\n"


def error_in(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What an event says went wrong, if it is an error, in whichever way it is written."""
    held = document.get("error")
    if isinstance(held, dict):
        return held
    if held:
        return {"message": str(held)}
    return document if document.get("type") == "error" else None
