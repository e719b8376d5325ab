"""A reply as a script: a head, then bytes with the seconds to wait before each, then an ending.

Deciding what to send is kept apart from sending it; `app` plays scripts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import orjson

from gateway.call import Headers

JSON = (b"content-type", b"application/json")
EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")


class Ending(Enum):
    """How a reply ends: as it should, never, by a closed connection, or before its head."""

    WHOLE = auto()
    STALLED = auto()
    CUT = auto()
    DROPPED = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """Bytes to send after waiting `delay` seconds."""

    delay: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Script:
    """A reply to play.

    `before` is the time to the head in simulated seconds, `hold` more of it in real ones. The
    steps can be walked once.
    """

    status: int
    headers: Headers
    steps: Iterable[Step]
    stream: bool = False
    before: float = 0.0
    hold: float = 0.0
    ending: Ending = Ending.WHOLE


def json_script(
    status: int, headers: Headers, document: Mapping[str, Any], before: float = 0.0
) -> Script:
    """A reply that is one JSON document."""
    body = orjson.dumps(document)
    return Script(status, sized((JSON, *headers), body), (Step(0.0, body),), before=before)


def sized(headers: Headers, body: bytes) -> Headers:
    """Headers with the length of their body."""
    return (*headers, (b"content-length", b"%d" % len(body)))
