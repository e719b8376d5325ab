"""An upstream's event, as the JSON object it carries."""

from typing import Any

from gateway.errors import UpstreamBroken
from gateway.wire.reader import Unreadable, look


def object_in(data: bytes) -> dict[str, Any]:
    """The object that an event's data are.

    Raises:
        UpstreamBroken: they are none.
    """
    try:
        document = look(data)
    except Unreadable as refusal:
        message = f"The upstream sent an event that is no JSON: {refusal}."
        raise UpstreamBroken(message) from None
    if document.__class__ is not dict:
        message = "The upstream sent an event that is no JSON object."
        raise UpstreamBroken(message)
    found: dict[str, Any] = document
    return found
