"""Bodies that are sent while they come, and any method."""

import asyncio
from contextlib import suppress

import pytest

from gateway.errors import CallerError, InvalidValue, UpstreamTimeout, UpstreamUnreachable
from gateway.ports import Deadlines, Upstream
from gateway.upstream.client import DirectUpstream
from tests.upstream.far_end import PATIENCE, WHOLE, Visit, a_request, fetched, says, serving
from tests.upstream.springs import MEGABYTE, Spring, feeding, spring


async def at_rest(feed: Spring) -> bool:
    """Whether nothing was taken of a feed, of which something had been, for a while."""
    before = feed.taken
    with suppress(TimeoutError):
        async with asyncio.timeout(0.03):
            await feed.dry.wait()
    return bool(before) and before == feed.taken


async def test_a_body_of_known_length_is_sent_as_it_comes(upstream: Upstream) -> None:
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        asked.append(await visit.request())
        await visit.say(WHOLE)

    async with serving(script) as far:
        body = await fetched(upstream, feeding(far, spring(b"one", b"two", length=6)))

    assert body == b"whole"
    head = asked[0].lower()
    assert head.startswith(b"post /v1/files?a=1 http/1.1\r\n")
    assert head.count(b"content-length: 6\r\n") == 1
    assert b"transfer-encoding" not in head
    assert head.count(b"content-type: multipart/form-data; boundary=x\r\n") == 1
    assert asked[0].endswith(b"\r\n\r\nonetwo")


async def test_a_body_of_unknown_length_is_sent_in_chunks(upstream: Upstream) -> None:
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        asked.append(await visit.reader.readuntil(b"\r\n0\r\n\r\n"))
        await visit.say(WHOLE)

    async with serving(script) as far:
        assert await fetched(upstream, feeding(far, spring(b"one", b"three"))) == b"whole"

    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head.lower()
    assert b"content-length" not in head.lower()
    assert body == b"3\r\none\r\n5\r\nthree\r\n0\r\n\r\n"


async def test_a_connection_that_sent_a_body_is_used_again(upstream: Upstream) -> None:
    async with serving(says(WHOLE)) as far:
        for _ in range(2):
            assert await fetched(upstream, a_request(far)) == b"whole"
        await fetched(upstream, feeding(far, spring(b"x", length=1)))
        await fetched(upstream, a_request(far))

        assert len(far.visits) == 2


async def test_a_far_side_that_reads_slowly_slows_the_source(upstream: Upstream) -> None:
    feed = spring(*[MEGABYTE] * 64, length=64 << 20)
    stuck = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await stuck.wait()
        await visit.reader.readexactly(64 << 20)
        await visit.say(WHOLE)

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        sending = asyncio.get_running_loop().create_task(fetched(upstream, feeding(far, feed)))
        while not await at_rest(feed):
            assert feed.taken < 32 << 20

        stuck.set()
        assert await sending == b"whole"

    assert feed.taken == 64 << 20


async def test_a_source_that_fails_ends_the_attempt(upstream: Upstream) -> None:
    async with serving(says(WHOLE)) as far:
        with pytest.raises(UpstreamUnreachable, match="ended before it was whole"):
            await fetched(upstream, feeding(far, spring(b"x", CallerError("gone"), length=9)))


async def test_a_far_side_that_takes_nothing_is_late(upstream: Upstream) -> None:
    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await asyncio.Event().wait()

    feed = spring(*[MEGABYTE] * 64, length=64 << 20)
    async with serving(script) as far:
        with pytest.raises(UpstreamTimeout):
            await fetched(upstream, feeding(far, feed, Deadlines(idle=0.05)))


async def test_the_deadlines_of_a_reply_begin_behind_its_request(upstream: Upstream) -> None:
    turns = asyncio.Event()

    async def slow() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.06):
                await turns.wait()

    feed = spring(b"a", slow, b"b", slow, b"c", length=3)
    async with serving(says(WHOLE)) as far:
        allowed = Deadlines(first_byte=0.1, total=0.1, idle=5)

        assert await fetched(upstream, feeding(far, feed, allowed)) == b"whole"


async def test_a_reply_that_never_comes_is_late_behind_a_sent_body(upstream: Upstream) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        await asyncio.Event().wait()

    async with serving(script) as far:
        allowed = Deadlines(first_byte=0.05, idle=5)
        with pytest.raises(UpstreamTimeout):
            await fetched(upstream, feeding(far, spring(b"x", length=1), allowed))


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "OPTIONS"])
async def test_any_method_passes(upstream: Upstream, method: str) -> None:
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        asked.append(await visit.reader.readuntil(b"\r\n\r\n"))
        await visit.say(WHOLE)

    async with serving(script) as far:
        request = a_request(far, body=b"", path="/files/file-1?limit=2")._replace(method=method)
        assert await fetched(upstream, request) == b"whole"

    assert asked[0].startswith(f"{method} /v1/files/file-1?limit=2 HTTP/1.1\r\n".encode())
    assert b"content-type" not in asked[0].lower()
    assert (b"content-length: 0" in asked[0].lower()) is (method in {"PUT", "PATCH"})


async def test_a_reply_to_head_has_no_body(upstream: Upstream) -> None:
    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        await visit.gone()

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        request = a_request(far, body=b"")._replace(method="HEAD")
        reply = await upstream.send(request)

        assert dict(reply.headers)[b"content-length"] == b"5"
        assert await reply.chunk() == b""


async def test_a_method_that_is_none_is_refused(upstream: Upstream) -> None:
    async with serving(says(WHOLE)) as far:
        with pytest.raises(InvalidValue):
            await upstream.send(a_request(far)._replace(method="GET /x"))


async def test_an_early_reply_ends_the_upload() -> None:
    upstream = DirectUpstream()

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(b"HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno")
        await visit.gone()

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        feed = spring(b"a", asyncio.Event().wait, length=10)
        reply = await upstream.send(feeding(far, feed))

        assert (reply.status, await reply.read(10)) == (413, b"no")
        await far.visits[0].left.wait()
    await upstream.close()
