"""What the tests of chat share."""

from gateway.wire.chat import ChatStream
from tests.wire.streams import (
    chunk,
    frame,
    word,
)

FIRST = frame(chunk({"role": "assistant", "content": "", "refusal": None}))
HELLO = frame(word("hello"))
STOP = frame(chunk({}, "stop"))
ERROR = frame({"error": {"message": "boom", "type": "server_error", "param": None, "code": None}})


def plain() -> ChatStream:
    return ChatStream(strip_usage=False)
