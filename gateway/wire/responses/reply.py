"""A whole response: what the books, and those who look for it later, need to know of it.

Its bytes stay as they are. A response that is still `queued` or `in_progress` (`background`) is as
good as a completed one: its usage comes when it is fetched.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.call import Usage
from gateway.errors import UpstreamBroken
from gateway.wire.reader import Unreadable, look
from gateway.wire.responses.usage import usage_of

MOST_ITEMS = 64
"""Items whose ids are told; what refers to more refers to some of these."""

_TEXTS = ("text", "refusal", "arguments", "input", "code")


class Facts(NamedTuple):
    """What a response says of itself.

    `status` is `completed`, `incomplete`, `failed`, `cancelled`, `queued` or `in_progress`. `id`,
    `conversation` and `items` are the ids it can be found by later. `error` is what went wrong in
    a failed one. `text_chars` is counted only where the upstream counted no tokens.
    """

    usage: Usage | None
    model: str
    text_chars: int
    id: str
    status: str
    conversation: str = ""
    items: tuple[str, ...] = ()
    error: Mapping[str, Any] | None = None

    def names(self) -> tuple[str, ...]:
        """The ids that later calls may refer to it by, strongest first."""
        return tuple(name for name in (self.id, self.conversation, *self.items) if name)


def inspect(body: bytes) -> Facts:
    """Look at the body of a 200 reply that is not streamed.

    Raises:
        UpstreamBroken: when it is no response: no JSON object, or an error in disguise.
    """
    try:
        document = look(body)
    except Unreadable as refusal:
        message = f"The upstream's reply is no JSON: {refusal}."
        raise UpstreamBroken(message) from None
    if not isinstance(document, dict) or not is_response(document):
        hidden = isinstance(document, dict) and document.get("error")
        what = "an error" if hidden else "something that is no response"
        message = f"The upstream answered {what} with status 200."
        raise UpstreamBroken(message)
    return facts(document)


def inspect_compacted(body: bytes) -> Facts:
    """The same for a conversation that was made shorter.

    Its items are what the caller said, and last what stands for the rest: later calls bring that.
    """
    found = inspect(body)
    return found._replace(items=found.items[::-1])


def is_response(document: Mapping[str, Any]) -> bool:
    """Whether an object is a response."""
    return document.get("object") == "response" or isinstance(document.get("output"), list)


def facts(response: Mapping[str, Any]) -> Facts:
    """What a response says, whole or inside an event."""
    usage = usage_of(response)
    conversation = response.get("conversation")
    if isinstance(conversation, dict):
        conversation = conversation.get("id")
    error = response.get("error")
    items = response.get("output")
    items = items if isinstance(items, list) else []
    return Facts(
        usage,
        _text(response.get("model")),
        sum(map(_chars, items)) if usage is None else 0,
        _text(response.get("id")),
        _text(response.get("status")),
        _text(conversation),
        tuple(_ids(items[:MOST_ITEMS])),
        error if isinstance(error, dict) else None,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _ids(items: list[Any]) -> Iterator[str]:
    for item in items:
        for member in ("container_id", "id") if isinstance(item, dict) else ():
            # A container was made for the tool that ran in it.
            name = item.get(member)
            if isinstance(name, str) and name:
                yield name


def _chars(item: object) -> int:
    """Characters of an output item: its texts, and what tools were given."""
    if not isinstance(item, dict):
        return 0
    total = sum([len(text) for name in _TEXTS if isinstance(text := item.get(name), str)])
    for group in ("content", "summary"):
        parts = item.get(group)
        for part in parts if isinstance(parts, list) else ():
            total += _chars(part)
    return total
