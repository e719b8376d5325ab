"""Uvicorn's own main loop: dates, sweeps, and an end that lets streams finish."""

import asyncio
import signal

import pytest

from gateway.http import server as serving
from tests.flow.replies import CLOSING, DONE, OPENING, STREAMED, stream, whole
from tests.http.edge import HOST, asking, edge, get, post, streaming


async def test_a_stop_lets_a_stream_finish_and_takes_no_new_calls() -> None:
    go = asyncio.Event()
    async with edge(lambda _: stream(OPENING, go.wait, CLOSING + DONE), main_loop=True) as e:
        idle, busy = await e.dial(), (await e.dial()).send(streaming())
        await busy.head()
        first = await busy.chunk()
        # Its turn comes after the stream's, when the server is on its way out.
        busy.send(get("/readyz"))
        await e.until(lambda: len(e.connections()[0].pipeline or e.connections()[-1].pipeline) > 0)
        e.server.should_exit = True
        assert await idle.is_over()
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(HOST, e.port)
        go.set()
        second, end = await busy.chunk(), await busy.chunk()
        ready = await busy.reply()

        assert await busy.is_over()
    assert first + second + end == STREAMED
    assert ready.status == 503
    assert b"stopping" in ready.body
    assert ready.headers["connection"] == "close"


async def test_a_stop_answers_the_call_under_way_and_closes() -> None:
    go = asyncio.Event()
    async with edge(lambda _: whole(go.wait, b'{"choices":[]}'), main_loop=True) as e:
        wire = (await e.dial()).send(post())
        await e.until(lambda: bool(e.requests))
        e.server.should_exit = True
        await e.until(lambda: not e.server.servers[0].is_serving())
        await e.until(lambda: not e.connections()[0].cycle.keep_alive)
        go.set()
        said = await wire.reply()

        assert await wire.is_over()
    assert said.status == 200
    assert said.headers["connection"] == "close"


async def test_a_stream_that_outlives_the_grace_is_cut_and_not_ended() -> None:
    never = asyncio.Event()
    async with edge(lambda _: stream(OPENING, never.wait), main_loop=True) as e:
        e.server.config.timeout_graceful_shutdown = 0
        wire = (await e.dial()).send(streaming())
        await wire.head()
        assert await wire.chunk() == OPENING
        e.server.should_exit = True

        assert await wire.rest() == b""
    (call,) = e.recorder.calls
    assert call.status == 200


async def test_calls_behind_a_stream_that_outlives_the_grace_are_not_begun() -> None:
    never = asyncio.Event()
    async with edge(lambda _: stream(OPENING, never.wait), main_loop=True) as e:
        e.server.config.timeout_graceful_shutdown = 0
        half = post(asking("full", user="x" * 1_000_000))[:-5]
        wire = (await e.dial()).send(streaming() + post(asking("mini")) + half)
        await wire.head()
        assert await wire.chunk() == OPENING
        await e.until(lambda: len(e.connections()[0].pipeline) == 2)
        e.server.should_exit = True

        # No reset, although not all was read: what was said before must arrive.
        assert await wire.rest() == b""
        assert len(e.requests) == 1


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_and_is_not_raised_again(sig: signal.Signals) -> None:
    async with edge(main_loop=True) as e:
        signal.raise_signal(sig)
        await e.until(e.server.stopping)

        assert not e.server.force_exit


async def test_a_second_interrupt_does_not_wait() -> None:
    never = asyncio.Event()
    async with edge(lambda _: stream(OPENING, never.wait), main_loop=True) as e:
        wire = (await e.dial()).send(streaming())
        await wire.head()
        e.server.handle_exit(signal.SIGINT, None)
        e.server.handle_exit(signal.SIGTERM, None)
        assert not e.server.force_exit
        e.server.handle_exit(signal.SIGINT, None)

        assert e.server.force_exit
    # What it did not wait for ends with the process; here the client ends it.
    wire.hang_up()
    await e.recorder.after(1)


async def test_the_sweep_comes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "SWEEP_SECONDS", 0.01)
    async with edge(main_loop=True) as e:
        for _ in range(2):
            wire = (await e.dial()).send(b"GET /v1/mo")
            await e.until(lambda: any(one.head_bytes for one in e.connections()))
            e.clock.at += 21
            assert (await wire.reply()).status == 408
            wire.hang_up()
            await e.until(lambda: not e.connections())
