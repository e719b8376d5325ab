"""Bytes that two servers could read differently: refused, never executed twice."""

import pytest

from tests.flow.replies import body
from tests.http.edge import asking, edge, post

SMUGGLED = post(asking("gpt-4.1", user="smuggled"))
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
END = b"0\r\n\r\n"


def length(value: bytes) -> bytes:
    return HEAD + b"Content-Length:" + value + b"\r\n\r\n" + asking() + SMUGGLED


def encoding(lines: bytes) -> bytes:
    chunk = b"%x\r\n%b\r\n" % (len(asking()), asking())
    return HEAD + lines + b"\r\n\r\n" + chunk + END + SMUGGLED


def chunk(size: bytes) -> bytes:
    ask = asking()
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\n" + ask + END + SMUGGLED


SIZE = b"%d" % len(asking())
HEX = b"%x" % len(asking())
CONFLICTING = {
    "length and chunks": HEAD + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n" + END,
    "chunks and length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n" + END,
    "two lengths": length(b" 5\r\nContent-Length: " + SIZE),
    "the same length twice": length(b" " + SIZE + b"\r\nContent-Length: " + SIZE),
    "a list of lengths": length(SIZE + b", " + SIZE),
    "a negative length": length(b" -1"),
    "a length with a plus": length(b" +" + SIZE),
    "a length with an underscore": length(b" 1_0"),
    "a hexadecimal length": length(b" 0x10"),
    "a length of 30 digits": length(b" " + b"9" * 30),
    "a length of 5000 zeros": length(b" " + b"0" * 5000 + SIZE),
    "no length at all": length(b" "),
    "a length in other digits": length("١٢".encode()),
    "an unknown encoding": encoding(b"Transfer-Encoding: xchunked"),
    "identity": encoding(b"Transfer-Encoding: identity"),
    "chunks that are not last": encoding(b"Transfer-Encoding: chunked, identity"),
    "chunks twice": encoding(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    "a tab before chunked": encoding(b"Transfer-Encoding: \x0bchunked"),
    "a space before the colon": encoding(b"Transfer-Encoding : chunked"),
    "a folded line": encoding(b"X: a\r\n Transfer-Encoding: chunked"),
    "a bare line feed": encoding(b"X: a\nTransfer-Encoding: chunked"),
    "a bare carriage return": encoding(b"X: a\rTransfer-Encoding: chunked"),
    "a nul": encoding(b"X: a\0\r\nTransfer-Encoding: chunked"),
    "a chunk of negative size": chunk(b"-" + HEX),
    "a chunk size with a plus": chunk(b"+" + HEX),
    "a chunk size with 0x": chunk(b"0x" + HEX),
    "a chunk size with a space": chunk(HEX + b" "),
    "a chunk size of 20 digits": chunk(b"f" * 20),
    "a chunk size that lies": chunk(b"1"),
    "a line of bare line feeds": HEAD.replace(b"\r\n", b"\n") + b"\n" + SMUGGLED,
    "HTTP/2 by prior knowledge": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SMUGGLED,
    "a version that is none": SMUGGLED.replace(b"HTTP/1.1", b"HTTP/1.2") + SMUGGLED,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + SMUGGLED,
}


@pytest.mark.parametrize("data", CONFLICTING.values(), ids=CONFLICTING.keys())
async def test_odd_framing_is_refused_and_nothing_behind_it_executed(data: bytes) -> None:
    async with edge() as e:
        wire = (await e.dial()).send(data)
        said = await wire.reply()

        assert await wire.is_over()
        assert e.requests == []
        assert [call.outcome for call in e.recorder.calls] == ["caller_malformed"]
    assert said.status == 400
    assert said.error["code"] == "invalid_http"
    assert said.error["type"] == "invalid_request_error"
    assert said.headers["x-should-retry"] == "false"
    assert said.headers["connection"] == "close"


@pytest.mark.parametrize("value", [b" " + SIZE, SIZE + b" ", b"\t" + SIZE, b"000" + SIZE])
async def test_a_length_may_stand_in_blanks_and_zeros(value: bytes) -> None:
    async with edge() as e:
        wire = (await e.dial()).send(length(value))
        said = [await wire.reply(), await wire.reply()]

    assert [one.body for one in said] == [body(), body()]


async def test_a_reply_cut_by_a_refusal_on_the_same_connection_is_impossible() -> None:
    """The refusal of a bad chunk is the reply to the request that has it, and the last one."""
    async with edge() as e:
        wire = await e.dial()
        first = await wire.ask(post())
        second = await wire.ask(chunk(b"zz"))

        assert await wire.is_over()
    assert first.status == 200
    assert second.status == 400


async def test_a_page_with_a_broken_body_is_answered_once_and_closed() -> None:
    broken = b"POST /v1/models HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with edge() as e:
        at_once = (await e.dial()).send(broken + b"zz\r\n" + SMUGGLED)
        said = await at_once.reply()
        assert await at_once.is_over()

        later = await e.dial()
        answered = await later.ask(broken)
        later.send(b"zz\r\n" + SMUGGLED)
        assert await later.is_over()
        assert e.requests == []
    assert said.status == answered.status == 405
