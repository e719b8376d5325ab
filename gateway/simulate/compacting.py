"""A conversation made shorter, as `/responses/compact` gives it.

What the user said stays, word for word; one sealed item stands for the rest. Its seal holds nothing
here: a later call that brings it is answered as if it were not there.
"""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from gateway.simulate.refusals import Refusal
from gateway.simulate.replies import Sending
from gateway.simulate.responses import usage_of
from gateway.simulate.responses_asking import Asked
from gateway.simulate.script import Step


class Compacting:
    """The words of this API for one request; nothing is stored."""

    __slots__ = ("_said",)

    def __init__(self, asked: Asked) -> None:
        """Raises a refusal where a stream is asked for: this API has none."""
        if asked.ask.stream:
            message = "Unknown parameter: 'stream'."
            raise Refusal(400, message, param="stream", code="unknown_parameter")
        self._said = asked.said

    def document(self, sending: Sending) -> dict[str, Any]:
        """The shortened conversation."""
        own = sending.answer.id.removeprefix("chatcmpl-")
        spoken = [one for one in self._said if one.get("role") == "user"]
        kept = [_message(one, f"msg_{own}{index}") for index, one in enumerate(spoken)]
        sealed = {
            "id": f"cmp_{own}",
            "type": "compaction",
            "encrypted_content": b64encode(f"simulated {own}".encode()).decode(),
        }
        return {
            "id": f"resp_{own}",
            "object": "response.compaction",
            "created_at": sending.created,
            "output": [*kept, sealed],
            "usage": usage_of(sending),
        }

    def stream(self, sending: Sending, waits: Iterator[float]) -> Iterator[Step]:
        """Nothing: none is ever asked for."""
        _ = sending, waits
        return iter(())


def _message(said: dict[str, Any], name: str) -> dict[str, Any]:
    content = said.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    written = [
        {"type": "input_text", "text": part["text"]} if part.get("type") == "text" else part
        for part in parts or []
    ]
    return {
        "id": name,
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": written,
    }
