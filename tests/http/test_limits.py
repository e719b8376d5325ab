"""What one client may send, how much of it, and for how long."""

import asyncio
import socket

import pytest

from tests.flow.replies import body, whole
from tests.http.edge import HOST, Edge, asking, edge, get, post, turned
from tests.http.wires import PATIENCE, Said

SMALL = {"max_body": 1000}


async def refused(e: Edge, data: bytes) -> Said:
    """What a request is refused with, as the last word of its connection."""
    wire = (await e.dial()).send(data)
    said = await wire.reply()
    assert await wire.is_over()
    assert said.headers["connection"] == "close"
    assert said.error["type"] == "invalid_request_error"
    assert e.recorder.calls[-1].id == said.headers["x-request-id"]
    assert e.recorder.calls[-1].status == said.status
    return said


async def test_a_body_of_just_the_limit_is_read() -> None:
    ask = asking(user="x" * (1000 - len(asking(user=""))))
    async with edge(limits=SMALL) as e:
        assert (await e.ask(post(ask))).status == 200
        assert (await refused(e, post(ask + b" "))).status == 413


async def test_a_body_over_the_limit_is_refused_by_what_it_declares() -> None:
    async with edge(limits=SMALL) as e:
        said = await refused(e, post(b"").replace(b"Length: 0", b"Length: 1001"))

        assert e.requests == []
    assert said.status == 413
    assert said.error["code"] == "request_too_large"
    assert said.error["message"] == "The body is over 1000 bytes."


async def test_a_length_beyond_all_machines_is_refused() -> None:
    async with edge() as e:
        said = await refused(e, post(b"").replace(b"Length: 0", b"Length: %d" % (2**64 - 1)))

    assert said.status == 413


async def test_a_chunked_body_is_refused_when_it_outgrows_the_limit() -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with edge(limits=SMALL) as e:
        wire = (await e.dial()).send(head + b"100\r\n" + b" " * 256 + b"\r\n")
        await e.until(lambda: any(one.cycle for one in e.connections()))
        wire.send((b"100\r\n" + b" " * 256 + b"\r\n") * 5)
        said = await wire.reply()

        assert await wire.is_over()
        assert e.requests == []
    assert said.status == 413


async def test_a_client_that_goes_on_sending_reads_its_refusal_whole() -> None:
    size, piece = 40_000_000, b" " * 262_144
    async with edge() as e:
        wire = (await e.dial()).send(post(b"").replace(b"Length: 0", b"Length: %d" % size))
        for _ in range(size // len(piece)):
            wire.send(piece)
            await wire.writer.drain()
        said = await wire.reply()

    assert said.status == 413


async def test_what_comes_after_a_refusal_is_dropped_and_the_end_comes() -> None:
    async with edge(limits={"max_body": 10, "linger": 0.05}) as e:
        wire = (await e.dial()).send(post() + post())
        said = await wire.reply()
        await e.until(lambda: not e.connections())

        assert e.requests == []
        assert len(e.recorder.calls) == 1
    assert said.status == 413


async def test_the_end_of_what_is_said_comes_with_a_refusal() -> None:
    async with edge(limits={"max_body": 10, "linger": 3600.0}) as e:
        wire = (await e.dial()).send(post()[:-1])
        said = await wire.reply()

        assert await wire.rest() == b""
        e.pass_by(500)
        assert e.connections()
        assert len(e.recorder.calls) == 1
    assert said.status == 413


async def test_too_many_fields_are_refused() -> None:
    async with edge(limits={"max_headers": 50}) as e:
        fine = await e.ask(post(None, *("X: y" for _ in range(47))))
        said = await refused(e, post(None, *("X: y" for _ in range(48))))

    assert fine.status == 200
    assert said.status == 431
    assert said.error["code"] == "headers_too_large"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models"])
async def test_a_field_that_is_too_long_is_refused(path: str) -> None:
    async with edge(limits={"max_header_bytes": 1000}) as e:
        said = await refused(e, post(None, "X: " + "y" * 1000, path=path))

    assert said.status == 431


async def test_trailers_count_like_fields() -> None:
    ask = b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    async with edge(limits={"max_header_bytes": 1000}) as e:
        said = await refused(e, ask + b"X: " + b"y" * 1000 + b"\r\n\r\n")

    assert said.status == 431


async def test_an_address_that_is_too_long_is_refused() -> None:
    async with edge(limits={"max_header_bytes": 1000}) as e:
        said = await refused(e, post(path="/v1/chat/completions?" + "x" * 1000))

    assert said.status == 431


async def test_a_field_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    async with edge(limits={"max_header_bytes": 1000}) as e:
        wire = (await e.dial()).send(b"GET /healthz HTTP/1.1\r\nX: ")
        await e.until(lambda: any(one.head_bytes for one in e.connections()))
        (connection,) = e.connections()
        for _ in range(3):
            connection.data_received(b"y" * 400)
        said = await wire.reply()

    assert said.status == 431


async def test_a_head_in_many_segments_is_read() -> None:
    async with edge(limits={"max_header_bytes": 1000}) as e:
        wire = await e.dial()
        await e.until(lambda: bool(e.connections()))
        (connection,) = e.connections()
        for _ in range(50):
            for byte in get("/healthz", "X: " + "y" * 800):
                connection.data_received(bytes([byte]))
            assert (await wire.reply()).status == 200


async def test_a_slow_body_is_refused_after_a_while() -> None:
    async with edge() as e:
        wire = (await e.dial()).send(post()[:-1])
        await e.until(lambda: any(one.cycle for one in e.connections()))
        e.pass_by(20)
        assert e.recorder.calls == []
        e.pass_by(1)
        said = await wire.reply()

        assert await wire.is_over()
        assert e.requests == []
        (call,) = e.recorder.calls
        assert call.outcome == "caller_timeout"
        assert call.seconds == 21
    assert said.status == 408
    assert said.error["code"] == "request_timeout"
    assert "x-should-retry" not in said.headers


@pytest.mark.parametrize("start", ["GET /v1/mod", "POST /v1/chat/completions HTTP/1.1\r\nX: y\r\n"])
async def test_a_slow_head_is_refused_after_a_while(start: str) -> None:
    async with edge() as e:
        wire = (await e.dial()).send(start.encode())
        await e.until(lambda: any(one.head_bytes for one in e.connections()))
        e.pass_by(21)
        said = await wire.reply()

    assert said.status == 408


async def test_a_page_that_was_answered_is_not_refused_for_its_slow_body() -> None:
    async with edge() as e:
        wire = await e.dial()
        said = await wire.ask(post(path="/v1/models")[:-1])
        e.pass_by(21)

        assert await wire.is_over()
    assert said.status == 405


@pytest.mark.parametrize("start", [b"", b"\r\n\r\n", b"P"])
async def test_a_client_that_says_nothing_is_closed_without_a_word(start: bytes) -> None:
    async with edge() as e:
        wire = (await e.dial()).send(start)
        await e.until(lambda: bool(e.connections()))
        await turned()
        e.pass_by(19)
        assert not e.connections()[0].transport.is_closing()
        e.pass_by(2)

        assert await wire.is_over()
        assert e.recorder.calls == []


async def test_an_idle_connection_is_kept_for_a_while() -> None:
    async with edge() as e:
        wire = await e.dial()
        for _ in range(3):
            assert (await wire.ask(post())).body == body()
            e.pass_by(75)
        e.pass_by(1)

        assert await wire.is_over()


async def test_a_call_under_way_is_not_idle() -> None:
    go = asyncio.Event()

    async with edge(lambda _: whole(go.wait, body())) as e:
        wire = await e.dial()
        await wire.ask(get("/healthz"))
        wire.send(post())
        await e.until(lambda: bool(e.requests))
        e.pass_by(100)
        go.set()
        assert (await wire.reply()).status == 200


async def test_a_client_that_never_reads_its_reply_is_cut() -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with edge(lambda _: whole(body("x" * 20_000_000))) as e:
            client.settimeout(PATIENCE)
            client.connect((HOST, e.port))
            client.sendall(post())
            await e.until(lambda: any(one.flow.write_paused for one in e.connections()))
            e.pass_by(1)
            e.pass_by(80)
            assert e.connections()
            e.pass_by(41)
            await e.until(lambda: not e.connections())
