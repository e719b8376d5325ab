import json

import pytest

from gateway.call import Usage
from gateway.errors import UpstreamBroken
from gateway.wire.chat import ChatStream
from gateway.wire.sse import data_of
from tests.wire.streams import HEAD, USAGE, chunk, frame, word

C = b'"choices":[{"index":0,"delta":{"content":"%b"}}]'


def asked() -> ChatStream:
    return ChatStream(strip_usage=True)


@pytest.mark.parametrize(
    "text", [b"x", b"xy", b'\\"usage\\":null}', b',\\"usage\\":null', b"\\u0022"]
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'data: {%b,"usage":null}\n\n', b"data: {%b}\n\n"),
        (
            b'data: {%b,"usage":null,"obfuscation":"aB1"}\n\n',
            b'data: {%b,"obfuscation":"aB1"}\n\n',
        ),
        (
            b'data: {%b,"obfuscation":"aB1","usage":null}\n\n',
            b'data: {%b,"obfuscation":"aB1"}\n\n',
        ),
        (b'data: {%b , "usage" : null }\n\n', b"data: {%b }\n\n"),
        (b'data: {"usage":null,%b}\n\n', b"data: {%b}\n\n"),
        (b'data: {"usage":null, %b,"x":1}\n\n', b'data: {%b,"x":1}\n\n'),
        (b'data: {%b,"usage":null,"x":{"usage":null}}\n\n', b'data: {%b,"x":{"usage":null}}\n\n'),
        (b'data: {%b,"x":{"a":1,"usage":null}}\n\n', b'data: {%b,"x":{"a":1,"usage":null}}\n\n'),
        (b'data: {%b,"u\\u0073age":null}\n\n', b"data: {%b}\n\n"),
        (b'data: {%b,"usage":null,"usage":null}\n\n', b"data: {%b}\n\n"),
        (b'data: {"usage":{},%b,"usage":null}\n\n', b'data: {"usage":{},%b}\n\n'),
        (b'data:{%b,"usage":null}\r\n\r\n', b"data:{%b}\r\n\r\n"),
        (b'data: {%b\ndata: ,"usage":null}\n\n', b"data: {%b\ndata: }\n\n"),
        (
            b'data: {%b,\ndata: "usage":\ndata:null\ndata: }\n\n',
            b"data: {%b\ndata: \ndata:\ndata: }\n\n",
        ),
        (b'event: e\ndata: {%b,"usage":null}\n\n', b"event: e\ndata: {%b}\n\n"),
        (b'\xef\xbb\xbfdata: {%b,"usage": null}\n\n', b"\xef\xbb\xbfdata: {%b}\n\n"),
        (b"data: {%b}\n\n", b"data: {%b}\n\n"),
    ],
)
def test_a_null_usage_that_was_only_added_for_us_is_cut(
    before: bytes, after: bytes, text: bytes
) -> None:
    stream = asked()

    for _ in range(3):
        assert stream.feed(before % (C % text)) == after % (C % text)
    data = data_of(after % (C % text))
    assert data is not None
    assert "choices" in json.loads(data)


@pytest.mark.parametrize("text", ["x", "longer", "ä\n", "", "\ud83d"])
def test_padding_of_any_length_passes(text: str) -> None:
    stream = asked()
    for letters in ("abc", "", "Z9", "a-b", 'a"b'):
        document = word(text, usage=None, obfuscation=letters)

        del (bare := dict(document))["usage"]
        assert stream.feed(frame(document)) == frame(bare)


def test_the_chunk_that_only_carries_usage_is_read_and_dropped() -> None:
    stream = asked()
    data = frame({**HEAD, "choices": [], "usage": USAGE, "obfuscation": ""})

    assert stream.feed(frame(word("x")) + data) == frame(word("x"))
    assert stream.usage == Usage(9, 3)


def test_a_client_that_asked_gets_it() -> None:
    stream = ChatStream(strip_usage=False)
    data = frame(word("x", usage=None)) + frame({**HEAD, "choices": [], "usage": USAGE})

    assert stream.feed(data) == data
    assert stream.usage == Usage(9, 3)


def test_usage_beside_choices_is_read_and_passes() -> None:
    stream = asked()
    first = frame(word("x", usage={**USAGE, "completion_tokens": 1}))
    last = frame(chunk({}, "stop", usage=USAGE))

    assert stream.feed(first + first + last) == first + first + last
    assert stream.usage == Usage(9, 3)


def test_usage_without_any_choices_member_is_a_usage_chunk() -> None:
    stream = asked()
    stream.feed(frame(word("x")))

    assert stream.feed(frame({**HEAD, "usage": USAGE})) == b""
    assert stream.usage == Usage(9, 3)


def test_an_impossible_usage_does_not_replace_a_possible_one() -> None:
    stream = asked()
    stream.feed(frame(word("x", usage=USAGE)))

    assert stream.feed(frame({**HEAD, "choices": [], "usage": {"prompt_tokens": -1}})) == b""
    assert stream.usage == Usage(9, 3)


def test_a_usage_that_is_no_object_is_not_ours_to_judge() -> None:
    data = frame({**HEAD, "choices": [], "usage": "none"})

    assert asked().feed(data) == data


def test_a_chunk_too_deep_to_splice_breaks_the_stream() -> None:
    deep = b'data: {"choices":[], "usage" :null,"x":' + b"[" * 500 + b"]" * 500 + b"}\n\n"

    with pytest.raises(UpstreamBroken, match="128 levels"):
        asked().feed(deep)
    assert ChatStream(strip_usage=False).feed(deep) == deep
