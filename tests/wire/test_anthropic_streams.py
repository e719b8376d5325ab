"""Chat streams as events of a message: same events for any split, no false ending."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from gateway.errors import UpstreamBroken, UpstreamTimeout
from gateway.wire.anthropic.stream import PING, MessageStream
from gateway.wire.envelope import error_frame
from gateway.wire.sse import MAX_FRAME
from tests.wire.streams import BODIES, DONE, HEAD, USAGE, chunk, frame, word

ROLE = frame(chunk({"role": "assistant", "content": "", "refusal": None}))
STOP = frame(chunk({}, "stop"))
COUNTED = frame({**HEAD, "choices": [], "usage": USAGE})
END = STOP + COUNTED + DONE
ORDER = {
    "message_start": ("ping",),
    "content_block_start": ("content_block_delta", "content_block_stop"),
    "content_block_delta": ("content_block_delta", "content_block_stop"),
    "content_block_stop": ("content_block_start", "message_delta"),
    "message_delta": ("message_stop",),
}


def called(index: int | None, **call: Any) -> bytes:
    place = {} if index is None else {"index": index}
    return frame(chunk({"tool_calls": [{**place, **call}]}))


def began(index: int | None, arguments: str = "", **more: Any) -> bytes:
    function = {"name": "look", "arguments": arguments}
    return called(index, **{"id": f"call_{index}", "function": function, **more})


def fed(machine: MessageStream, data: bytes, *cuts: int) -> bytes:
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [machine.feed(data[low:high]) for low, high in pairwise(bounds)]
    return b"".join(pieces) + machine.end()


def events(data: bytes) -> list[dict[str, Any]]:
    found = []
    for event in data.split(b"\n\n")[:-1]:
        name, said = event.split(b"\n")
        document = json.loads(said.removeprefix(b"data: "))
        assert name == b"event: " + document["type"].encode()
        found.append(document)
    return found


def told(data: bytes, **more: Any) -> list[dict[str, Any]]:
    """The events of a chat stream, but for pings and the first."""
    first, *others = [e for e in events(fed(MessageStream(**more), data)) if e["type"] != "ping"]
    assert first["type"] == "message_start"
    return others


def spoken(data: bytes, **more: Any) -> list[tuple[Any, ...]]:
    """In short: what starts, is said and stops, with the block's number."""
    short: list[tuple[Any, ...]] = []
    for event in told(data, **more):
        match event:
            case {"type": "content_block_start", "index": index, "content_block": block}:
                short.append((index, block["type"]))
            case {"type": "content_block_delta", "index": index, "delta": delta}:
                short.append((index, *[v for k, v in delta.items() if k != "type"]))
            case {"type": "content_block_stop", "index": index}:
                short.append((index, "stop"))
            case {"type": "message_delta", "delta": delta}:
                short.append((delta["stop_reason"],))
            case {"type": kind}:
                short.append((kind,))
    return short


def test_a_whole_stream() -> None:
    assert events(fed(MessageStream(prompt_tokens=8), ROLE + frame(word("Hi")) + END)) == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "gpt-4.1-nano-2025-04-14",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {
                    "input_tokens": 8,
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0,
                    "output_tokens": 0,
                },
            },
        },
        {"type": "ping"},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": "Hi"},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None, "stop_details": None},
            "usage": {
                "input_tokens": 9,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 3,
            },
        },
        {"type": "message_stop"},
    ]


@settings(deadline=None, max_examples=120)
@given(BODIES, st.lists(st.integers(0, 2000), max_size=12))
def test_any_split_of_the_bytes_tells_the_same(data: bytes, cuts: list[int]) -> None:
    at_once = fed(MessageStream(), data)

    assert fed(MessageStream(), data, *cuts) == at_once
    assert fed(MessageStream(), data, *range(len(data))) == at_once
    names = [event["type"] for event in events(at_once)]
    assert names[-1] in {"message_stop", "error"}
    for name, following in pairwise(names):
        assert "ping" in (name, following) or following in (*ORDER[name], "error")


@pytest.mark.parametrize("length", range(0, len(ROLE + frame(word("Hi")) + STOP) - 1, 7))
def test_a_stream_cut_before_its_finish_ends_in_an_error(length: int) -> None:
    data = (ROLE + frame(word("Hi")) + STOP)[:length]
    machine = MessageStream(request_id="req_1")

    last = events(fed(machine, data))[-1]

    assert last["type"] == "error"
    assert last["error"]["type"] == "api_error"
    assert last["request_id"] == "req_1"
    assert (machine.over, machine.failed) == (True, True)


def test_the_end_of_a_finished_stream_needs_no_mark() -> None:
    assert spoken(ROLE + STOP) == [("end_turn",), ("message_stop",)]


def test_a_mark_on_an_unfinished_stream_is_an_error() -> None:
    assert spoken(ROLE + frame(word("Hi")) + DONE)[-1] == ("error",)


def test_two_calls_are_two_blocks_after_the_text() -> None:
    data = (
        frame(word("Looking."))
        + began(0)
        + called(0, function={"arguments": '{"a":'})
        + called(0, function={"arguments": "1}"})
        + began(1, "{}")
        + frame(chunk({}, "tool_calls"))
        + DONE
    )

    assert spoken(data) == [
        (0, "text"), (0, "Looking."), (0, "stop"),
        (1, "tool_use"), (1, '{"a":'), (1, "1}"), (1, "stop"),
        (2, "tool_use"), (2, "{}"), (2, "stop"),
        ("tool_use",), ("message_stop",),
    ]  # fmt: skip


def test_a_call_keeps_its_id_and_gets_its_own_name() -> None:
    start = told(began(0) + END, longer={"look": "look_far"})[0]
    made_up = told(began(0, id=None) + END)[0]

    assert start["content_block"] == {
        "type": "tool_use",
        "id": "call_0",
        "name": "look_far",
        "input": {},
    }
    assert made_up["content_block"]["id"] == "toolu_1_0"


def test_calls_without_a_place_are_calls_of_their_own() -> None:
    data = began(None, "{}") + began(None, "{}") + END

    assert [said for said in spoken(data) if said[-1] == "tool_use"][:2] == [
        (0, "tool_use"),
        (1, "tool_use"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        began(0) + began(1) + called(0, function={"arguments": "{}"}),
        began(0) + frame(word("Hi")) + called(0, function={"arguments": "{}"}),
        called(0, function={"arguments": "{}"}),
        called(0),
        frame(chunk({"tool_calls": ["look"]})),
        frame({**HEAD, "choices": ["x"]}),
        frame(["x"]),
        b"data: {\n\n",
        b"data: " + b" " * MAX_FRAME + b"\n\n",
    ],
)
def test_what_cannot_be_told_in_order_is_an_error(data: bytes) -> None:
    said = events(fed(MessageStream(), ROLE + data + END))

    assert said[-1]["type"] == "error"


def test_thoughts_are_a_block_of_their_own_for_those_who_asked() -> None:
    data = (
        frame(chunk({"reasoning_content": "2+2", "reasoning": "2+2"}))
        + frame(chunk({"reasoning": "=4"}))
        + frame(word("4"))
        + END
    )

    assert spoken(data, thoughts=True)[:4] == [
        (0, "thinking"), (0, "2+2"), (0, "=4"), (0, "stop"),
    ]  # fmt: skip
    assert spoken(data)[0] == (0, "text")


def test_a_refusal_is_told_as_text_and_as_the_reason() -> None:
    data = frame(chunk({"refusal": "I "})) + frame(chunk({"refusal": "cannot."})) + END
    delta = next(e["delta"] for e in told(data) if e["type"] == "message_delta")

    assert (delta["stop_reason"], delta["stop_details"]["explanation"]) == ("refusal", "I cannot.")


def test_a_stop_sequence_is_named_where_the_server_tells() -> None:
    finish = chunk({}, "stop")
    finish["choices"][0]["stop_reason"] = "END"

    assert spoken(frame(finish) + DONE, stops=("END",))[0] == ("stop_sequence",)


def test_comments_become_pings() -> None:
    assert MessageStream().feed(b": wait\n\n") == PING


@pytest.mark.parametrize("before", [b"", ROLE + frame(word("Hi"))])
def test_an_error_of_the_gateways_is_told_and_nothing_after_it(before: bytes) -> None:
    data = before + error_frame(UpstreamTimeout("Too late."))
    machine = MessageStream()

    said = events(fed(machine, data + frame(word("x")) + END))[-1]

    assert said["error"] == {"type": "timeout_error", "message": "Too late."}
    assert machine.feed(ROLE) == machine.cut(UpstreamBroken("x")) == b""
