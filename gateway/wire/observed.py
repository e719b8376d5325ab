"""What can be told of a reply that passes: its usage, and the id of what it made.

Its first bytes and its last are kept while it passes, whatever its length: a small reply is read
whole, of a large one only the count near its end. Nothing of it is changed or delayed.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.call import Usage
from gateway.wire.reader import Unreadable, look
from gateway.wire.usage import any_usage

# Larger replies are files, pictures and long lists.
HEAD_BYTES = 256 * 1024
TAIL_BYTES = 4 * 1024
# What of one piece may be the beginning of an ending in the next.
SEAM_BYTES = 40


class Endings(NamedTuple):
    """How an area's whole streams end: by one of `ends`.

    Where there are `words`, only streams that begin with one of them are held to it: servers of
    another kind have endings of their own.
    """

    ends: tuple[bytes, ...] = ()
    words: tuple[bytes, ...] = ()


# Streams of other areas end as their framing does. In quotes: no text inside JSON can look so.
ENDINGS: Mapping[str, Endings] = {
    "completions": Endings((b"\ndata: [DONE]",)),
    "responses": Endings(
        tuple(
            b"\nevent: " + name
            for name in (
                b"response.completed",
                b"response.failed",
                b"response.incomplete",
                b"response.cancelled",
                b"error",
            )
        )
    ),
    "images": Endings(
        (b'"image_generation.completed"', b'"image_edit.completed"', b'"error"'),
        (b'"image_generation.', b'"image_edit.'),
    ),
    "audio": Endings(
        (b'"transcript.text.done"', b'"speech.audio.done"', b'"error"'),
        (b'"transcript.text.', b'"speech.audio.'),
    ),
    "threads": Endings((b"\nevent: done", b"\nevent: error"), (b"event: thread.",)),
}
ANY_END = Endings()
# The last count in a stream, or behind thousands of vectors; details may nest once.
LAST_USAGE = re.compile(rb'"usage"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})')


class Observed:
    """Collects the two ends of one body; `endings` tell whether a stream was cut."""

    __slots__ = ("_ended", "_endings", "_head", "_seam", "_tail", "size")

    def __init__(self, endings: Endings = ANY_END) -> None:
        self._endings = endings
        # As if an empty line stood before the first event.
        self._seam = b"\n"
        self._ended = not endings.ends
        self._head = bytearray()
        self._tail = bytearray()
        self.size = 0

    def see(self, data: bytes) -> None:
        """More of it passes."""
        self.size += len(data)
        if not self._ended:
            seen = self._seam + data
            self._ended = any(ending in seen for ending in self._endings.ends)
            self._seam = seen[-SEAM_BYTES:]
        room = HEAD_BYTES - len(self._head)
        if room > 0:
            self._head += data[:room]
        self._tail += data[-TAIL_BYTES:]
        if len(self._tail) > 2 * TAIL_BYTES:
            del self._tail[:-TAIL_BYTES]

    @property
    def ended(self) -> bool:
        """Whether it could end here."""
        words = self._endings.words
        return self._ended or (bool(words) and not any(word in self._head for word in words))

    def document(self) -> Mapping[str, Any]:
        """The whole of it as JSON, empty where it is none or too large."""
        if self.size != len(self._head):
            return {}
        try:
            found = look(bytes(self._head))
        except Unreadable:
            return {}
        return found if isinstance(found, dict) else {}

    def usage(self) -> Usage | None:
        """The token counts it states."""
        if document := self.document():
            return any_usage(document.get("usage"), document.get("service_tier"))
        stated = LAST_USAGE.findall(bytes(self._tail))
        if not stated:
            return None
        try:
            return any_usage(look(stated[-1]))
        except Unreadable:
            return None
