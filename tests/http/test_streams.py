"""Streams that stall, break, or are read too slowly."""

import asyncio
import socket

import orjson

from gateway.errors import UpstreamTruncated
from gateway.upstream.client import DirectUpstream
from tests.fakes import catalog
from tests.flow.replies import CLOSING, DONE, OPENING, STREAMED, frame, stream, whole
from tests.http.edge import HOST, Edge, asking, edge, post, streaming, turned
from tests.http.wires import PATIENCE
from tests.upstream.far_end import Visit, serving

COMMENT = b": keep-alive\n\n"


def error_in(piece: bytes) -> dict[str, object]:
    """The error of an in-stream frame that has all it must have."""
    assert piece.startswith(b"data: {")
    assert piece.endswith(b"}\n\n")
    error: dict[str, object] = orjson.loads(piece[6:])["error"]
    assert sorted(error) == ["code", "message", "param", "type"]
    return error


async def test_a_stream_that_is_cut_ends_with_an_error_and_without_done() -> None:
    cut = UpstreamTruncated("The upstream's stream ended.")
    async with edge(lambda _: stream(OPENING, cut)) as e:
        wire = await e.dial()
        said = await wire.ask(streaming())
        after = await wire.ask(streaming(user="after"))

        first, _ = e.recorder.calls
        assert first.outcome == "upstream_truncated"
    assert said.status == 200
    assert said.chunks[0] == OPENING
    assert error_in(said.chunks[1])["code"] == "upstream_truncated"
    assert len(said.chunks) == 2
    assert b"[DONE]" not in said.body
    assert after.status == 200


async def test_a_stream_that_ends_too_early_is_no_success() -> None:
    async with edge(lambda _: stream(OPENING)) as e:
        said = await e.ask(streaming())

    assert error_in(said.chunks[-1])["type"] == "upstream_error"
    assert b"[DONE]" not in said.body


async def test_an_http_1_0_client_is_told_of_a_cut_too() -> None:
    cut = UpstreamTruncated("The upstream's stream ended.")
    async with edge(lambda _: stream(OPENING, cut)) as e:
        said = await e.ask(post(asking(stream=True), version="1.0"))

    assert said.body.startswith(OPENING)
    assert error_in(said.body[len(OPENING) :])["code"] == "upstream_truncated"


async def test_a_silent_stream_is_kept_alive_by_comments() -> None:
    go = asyncio.Event()
    async with edge(lambda _: stream(OPENING, go.wait, CLOSING + DONE)) as e:
        wire = (await e.dial()).send(streaming())
        await wire.head()
        pieces = [await wire.chunk()]
        e.pass_by(15)
        e.pass_by(1)
        pieces.append(await wire.chunk())
        e.pass_by(15)
        e.pass_by(1)
        pieces.append(await wire.chunk())
        go.set()
        pieces += [await wire.chunk(), await wire.chunk()]

    assert pieces == [OPENING, COMMENT, COMMENT, CLOSING + DONE, b""]


async def test_a_stream_before_a_pipelined_call_is_kept_alive_too() -> None:
    go = asyncio.Event()
    async with edge(
        lambda r: stream(OPENING, go.wait, CLOSING + DONE) if r.stream else whole()
    ) as e:
        wire = (await e.dial()).send(streaming() + post())
        await wire.head()
        pieces = [await wire.chunk()]
        e.pass_by(16)
        pieces.append(await wire.chunk())
        go.set()
        pieces += [await wire.chunk(), await wire.chunk()]
        assert (await wire.reply()).status == 200

    assert pieces == [OPENING, COMMENT, CLOSING + DONE, b""]


async def test_a_stream_that_sets_event_ids_gets_no_comment() -> None:
    go = asyncio.Event()
    numbered = b"id: 1\n" + OPENING
    async with edge(lambda _: stream(numbered, go.wait, CLOSING + DONE)) as e:
        wire = (await e.dial()).send(streaming())
        await wire.head()
        pieces = [await wire.chunk()]
        e.pass_by(16)
        e.pass_by(16)
        go.set()
        pieces += [await wire.chunk(), await wire.chunk()]

    assert pieces == [numbered, CLOSING + DONE, b""]


async def test_a_whole_reply_that_is_waited_for_gets_no_comment() -> None:
    go = asyncio.Event()
    async with edge(lambda _: whole(go.wait, b'{"choices":[]}')) as e:
        wire = (await e.dial()).send(post())
        await e.until(lambda: bool(e.requests))
        e.pass_by(100)
        go.set()

        assert (await wire.reply()).body == b'{"choices":[]}'


async def test_a_stream_that_has_not_begun_gets_no_comment() -> None:
    go = asyncio.Event()
    async with edge(lambda _: stream(go.wait, OPENING, CLOSING + DONE)) as e:
        wire = (await e.dial()).send(streaming())
        await e.until(lambda: bool(e.requests))
        e.pass_by(100)
        go.set()

        assert (await wire.reply()).body == STREAMED


class Torrent:
    """An upstream that streams as fast as it is read, and counts."""

    def __init__(self, megabytes: int) -> None:
        self.frame = frame("x" * 16_000)
        self.frames = megabytes * 62
        self.sent = 0
        self.left = asyncio.Event()

    async def __call__(self, visit: Visit) -> None:
        await visit.request()
        await visit.say(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        )
        try:
            for _ in range(self.frames):
                await visit.say(self.frame)
                self.sent += len(self.frame)
            await visit.say(CLOSING + DONE)
        finally:
            self.left.set()


def slow_reader(port: int) -> socket.socket:
    """A client with little room for what it has not read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    client.settimeout(PATIENCE)
    client.connect((HOST, port))
    client.sendall(streaming(temperature=1))
    client.setblocking(False)
    return client


async def read_up_to(client: socket.socket, size: int) -> bytes:
    """At least this much, or all up to the last chunk."""
    loop, read = asyncio.get_running_loop(), bytearray()
    async with asyncio.timeout(PATIENCE):
        while len(read) < size and not read.endswith(b"\r\n0\r\n\r\n"):
            read += await loop.sock_recv(client, 1 << 20)
    return bytes(read)


async def at_rest(e: Edge, torrent: Torrent) -> int:
    """What the upstream has sent when nobody takes any more of it."""
    await e.until(lambda: any(one.flow.write_paused for one in e.connections()))
    seen = -1
    while seen != torrent.sent:
        seen = torrent.sent
        for _ in range(200):
            await turned()
    return seen


async def test_a_slow_reader_pauses_the_upstream_and_loses_nothing() -> None:
    torrent = Torrent(24)
    async with (
        serving(torrent) as far,
        edge(upstream=DirectUpstream(), where=catalog(url=f"http://{HOST}:{far.port}/v1")) as e,
    ):
        with slow_reader(e.port) as client:
            seen = await at_rest(e, torrent)
            held = e.connections()[0].transport.get_write_buffer_size()
            read = await read_up_to(client, 1 << 30)

    # The rest of this is in the system's own buffers.
    assert seen < 16_000_000
    # A high-water mark of 64 KiB, and a piece of what the upstream's side may hold.
    assert held < 640 * 1024
    assert read.count(b"x" * 16_000) == torrent.frames
    assert DONE in read


async def test_a_reader_that_stalls_is_cut_and_its_upstream_let_go() -> None:
    torrent = Torrent(24)
    async with (
        serving(torrent) as far,
        edge(upstream=DirectUpstream(), where=catalog(url=f"http://{HOST}:{far.port}/v1")) as e,
    ):
        with slow_reader(e.port):
            await at_rest(e, torrent)
            e.pass_by(1)
            e.pass_by(120)
            assert e.connections()
            e.pass_by(1)
            (call,) = await e.recorder.after(1)
            await asyncio.wait_for(torrent.left.wait(), PATIENCE)

    assert call.outcome == "caller_left"


async def test_a_reader_that_goes_on_reading_is_not_cut() -> None:
    torrent = Torrent(32)
    async with (
        serving(torrent) as far,
        edge(upstream=DirectUpstream(), where=catalog(url=f"http://{HOST}:{far.port}/v1")) as e,
    ):
        with slow_reader(e.port) as client:
            for _ in range(4):
                await at_rest(e, torrent)
                e.pass_by(119)
                await read_up_to(client, 5_000_000)

            assert e.connections()
