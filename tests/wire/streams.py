"""Chat streams to feed: chunks as OpenAI and its kin write them, and odd ones."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from gateway.wire.api import Machine
from gateway.wire.chat import ChatStream

DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
HEAD: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1741569952,
    "model": "gpt-4.1-nano-2025-04-14",
    "system_fingerprint": "fp_1",
}


def chunk(
    delta: dict[str, Any] | None = None, finish: str | None = None, index: int = 0, **more: Any
) -> dict[str, Any]:
    choice = {"index": index, "delta": delta or {}, "logprobs": None, "finish_reason": finish}
    return {**HEAD, "choices": [choice], **more}


def word(text: str, **more: Any) -> dict[str, Any]:
    return chunk({"content": text}, **more)


def frame(document: Any) -> bytes:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    # Half a surrogate pair can only be written as an escape.
    return b"data: " + text.encode("utf-8", "backslashreplace") + b"\n\n"


def unasked(document: dict[str, Any]) -> dict[str, Any]:
    """The chunk as it would be, had nobody asked for usage."""
    return {name: value for name, value in document.items() if name != "usage"}


def fed(stream: Machine, data: bytes, *cuts: int) -> tuple[bytes, str]:
    """What passes on of a whole body, and how it ended."""
    passed = b""
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    try:
        for low, high in pairwise(bounds):
            passed += stream.feed(data[low:high])
        stream.end()
    except Exception as error:  # noqa: BLE001 - every ending is compared, defects too
        return passed, repr(error)
    return passed, "whole"


def seen(stream: ChatStream) -> tuple[object, ...]:
    return (
        stream.started, stream.finished, stream.done, stream.usage, stream.model,
        stream.text_chars, stream.error, stream.saw_id, repr(stream.broken),
    )  # fmt: skip


WORDS = st.one_of(
    st.sampled_from(
        [
            "hello",
            " wörld",
            "你好",
            "",
            "a\nb",
            '"',
            "\\",
            '","finish_reason":"stop","x":"',
            '"usage":null',
            ',"usage":null}\n\n',
            "data: [DONE]\n\n",
            '"content":"',
            "\ud83d",
            "😀",
            "\x7f",
        ]
    ),
    st.text(max_size=5),
)
LETTERS = st.text("abcXYZ019", max_size=8)


@st.composite
def usual(draw: st.DrawFn) -> dict[str, Any]:
    """A chunk with text; one in a few has its usage or its padding in another place."""
    shape = draw(st.integers(0, 9))
    text = draw(WORDS)
    more: dict[str, Any] = {"usage": None}
    if shape != 1:
        more["obfuscation"] = draw(LETTERS)
    if shape == 2:
        more = dict(reversed(list(more.items())))
    delta: dict[str, Any] = {"content": text}
    if shape == 3:
        call = {"index": 0, "function": {"arguments": text}}
        delta = {"tool_calls": [call]}
    if shape == 4:
        delta = {"content": draw(st.sampled_from(["", "so"])), "reasoning_content": text}
    document = chunk(delta, **more, index=draw(st.sampled_from([0, 0, 0, 1])))
    if shape == 5:
        document = {"usage": None, "x": {"content": text}, **document}
    if shape == 6:
        return dict(sorted(document.items()))
    return document


@st.composite
def odd(draw: st.DrawFn) -> bytes:
    """A frame that is no chunk with text."""
    return draw(
        st.sampled_from(
            [
                b": ping\n\n",
                b"event: ping\n\n",
                b"id: 3\n\n",
                b"\n\n",
                b"data: {}\n\n",
                b"data: []\n\n",
                b"data: nonsense\n\n",
                b"data: \n\n",
                DONE,
                b"data:[DONE]\r\n\r\n",
                frame({"error": {"message": "boom"}}),
                frame({"error": "boom"}),
                frame(chunk({}, "stop", usage=None)),
                frame(chunk({}, "length", 1)),
                frame(chunk({"role": "assistant", "content": ""}, usage=None)),
                frame({**HEAD, "choices": [], "usage": USAGE}),
                frame({**HEAD, "choices": [], "usage": None}),
                frame({**HEAD, "choices": None, "usage": USAGE}),
                frame(word("hi", usage=USAGE)),
                frame({**HEAD, "choices": [7]}),
                frame({**HEAD, "choices": [{"index": "0"}]}),
                b"data: " + b"[" * 2000 + b"\n\n",
            ]
        )
    )


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A usual frame with a few bytes changed."""
    data = bytearray(frame(draw(usual())))
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(data) - 1))
        piece = draw(st.sampled_from([b"", b'"', b"\\", b"\n", b"\xff", b"}", b",", b"x", b"\r"]))
        data[at : at + draw(st.integers(0, 2))] = piece
    return bytes(data)


FRAMES = st.one_of(usual().map(frame), usual().map(frame), odd(), mutated())
BODIES = st.lists(FRAMES, max_size=8).map(b"".join)
