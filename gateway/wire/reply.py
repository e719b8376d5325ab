"""A whole chat reply: what the books need to know of it. Its bytes stay as they are."""

from typing import NamedTuple

from gateway.call import Usage
from gateway.errors import UpstreamBroken
from gateway.wire.reader import Unreadable, look
from gateway.wire.text import chars_of
from gateway.wire.usage import usage_of


class Facts(NamedTuple):
    """What a reply says of itself.

    `model` is the response model, `text_chars` the characters of all its choices, counted only
    where the upstream counted no tokens; `id` is what it is asked for by where it is stored.
    """

    usage: Usage | None
    model: str
    text_chars: int
    id: str = ""

    def names(self) -> tuple[str, ...]:
        """The id that later calls may refer to it by, where it is stored."""
        return (self.id,) if self.id else ()


def inspect(body: bytes) -> Facts:
    """Look at the body of a 200 reply that is not streamed.

    Raises:
        UpstreamBroken: when it is no chat reply: no JSON object, or an error in disguise.
    """
    try:
        document = look(body)
    except Unreadable as refusal:
        message = f"The upstream's reply is no JSON: {refusal}."
        raise UpstreamBroken(message) from None
    choices = document.get("choices") if isinstance(document, dict) else None
    if not isinstance(choices, list):
        hidden = isinstance(document, dict) and document.get("error")
        what = "an error" if hidden else "something that is no chat reply"
        message = f"The upstream answered {what} with status 200."
        raise UpstreamBroken(message)
    model, named = document.get("model"), document.get("id")
    usage = usage_of(document)
    chars = chars_of(choices, "message") if usage is None else 0
    return Facts(
        usage,
        model if isinstance(model, str) else "",
        chars,
        named if isinstance(named, str) else "",
    )
