"""How a far end can go wrong, and what the caller is told."""

import asyncio
import socket
import ssl

import pytest
import trustme

from gateway.errors import (
    UpstreamBroken,
    UpstreamError,
    UpstreamTruncated,
    UpstreamUnreachable,
)
from gateway.ports import Upstream
from tests.upstream.conftest import Maker
from tests.upstream.far_end import (
    CHUNKED,
    KEY,
    PATIENCE,
    WHOLE,
    Script,
    Visit,
    a_deployment,
    a_request,
    fetched,
    says,
    says_once,
    serving,
    turned,
)

OK = b"HTTP/1.1 200 OK\r\n"


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def failure(upstream: Upstream, script: Script, *, stream: bool) -> UpstreamError:
    """What the caller is told when the far end follows the script."""
    async with serving(script) as far:
        with pytest.raises(UpstreamError) as told:
            await fetched(upstream, a_request(far, stream=stream))
    assert KEY not in repr(told.value)
    return told.value


def says_and_resets(data: bytes) -> Script:
    async def script(visit: Visit) -> None:
        await visit.answer(data)
        await turned()
        visit.reset()

    return script


async def test_nobody_listens(upstream: Upstream) -> None:
    deployment = a_deployment(f"http://127.0.0.1:{closed_port()}/v1")

    with pytest.raises(UpstreamUnreachable, match="'far'"):
        await fetched(upstream, a_request(deployment))


async def test_the_name_is_unknown(upstream: Upstream) -> None:
    with pytest.raises(UpstreamUnreachable):
        await fetched(upstream, a_request(a_deployment("http://no-such-host.invalid/v1")))


async def test_a_far_end_that_closes_before_it_answers_is_asked_once(upstream: Upstream) -> None:
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        asked.append(await visit.request())

    assert type(await failure(upstream, script, stream=False)) is UpstreamUnreachable
    assert len(asked) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("end", [says_once, says_and_resets])
@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", UpstreamUnreachable),
        (b"HTTP/1.1 200 OK\r\nContent-", UpstreamUnreachable),
        (OK + b"Content-Length: 10\r\n\r\nhalf", UpstreamTruncated),
        (CHUNKED + b"4\r\nhalf\r\n", UpstreamTruncated),
        (CHUNKED + b"8\r\nhalf", UpstreamTruncated),
    ],
    ids=["nothing", "head", "length", "chunks", "chunk"],
)
async def test_a_reply_that_is_cut(
    upstream: Upstream, stream: bool, end: type, sent: bytes, error: type
) -> None:
    assert type(await failure(upstream, end(sent), stream=stream)) is error


async def test_a_body_without_a_length_is_cut_by_a_reset(upstream: Upstream) -> None:
    told = await failure(upstream, says_and_resets(OK + b"\r\nhalf"), stream=True)

    assert type(told) is UpstreamTruncated


async def test_the_pieces_before_the_cut_are_read_first(upstream: Upstream) -> None:
    async with serving(says_once(CHUNKED + b"5\r\npiece\r\n")) as far, asyncio.timeout(PATIENCE):
        reply = await upstream.send(a_request(far, stream=True))

        assert await reply.chunk() == b"piece"
        for _ in range(2):
            with pytest.raises(UpstreamTruncated):
                await reply.chunk()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "sent",
    [
        b"<html>502 Bad Gateway</html>\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nwhole",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: five\r\n\r\nwhole",
        CHUNKED + b"xyz\r\nwhole\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nwhole and more\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        OK + b"X: " + b"x" * 66_000 + b"\r\nContent-Length: 5\r\n\r\nwhole",
        OK + b"X: " + b"x" * 200_000,
        OK + b"X: y\r\n" * 40_000,
    ],
    ids=range(16),
)
async def test_what_is_no_reply_is_broken(upstream: Upstream, stream: bool, sent: bytes) -> None:
    async def script(visit: Visit) -> None:
        await visit.answer(sent)
        await visit.gone()

    assert type(await failure(upstream, script, stream=stream)) is UpstreamBroken


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(
    "extra",
    [WHOLE.replace(b"whole", b"wrong"), b"HTTP/1.1 200 O", b"H", b"junk"],
    ids=["reply", "part", "byte", "junk"],
)
async def test_what_follows_a_reply_never_reaches_the_next_caller(
    upstream: Upstream, stream: bool, together: bool, extra: bytes
) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        await visit.say(WHOLE + (extra if together else b""))
        if not together:
            await turned()
            await visit.say(extra)
        said.set()
        await visit.gone()

    async with serving(script) as far:
        for _ in range(3):
            said = asyncio.Event()
            assert await fetched(upstream, a_request(far, stream=stream)) == b"whole"
            await asyncio.wait_for(said.wait(), PATIENCE)


async def test_a_connection_is_used_again(upstream: Upstream) -> None:
    async with serving(says(WHOLE)) as far:
        for stream in (False, True, False):
            assert await fetched(upstream, a_request(far, stream=stream)) == b"whole"

        assert len(far.visits) == 1


@pytest.mark.parametrize("head", [OK + b"Connection: close\r\n", b"HTTP/1.0 200 OK\r\n"])
async def test_a_connection_that_is_to_be_closed_is_not_used_again(
    upstream: Upstream, head: bytes
) -> None:
    async with serving(says(head + b"Content-Length: 5\r\n\r\nwhole")) as far:
        for _ in range(2):
            assert await fetched(upstream, a_request(far)) == b"whole"

        assert len(far.visits) == 2


async def test_a_request_that_meets_a_dead_connection_is_sent_again(upstream: Upstream) -> None:
    async def script(visit: Visit) -> None:
        await visit.answer(WHOLE)
        if len(far.visits) == 1:
            await visit.request()
            visit.reset()
        else:
            await visit.answer(WHOLE)

    async with serving(script) as far:
        for _ in range(2):
            assert await fetched(upstream, a_request(far)) == b"whole"

        assert len(far.visits) == 2


async def test_a_request_is_sent_again_only_once(upstream: Upstream) -> None:
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        if not asked:
            asked.append(await visit.request())
            await visit.say(WHOLE)
        asked.append(await visit.request())

    async with serving(script) as far:
        await fetched(upstream, a_request(far))
        with pytest.raises(UpstreamUnreachable):
            await fetched(upstream, a_request(far))

    assert len(asked) == 3


async def test_a_request_is_not_sent_again_once_a_byte_came(upstream: Upstream) -> None:
    async def script(visit: Visit) -> None:
        await visit.answer(WHOLE)
        await visit.answer(b"HTTP/1.1 2")

    async with serving(script) as far:
        await fetched(upstream, a_request(far))
        with pytest.raises(UpstreamUnreachable):
            await fetched(upstream, a_request(far))

        assert len(far.visits) == 1


async def test_a_connection_that_the_far_end_closed_while_idle_is_not_used(
    upstream: Upstream,
) -> None:
    async with serving(says_once(WHOLE)) as far:
        for _ in range(3):
            assert await fetched(upstream, a_request(far)) == b"whole"
            await far.visits[-1].gone()

        assert len(far.visits) == 3


async def test_a_certificate_of_a_known_authority_is_trusted(
    maker: Maker, authority: trustme.CA, ca_file: str
) -> None:
    far_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(far_tls)
    upstream = maker(ca_file=ca_file)

    async with serving(says(WHOLE), far_tls) as far:
        for stream in (False, True):
            assert await fetched(upstream, a_request(far, stream=stream)) == b"whole"
        await upstream.close()

        assert len(far.visits) == 1


@pytest.mark.parametrize(("named", "known"), [("127.0.0.1", False), ("other.example", True)])
async def test_a_certificate_that_does_not_fit_is_refused(
    maker: Maker, authority: trustme.CA, ca_file: str, named: str, known: bool
) -> None:
    far_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(named).configure_cert(far_tls)
    upstream = maker(ca_file=ca_file if known else None)

    async with serving(says(WHOLE), far_tls) as far:
        with pytest.raises(UpstreamUnreachable):
            await fetched(upstream, a_request(far))
        await upstream.close()
