"""How the bytes of a reply are split on their way says nothing about the reply."""

import asyncio
import itertools
import socket
from typing import Any

import pytest
from hypothesis import given, strategies as st

from gateway.errors import UpstreamBroken, UpstreamError
from gateway.upstream.connection import Connection
from gateway.upstream.reply import PooledReply
from gateway.upstream.watch import Watch
from tests.upstream.far_end import CHUNKED, WHOLE, a_deployment, a_request

REPLIES = [
    WHOLE,
    b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE,
    b"HTTP/1.1 429 Slow\r\nA: 1\r\na: 2\r\n"
    + CHUNKED[17:]
    + b"1\r\nx\r\n2;e\r\nyz\r\n0\r\nT: 1\r\n\r\n",
    b"HTTP/1.1 204 Nothing\r\n\r\n",
    WHOLE + b"HTTP/1.1 500 Not yours\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    CHUNKED + b"1\r\nx\r\nzz\r\n",
    b"\x00\x01\x02",
]


class Home:
    """A pool that keeps what comes back."""

    def __init__(self) -> None:
        self.back = 0

    def release(self, connection: Connection) -> None:
        self.back += 1

    def forget(self, connection: Connection) -> None:
        self.back -= 1


class Line(asyncio.Transport):
    """A transport that remembers how it ended."""

    def __init__(self, end: socket.socket) -> None:
        super().__init__({"socket": end})
        self.aborted = False
        self.flow: list[str] = []

    def pause_reading(self) -> None:
        self.flow.append("paused")

    def resume_reading(self) -> None:
        self.flow.append("resumed")

    def write(self, data: Any) -> None:
        """Nobody listens."""

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


Outcome = tuple[int, Any, bytes, type[UpstreamError] | None, int, bool]


async def outcome(parts: list[bytes]) -> Outcome:
    """What a caller and the pool see when these parts arrive."""
    loop = asyncio.get_running_loop()
    watch, home = Watch(loop), Home()
    with socket.socket() as end:
        line = Line(end)
        connection = Connection(loop, home)
        connection.connection_made(line)
        reply = PooledReply(a_request(a_deployment("http://h"), stream=True), loop, watch, 0.0)
        connection.send(reply, b"", b"")
        for part in parts:
            if not line.aborted:
                connection.data_received(part)
        watch.stop()
    body = b"".join(reply.chunks)
    kind = None if reply.error is None else type(reply.error)
    return reply.status, reply.headers, body, kind, home.back, line.aborted


@pytest.mark.parametrize("data", REPLIES, ids=range(len(REPLIES)))
@given(cuts=st.lists(st.integers(0, 160), max_size=8))
def test_splitting_changes_nothing(data: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    parts = [data[a:b] for a, b in itertools.pairwise(edges)]

    together = asyncio.run(outcome([data]))
    apart = asyncio.run(outcome(parts))

    # Where the bytes are cut decides how soon an extra byte shows, not what becomes of it.
    assert apart[:4] == together[:4]
    assert apart[5] == together[5]


@pytest.mark.parametrize("data", REPLIES[:4], ids=range(4))
def test_a_connection_comes_back_after_a_reply_in_order(data: bytes) -> None:
    whole = asyncio.run(outcome([data]))
    trailed = asyncio.run(outcome([data + b"H"]))

    assert whole[3:] == (None, 1, False)
    assert trailed[3:] == (None, 0, True)
    assert trailed[:3] == whole[:3]


def test_framing_that_never_ends_is_broken() -> None:
    endless = [CHUNKED, b"1;" + b"x" * 40_000, b"x" * 40_000]

    assert asyncio.run(outcome(endless))[3] is UpstreamBroken


@pytest.mark.parametrize("read_first", [False, True])
async def test_a_connection_never_comes_back_paused(read_first: bool) -> None:
    loop = asyncio.get_running_loop()
    watch, home = Watch(loop), Home()
    with socket.socket() as end:
        line = Line(end)
        connection = Connection(loop, home)
        connection.connection_made(line)
        reply = PooledReply(a_request(a_deployment("http://h"), stream=True), loop, watch, 0.0)
        connection.send(reply, b"", b"")
        connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 300001\r\n\r\n")
        connection.data_received(b"x" * 300_000)
        assert line.flow == ["paused"]
        if read_first:
            await reply.chunk()
        connection.data_received(b"x")
        watch.stop()

    assert line.flow == ["paused", "resumed"]
    assert home.back == 1


async def test_a_connection_that_is_closing_is_not_paused() -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as end:
        line = Line(end)
        connection = Connection(loop, Home())
        connection.connection_made(line)
        line.abort()
        connection.pause()
        connection.resume()

    assert connection.closing
    assert line.flow == []
