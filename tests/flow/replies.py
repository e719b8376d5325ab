"""What upstreams answer in these tests."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from gateway.call import Headers
from gateway.errors import UpstreamError
from gateway.ports import Request
from tests.fakes import EVENT_HEAD, JSON_HEAD, FakeReply

Answered = FakeReply | UpstreamError | Callable[[Request], FakeReply | Awaitable[FakeReply]]
Piece = bytes | UpstreamError | Callable[[], Awaitable[object]]


def in_turn(
    *answers: Answered,
) -> Callable[[Request], FakeReply | UpstreamError | Awaitable[FakeReply]]:
    """Each request gets the next answer; one too many is a failure of the test."""
    left = deque(answers)

    def answer(request: Request) -> FakeReply | UpstreamError | Awaitable[FakeReply]:
        given = left.popleft()
        return given(request) if callable(given) else given

    return answer


def body(text: str = "Paris.", *, usage: tuple[int, int] | None = (100, 20), **more: Any) -> bytes:
    """A whole reply's body; `usage` is prompt and completion tokens."""
    said: dict[str, Any] = {
        "id": "chatcmpl-1",
        "model": "gpt-4.1-2025-04-14",
        "choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"}],
        **more,
    }
    if usage is not None:
        said["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return orjson.dumps(said)


def whole(*pieces: Piece, headers: Headers = ()) -> FakeReply:
    return FakeReply(200, JSON_HEAD + headers, pieces or (body(),))


def frame(text: str, *, finish: str | None = None, **more: Any) -> bytes:
    """A chunk of a streamed reply."""
    chunk = {
        "id": "chatcmpl-1",
        "model": "gpt-4.1-2025-04-14",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}],
        **more,
    }
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def usage_frame(prompt: int = 100, completion: int = 20) -> bytes:
    used = {"prompt_tokens": prompt, "completion_tokens": completion}
    chunk = {"id": "chatcmpl-1", "model": "gpt-4.1-2025-04-14", "choices": [], "usage": used}
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


DONE = b"data: [DONE]\n\n"
OPENING, CLOSING = frame("Pa"), frame("ris.", finish="stop")
STREAMED = OPENING + CLOSING + DONE
ERROR_FRAME = b'data: {"error":{"message":"The server had an error","type":"server_error"}}\n\n'


def stream(*pieces: Piece, headers: Headers = ()) -> FakeReply:
    """A streamed reply; without pieces, a good one of several."""
    return FakeReply(200, EVENT_HEAD + headers, pieces or (OPENING, CLOSING, usage_frame() + DONE))


def error(
    status: int, code: str | None = None, *, message: str = "No.", headers: Headers = ()
) -> FakeReply:
    said = {"error": {"message": message, "type": "t", "param": None, "code": code}}
    return FakeReply(status, JSON_HEAD + headers, (orjson.dumps(said),))


async def never(_: object = None) -> FakeReply:
    """An upstream that takes the request and says nothing."""
    await asyncio.Event().wait()
    raise AssertionError


def gated(gate: asyncio.Event, reply: FakeReply | UpstreamError) -> Answered:
    """An upstream whose head comes when the gate opens."""

    async def answer() -> FakeReply:
        await gate.wait()
        if isinstance(reply, UpstreamError):
            raise reply
        return reply

    return lambda _: answer()
