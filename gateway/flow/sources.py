"""Where a streamed answer's pieces come from: an upstream's event stream."""

import asyncio
from collections.abc import Callable

from gateway.ports import Reply
from gateway.wire.api import Machine

# After `[DONE]` the connection is given this long to end by itself and be used again.
LINGER_SECONDS = 0.25
# English prose in o200k; used only when an upstream sends no usage.
CHARS_PER_TOKEN = 4


class Streamed:
    """An upstream's event stream, read through the chunk state machine.

    `last_words` puts what the caller asked for into the bytes that end it.
    """

    __slots__ = ("_over", "last_words", "machine", "reply")

    def __init__(self, reply: Reply, machine: Machine) -> None:
        self.reply = reply
        self.machine = machine
        self._over = False
        self.last_words: Callable[[bytes], bytes] | None = None

    async def open(self) -> bytes:
        """Read up to the first valid event; its bytes, with what came along.

        Leaves `machine.started` false when the stream opened with an error event.
        """
        out = b""
        while not self.machine.started and self.machine.error is None:
            data = await self.reply.chunk()
            if not data:
                self.machine.end()
            out += self._fed(data)
        return out

    async def piece(self) -> bytes:
        machine = self.machine
        while not self._over:
            if machine.broken is not None:
                # What came before it has passed; nothing that may still come will mend it.
                raise machine.broken
            data = await self.reply.chunk()
            if not data:
                self._over = True
                machine.end()
                return b""
            if out := self._fed(data):
                return out
        return b""

    def abandon(self) -> None:
        self._over = True
        self.last_words = None
        self.reply.abort()

    def comments_allowed(self) -> bool:
        return not self.machine.saw_id

    def sequence(self) -> int:
        """The number of the last event; -1 where events have none."""
        return self.machine.sequence

    def tokens_seen(self) -> int:
        """About how many tokens have come, for streams that never tell."""
        return self.machine.text_chars // CHARS_PER_TOKEN

    def _fed(self, data: bytes) -> bytes:
        machine = self.machine
        out = machine.feed(data)
        if machine.done and not self._over:
            self._over = True
            # The end of the body is usually in already; if not, it may still come.
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self.reply.abort)
            last_words, self.last_words = self.last_words, None
            if last_words is not None:
                out = last_words(out)
        return out


def before_done(out: bytes, frame: bytes) -> bytes:
    """Put one more frame in front of the `[DONE]` that ends these bytes."""
    at = out.rfind(b"data: [DONE]")
    at = at if at >= 0 else out.rfind(b"data:[DONE]")
    return out[:at] + frame + out[at:] if at >= 0 else out + frame


def in_last_event(out: bytes, member: bytes) -> bytes:
    """Put one more member into the event, a JSON object, that ends these bytes."""
    at = out.rfind(b"}")
    return out[:at] + member + out[at:]
