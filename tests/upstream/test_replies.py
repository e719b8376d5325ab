"""What arrives is what was sent: heads, bodies, pieces."""

import asyncio
import gzip

import pytest

from gateway.errors import InvalidValue, UpstreamBroken
from gateway.ports import Upstream
from tests.upstream.far_end import (
    CHUNKED,
    KEY,
    PATIENCE,
    WHOLE,
    Visit,
    a_deployment,
    a_request,
    fetched,
    pieces,
    says,
    says_once,
    serving,
    turned,
)


async def test_a_reply_arrives_whole(upstream: Upstream) -> None:
    async with serving(says(WHOLE)) as far:
        reply = await upstream.send(a_request(far))

        assert (reply.status, reply.headers) == (200, ((b"content-length", b"5"),))
        assert await reply.read(5) == b"whole"
        assert await reply.chunk() == b""


@pytest.mark.parametrize("stream", [False, True])
async def test_the_request_is_what_the_caller_gave_and_what_we_add(
    upstream: Upstream, stream: bool
) -> None:
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        asked.append(await visit.request())
        await visit.say(WHOLE)

    headers = ((b"x-trace", b"7"), (b"user-agent", b"theirs"), (b"authorization", b"Bearer no"))
    async with serving(script) as far:
        await fetched(upstream, a_request(far, stream=stream, headers=headers, body=b'{"a": 1}'))

    head, _, body = asked[0].partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    assert first == b"POST /v1/chat/completions HTTP/1.1"
    assert sorted(line.lower() for line in lines) == sorted(
        [
            b"host: 127.0.0.1:%d" % far.port,
            b"authorization: bearer %b" % KEY.encode(),
            b"content-type: application/json",
            b"accept: application/json",
            b"accept-encoding: identity",
            b"content-length: 8",
            b"user-agent: theirs",
            b"x-trace: 7",
        ]
    )
    assert body == b'{"a": 1}'


async def test_a_large_request_arrives_as_it_was(upstream: Upstream) -> None:
    body = bytes(range(256)) * 16_384
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        asked.append(await visit.request())
        await visit.say(WHOLE)

    async with serving(script) as far:
        await fetched(upstream, a_request(far, body=body))

    assert asked[0].endswith(b"\r\n\r\n" + body)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chunked_body_loses_its_framing_and_nothing_else(
    upstream: Upstream, stream: bool
) -> None:
    body = b"3;ext=1\r\none\r\n4\r\n\r\ntw\r\n1\r\no\r\n0\r\nX-Trailer: 1\r\n\r\n"
    async with serving(says(CHUNKED + body)) as far:
        assert await fetched(upstream, a_request(far, stream=stream)) == b"one\r\ntwo"
        assert await fetched(upstream, a_request(far, stream=stream)) == b"one\r\ntwo"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_body_without_a_length_ends_with_the_connection(
    upstream: Upstream, stream: bool
) -> None:
    async with serving(says_once(b"HTTP/1.1 200 OK\r\n\r\nto the end")) as far:
        assert await fetched(upstream, a_request(far, stream=stream)) == b"to the end"


@pytest.mark.parametrize("stream", [False, True])
async def test_how_the_bytes_are_split_on_the_way_changes_nothing(
    upstream: Upstream, stream: bool
) -> None:
    reply = b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED + b"5\r\nwhole\r\n0\r\n\r\n"

    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            for at in range(len(reply)):
                await visit.say(reply[at : at + 1])
                await turned()

    async with serving(script) as far:
        assert await fetched(upstream, a_request(far, stream=stream)) == b"whole"
        assert await fetched(upstream, a_request(far, stream=stream)) == b"whole"
        assert len(far.visits) == 1


async def test_a_piece_is_seen_before_the_next_is_sent(upstream: Upstream) -> None:
    seen = [asyncio.Event() for _ in range(3)]

    async def script(visit: Visit) -> None:
        await visit.answer(CHUNKED)
        for event in seen:
            await visit.say(b"5\r\npiece\r\n")
            await event.wait()
        await visit.say(b"0\r\n\r\n")

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(a_request(far, stream=True))
        for event in seen:
            assert await reply.chunk() == b"piece"
            event.set()

        assert await reply.chunk() == b""


async def test_a_streamed_reply_is_handed_over_at_its_head(upstream: Upstream) -> None:
    handed_over = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.answer(CHUNKED)
        await handed_over.wait()
        await visit.say(b"3\r\nend\r\n0\r\n\r\n")

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(a_request(far, stream=True))
        handed_over.set()

        assert await reply.read(100) == b"end"


async def test_a_slow_reply_that_is_not_streamed_is_handed_over_unfinished(
    upstream: Upstream,
) -> None:
    handed_over = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.answer(CHUNKED + b"5\r\nfirst\r\n")
        await handed_over.wait()
        await visit.say(b"4\r\nlast\r\n0\r\n\r\n")

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(a_request(far))
        handed_over.set()

        assert await reply.read(100) == b"firstlast"


async def test_a_reader_that_stops_waiting_loses_nothing(upstream: Upstream) -> None:
    go_on = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.answer(CHUNKED)
        await go_on.wait()
        await visit.say(b"5\r\npiece\r\n0\r\n\r\n")

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(a_request(far, stream=True))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await reply.chunk()
        go_on.set()
        for _ in range(20):
            await turned()

        assert await reply.read(100) == b"piece"


async def test_compressed_bytes_pass_as_they_are(upstream: Upstream) -> None:
    packed = gzip.compress(b"x" * 1000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    async with serving(says(head + packed)) as far:
        assert await fetched(upstream, a_request(far)) == packed


async def test_headers_keep_their_order_and_number_and_are_lower_case(upstream: Upstream) -> None:
    head = b"HTTP/1.1 200 OK\r\nB: 1\r\nSet-Cookie: a\r\nA:2\r\nSET-COOKIE: b\r\nContent-Length: 0"
    async with serving(says(head + b"\r\n\r\n")) as far:
        reply = await upstream.send(a_request(far))

        assert reply.headers == (
            (b"b", b"1"),
            (b"set-cookie", b"a"),
            (b"a", b"2"),
            (b"set-cookie", b"b"),
            (b"content-length", b"0"),
        )
        assert await reply.read(0) == b""


async def test_a_cookie_is_not_sent_back(upstream: Upstream) -> None:
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        while True:
            asked.append(await visit.request())
            await visit.say(b"HTTP/1.1 200 OK\r\nSet-Cookie: who=you\r\nContent-Length: 0\r\n\r\n")

    async with serving(script) as far:
        await fetched(upstream, a_request(far))
        await fetched(upstream, a_request(far))

    assert b"cookie" not in asked[1].lower()


async def test_interim_replies_are_skipped(upstream: Upstream) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    async with serving(says(interim + WHOLE)) as far:
        reply = await upstream.send(a_request(far))

        assert (reply.status, reply.headers) == (200, ((b"content-length", b"5"),))


@pytest.mark.parametrize("status", [204, 304])
async def test_some_replies_have_no_body(upstream: Upstream, status: int) -> None:
    async with serving(says(b"HTTP/1.1 %d Nothing\r\n\r\n" % status)) as far:
        assert await pieces(upstream, a_request(far)) == []
        assert await pieces(upstream, a_request(far, stream=True)) == []
        assert len(far.visits) == 1


@pytest.mark.parametrize("status", [400, 429, 500, 599])
async def test_a_refusal_is_a_reply(upstream: Upstream, status: int) -> None:
    async with serving(says(b"HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\nno" % status)) as far:
        reply = await upstream.send(a_request(far, stream=True))

        assert (reply.status, await reply.read(2)) == (status, b"no")


async def test_a_redirect_is_not_followed(upstream: Upstream) -> None:
    async with serving(says(WHOLE)) as elsewhere:
        moved = b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n"
        async with serving(says(moved % elsewhere.port)) as far:
            reply = await upstream.send(a_request(far))

        assert reply.status == 307
        assert elsewhere.visits == []


@pytest.mark.parametrize("stream", [False, True])
async def test_a_body_over_the_limit_is_not_read(upstream: Upstream, stream: bool) -> None:
    async def script(visit: Visit) -> None:
        await visit.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            await visit.say(b"x" * 65536)

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(a_request(far, stream=stream))

        with pytest.raises(UpstreamBroken, match="more than 1000 bytes"):
            await reply.read(1000)


async def test_a_line_break_in_a_header_or_a_path_goes_nowhere(upstream: Upstream) -> None:
    deployment = a_deployment("http://127.0.0.1:9/v1")

    with pytest.raises(InvalidValue):
        await upstream.send(a_request(deployment, headers=((b"x", b"1\r\nhost: evil"),)))
    with pytest.raises(InvalidValue):
        await upstream.send(a_request(deployment, path="/chat HTTP/1.1\r\nx: y"))
