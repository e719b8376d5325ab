"""Streams of typed events to feed, as OpenAI writes them, and odd ones."""

import json
from typing import Any

from hypothesis import strategies as st

from gateway.wire.responses.stream import ResponseStream

USAGE = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 0},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 39,
}
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "status": "in_progress",
    "model": "gpt-4.1-nano-2025-04-14",
    "output": [],
    "error": None,
    "usage": None,
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Paris.", "annotations": []}],
}


def event(kind: str, number: int = 0, **members: Any) -> bytes:
    document = {"type": kind, **members, "sequence_number": number}
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    data = text.encode("utf-8", "backslashreplace")
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


def began() -> bytes:
    return event("response.created", 0, response=RESPONSE)


def delta(text: str, number: int = 1, kind: str = "output_text") -> bytes:
    place = {"content_index": 0, "item_id": "msg_1", "output_index": 0}
    more = {"logprobs": [], "obfuscation": "aB1"} if kind == "output_text" else {}
    return event(f"response.{kind}.delta", number, **place, delta=text, **more)


def ended(status: str = "completed", number: int = 9, **more: Any) -> bytes:
    response = {**RESPONSE, "status": status, "output": [MESSAGE], "usage": USAGE, **more}
    return event(f"response.{status}", number, response=response)


def seen(stream: ResponseStream) -> tuple[object, ...]:
    return (
        stream.started, stream.finished, stream.done, stream.usage, stream.model,
        stream.text_chars, stream.error, stream.saw_id, repr(stream.broken), stream.facts,
        stream.sequence,
    )  # fmt: skip


TEXTS = st.sampled_from(
    ["hello", "", "ü", "a\nb", '"', "\\", '"}', "\ud83d", "😀", "data: [DONE]\n\n", "{[", '","x":"']
)
PIECES = st.one_of(
    st.builds(delta, TEXTS, st.integers(0, 99)),
    st.builds(delta, TEXTS, st.just(3), st.sampled_from(["function_call_arguments", "refusal"])),
    st.sampled_from(
        [
            began(),
            event("response.in_progress", 1, response=RESPONSE),
            event("response.output_item.added", 2, item=MESSAGE),
            event("response.something.new", 3, x=[1]),
            event("response.audio.delta", 4, delta="AAAA"),
            event("error", 5, code="server_error", message="boom", param=None),
            event("error", 5, error={"message": "boom"}),
            ended("failed", error={"code": "server_error", "message": "boom"}),
            ended("incomplete"),
            b": wait\n\n",
            b"id: 7\n\n",
            b"\n",
            b"\r\n\r\n",
            b"event: x\n\n",
            b"data: [DONE]\n\n",
            b"data: {\n\n",
            b'data: {"x":1}\n\n',
            b'data: ["x"]\n\n',
            b'data: {"error":"boom"}\n\n',
        ]
    ),
)
BODIES = st.builds(
    lambda pieces, last, crlf: b"".join([began(), *pieces, last]).replace(
        b"\n", b"\r\n" if crlf else b"\n"
    ),
    st.lists(PIECES, max_size=8),
    st.sampled_from([ended(), b"", ended() + b"data: [DONE]\n\n"]),
    st.booleans(),
)
