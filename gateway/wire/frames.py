"""What a WebSocket's far side says of its use: the counts in its `response.done` events.

Frames are read along while their bytes pass (RFC 6455, section 5.2; no extension is offered, so
nothing is compressed). Of each message only the beginning is kept until it shows what it is: audio
passes at the price of a few bytes. Whatever is odd ends the reading, never the passing.
"""

from gateway.call import NO_USAGE, Usage
from gateway.wire.reader import Unreadable, look
from gateway.wire.usage import any_usage

# The type stands near the beginning of every event, before or behind its id.
BEGINNING = 256
ENDS = (b'"response.done"', b'"response.completed"')
LARGEST_EVENT = 4 * 1024 * 1024
CONTINUATION, TEXT, CONTROL = 0, 1, 8
TWO_BYTES, EIGHT_BYTES = 126, 127


class Frames:
    """Reads along one direction of one connection."""

    __slots__ = (
        *("_buffer", "_control", "_event", "_final", "_kept", "_left", "_odd", "_opcode", "_sum"),
        *("model", "size"),
    )

    def __init__(self) -> None:
        self._buffer = b""
        self._event = bytearray()
        self._kept = True
        self._final = False
        self._left = -1
        self._odd = False
        self._opcode = TEXT
        self._control = False
        self._sum = NO_USAGE
        self.model = ""
        self.size = 0

    def see(self, data: bytes) -> None:
        """More of it passes."""
        self.size += len(data)
        data = self._buffer + data
        self._buffer = b""
        while data and not self._odd:
            if self._left < 0:
                length = self._header(data)
                if not length:
                    self._buffer = data
                    return
                data = data[length:]
            piece, data = data[: self._left], data[self._left :]
            self._take(piece)

    def usage(self) -> Usage | None:
        """All that was used so far; None where nothing was said."""
        return None if self._sum is NO_USAGE else self._sum

    def document(self) -> dict[str, object]:
        """A connection makes nothing that has an id of its own."""
        return {}

    def _header(self, data: bytes) -> int:
        """Read a frame's header; its length, 0 where it is not all here."""
        if len(data) < 2:
            return 0
        short = data[1] & 0x7F
        extra = {TWO_BYTES: 2, EIGHT_BYTES: 8}.get(short, 0)
        if len(data) < 2 + extra:
            return 0
        # A far side masks nothing and has no extension to set these bits for.
        self._odd = bool(data[0] & 0x70 or data[1] & 0x80)
        self._final = bool(data[0] & 0x80)
        opcode = data[0] & 0x0F
        # Pings may come between the parts of a message, and are none of it.
        self._control = opcode >= CONTROL
        if opcode != CONTINUATION and not self._control:
            self._opcode = opcode
            self._kept = True
            self._event.clear()
        self._left = int.from_bytes(data[2 : 2 + extra]) if extra else short
        return 2 + extra

    def _take(self, piece: bytes) -> None:
        """More of a frame's payload."""
        self._left -= len(piece)
        if self._opcode == TEXT and self._kept and not self._control:
            self._event += piece
            small = len(self._event) < BEGINNING
            told = any(end in self._event[: 2 * BEGINNING] for end in ENDS)
            self._kept = (small or told) and len(self._event) <= LARGEST_EVENT
        if self._left:
            return
        self._left = -1
        if self._final and self._opcode == TEXT and not self._control:
            if self._kept:
                self._end()
            self._event.clear()

    def _end(self) -> None:
        if not any(end in self._event for end in ENDS):
            return
        try:
            event = look(bytes(self._event))
        except Unreadable:
            return
        response = event.get("response") if isinstance(event, dict) else None
        if not isinstance(response, dict):
            return
        model = response.get("model")
        self.model = model if isinstance(model, str) else self.model
        used = any_usage(response.get("usage"))
        if used is not None:
            self._sum = used if self._sum is NO_USAGE else self._sum.plus(used)
