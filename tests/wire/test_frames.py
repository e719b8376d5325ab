"""Counts are found in a WebSocket's messages, however they are framed and split."""

import struct
from typing import Any

import orjson
import pytest

from gateway.call import Usage
from gateway.wire.frames import Frames


def frame(payload: bytes, opcode: int = 1, *, final: bool = True) -> bytes:
    size = len(payload)
    if size < 126:
        length = bytes([size])
    elif size < 1 << 16:
        length = b"\x7e" + struct.pack("!H", size)
    else:
        length = b"\x7f" + struct.pack("!Q", size)
    return bytes([(0x80 if final else 0) | opcode]) + length + payload


def done(prompt: int = 10, completion: int = 5, pad: int = 0, **more: Any) -> bytes:
    usage = {"input_tokens": prompt, "output_tokens": completion}
    event = {"event_id": "event_1", "type": "response.done"}
    return orjson.dumps({**event, "response": {"pad": "x" * pad, "usage": usage, **more}})


def seen(data: bytes, step: int) -> Frames:
    frames = Frames()
    for at in range(0, len(data), step):
        frames.see(data[at : at + step])
    return frames


AUDIO = frame(b'{"type":"response.output_audio.delta","delta":"' + b"A" * 200_000 + b'"}')
MESSAGES = {
    "one": (frame(done()), Usage(10, 5)),
    "of a middle size": (frame(done(pad=1000)), Usage(10, 5)),
    "a large one": (frame(done(pad=70_000)), Usage(10, 5)),
    "two with audio between": (frame(done()) + AUDIO + frame(done(1, 2)), Usage(11, 7)),
    "in parts with a ping between": (
        frame(done()[:20], final=False)
        + frame(b"ping", 9)
        + frame(done()[20:60], 0, final=False)
        + frame(done()[60:], 0),
        Usage(10, 5),
    ),
    "a binary message that looks like one": (frame(done(), 2), None),
    "words about one": (frame(b'{"type":"x","text":"\\"response.done\\""}'), None),
    "no JSON": (frame(b'{"type":"response.done"'), None),
    "no response": (frame(b'{"type":"response.done"}'), None),
    "nothing": (b"", None),
}


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
@pytest.mark.parametrize("name", MESSAGES)
def test_counts_are_summed(name: str, step: int) -> None:
    data, usage = MESSAGES[name]

    found = seen(data, step)

    assert found.usage() == usage
    assert found.size == len(data)


def test_the_model_is_read_too() -> None:
    assert seen(frame(done(model="gpt-realtime")), 5).model == "gpt-realtime"


def test_what_is_no_frame_ends_the_reading() -> None:
    assert seen(b"\xff\xff" + frame(done()), 3).usage() is None
