"""Time, giving up, and pressure: what a caller's patience and pace do to the far end."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from gateway.errors import UpstreamTimeout, UpstreamTruncated, UpstreamUnreachable
from gateway.ports import Deadlines, Request, Upstream
from tests.upstream.conftest import Maker
from tests.upstream.far_end import (
    CHUNKED,
    KEY,
    PATIENCE,
    WHOLE,
    Visit,
    a_deployment,
    a_request,
    fetched,
    says,
    serving,
    turned,
)

# How long a deadline under test is, and by how much it may be missed on a machine that is busy.
SHORT = 0.08
SLACK = 1.0


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port whose queue of connections is full: connecting hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


async def missed(upstream: Upstream, request: Request, deadline: str, after: float) -> None:
    """The named deadline passes, not much later than it should and never before."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(UpstreamTimeout, match=f"{deadline} deadline") as told:
        await fetched(upstream, request)
    # A loop on a busy machine may have taken its time some milliseconds ago.
    assert after - 0.02 <= loop.time() - started < after + SLACK
    assert KEY not in repr(told.value)


async def says_nothing(visit: Visit) -> None:
    await visit.request()
    await visit.gone()


async def says_a_head(visit: Visit) -> None:
    await visit.answer(CHUNKED)
    await visit.gone()


async def says_a_piece(visit: Visit) -> None:
    await visit.answer(CHUNKED + b"5\r\npiece\r\n")
    await visit.gone()


async def never_stops(visit: Visit) -> None:
    await visit.answer(CHUNKED)
    while True:
        await visit.say(b"5\r\npiece\r\n")
        await turned()


async def test_connecting_has_a_deadline(upstream: Upstream, silent_port: int) -> None:
    deployment = a_deployment(f"http://127.0.0.1:{silent_port}/v1")

    await missed(
        upstream, a_request(deployment, deadlines=Deadlines(connect=SHORT)), "connect", SHORT
    )


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("script", [says_nothing, says_a_head])
async def test_the_first_byte_has_a_deadline(
    upstream: Upstream, stream: bool, script: type
) -> None:
    async with serving(script) as far:
        deadlines = Deadlines(first_byte=SHORT)

        await missed(
            upstream, a_request(far, stream=stream, deadlines=deadlines), "first_byte", SHORT
        )
        await asyncio.wait_for(far.visits[0].left.wait(), PATIENCE)


@pytest.mark.parametrize("stream", [False, True])
async def test_silence_has_a_deadline(upstream: Upstream, stream: bool) -> None:
    async with serving(says_a_piece) as far:
        deadlines = Deadlines(idle=SHORT)

        await missed(upstream, a_request(far, stream=stream, deadlines=deadlines), "idle", SHORT)
        await asyncio.wait_for(far.visits[0].left.wait(), PATIENCE)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("script", [says_nothing, says_a_piece, never_stops])
async def test_the_whole_has_a_deadline(upstream: Upstream, stream: bool, script: type) -> None:
    async with serving(script) as far:
        deadlines = Deadlines(total=SHORT)

        await missed(upstream, a_request(far, stream=stream, deadlines=deadlines), "total", SHORT)


async def test_a_deadline_holds_for_a_reply_that_nobody_reads(upstream: Upstream) -> None:
    async with serving(says_a_piece) as far, asyncio.timeout(PATIENCE):
        request = a_request(far, stream=True, deadlines=Deadlines(total=SHORT))
        reply = await upstream.send(request)

        await far.visits[0].left.wait()

        with pytest.raises(UpstreamTimeout):
            await reply.read(100)


async def test_a_short_deadline_does_not_wait_for_a_long_one(upstream: Upstream) -> None:
    async with serving(says_nothing) as far, asyncio.TaskGroup() as group:
        patient = group.create_task(upstream.send(a_request(far)))

        await missed(upstream, a_request(far, deadlines=Deadlines(total=SHORT)), "total", SHORT)

        patient.cancel()


async def test_cancelling_before_the_reply_is_seen_by_the_far_end(upstream: Upstream) -> None:
    asked = asyncio.Event()

    async def told(visit: Visit) -> None:
        await visit.request()
        asked.set()
        await visit.gone()

    async with serving(told) as far, asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        sending = group.create_task(upstream.send(a_request(far)))
        await asked.wait()

        sending.cancel()

        await left_promptly(far.visits[0])


async def left_promptly(visit: Visit) -> None:
    async with asyncio.timeout(0.05 + SLACK):
        await visit.left.wait()


@pytest.mark.parametrize("stream", [False, True])
async def test_giving_a_reply_up_is_seen_by_the_far_end(upstream: Upstream, stream: bool) -> None:
    async with serving(says_a_piece) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(a_request(far, stream=stream))
        assert await reply.chunk() == b"piece"

        reply.abort()
        reply.abort()

        await left_promptly(far.visits[0])
        with pytest.raises(UpstreamTruncated):
            await reply.chunk()


async def test_giving_up_ends_the_wait_of_whoever_reads(upstream: Upstream) -> None:
    async with (
        serving(says_a_head) as far,
        asyncio.timeout(PATIENCE),
        asyncio.TaskGroup() as group,
    ):
        reply = await upstream.send(a_request(far, stream=True))

        async def read() -> None:
            with pytest.raises(UpstreamTruncated):
                await reply.chunk()

        reading = group.create_task(read())
        await turned()
        reply.abort()
        await reading


async def test_giving_up_a_reply_that_is_whole_changes_nothing(upstream: Upstream) -> None:
    async with serving(says(WHOLE)) as far:
        reply = await upstream.send(a_request(far))
        assert await reply.read(5) == b"whole"
        reply.abort()

        assert await reply.chunk() == b""
        assert await fetched(upstream, a_request(far)) == b"whole"
        assert len(far.visits) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_slow_reader_stops_the_far_end(upstream: Upstream, stream: bool) -> None:
    total, piece = 48, b"x" * (1 << 20)
    sent = 0

    async def script(visit: Visit) -> None:
        nonlocal sent
        await visit.answer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (total << 20))
        for _ in range(total):
            await visit.say(piece)
            sent += 1
        await visit.gone()

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(a_request(far, stream=stream))
        before = -1
        while before != sent:
            before = sent
            await asyncio.wait_for(still(), PATIENCE)

        # What the kernel buffers at both ends, and no more than a quarter of a megabyte here.
        assert sent < 16
        assert len(await reply.read(total << 20)) == total << 20
        assert sent == total


async def still() -> None:
    """A tenth of a second in which whoever can go on goes on."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await asyncio.Event().wait()


async def test_many_streams_at_once_do_not_mix(upstream: Upstream) -> None:
    count = 256

    async def script(visit: Visit) -> None:
        while True:
            body = (await visit.request()).rpartition(b"\r\n\r\n")[2]
            await visit.say(CHUNKED)
            for _ in range(5):
                await visit.say(b"%x\r\n%b\r\n" % (len(body), body))
                await turned()
            await visit.say(b"0\r\n\r\n")

    async with serving(script) as far, asyncio.TaskGroup() as group:
        calls = [
            group.create_task(fetched(upstream, a_request(far, stream=True, body=b"<%d>" % i)))
            for i in range(count)
        ]

    assert [call.result() for call in calls] == [b"<%d>" % i * 5 for i in range(count)]


async def test_closing_fails_the_calls_in_flight(maker: Maker, silent_port: int) -> None:
    upstream = maker()
    silent = a_deployment(f"http://127.0.0.1:{silent_port}/v1", "silent")
    async with serving(says_nothing) as far, serving(says_a_head) as other:
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            reply = await upstream.send(a_request(other, stream=True))
            waits = [
                group.create_task(raises_unreachable(upstream.send(a_request(where))))
                for where in (far, far, silent)
            ]
            waits.append(group.create_task(raises_unreachable(reply.chunk())))
            while len(far.visits) < 2:
                await turned()

            await upstream.close()

        for visit in far.visits + other.visits:
            await asyncio.wait_for(visit.left.wait(), PATIENCE)
        await raises_unreachable(upstream.send(a_request(far)))
        await raises_unreachable(
            upstream.send(a_request(a_deployment("http://127.0.0.1:9", "new")))
        )


async def raises_unreachable(call: object) -> None:
    with pytest.raises(UpstreamUnreachable, match="closed"):
        await call  # type: ignore[misc]  # any awaitable
