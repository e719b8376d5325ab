"""What only the httpx adapter does: proxies, HTTP/2, and httpx's errors in our words."""

import asyncio
import ssl
import sys
from collections.abc import Iterator

import h2.config
import h2.connection
import h2.events
import httpx
import pytest
import trustme

from gateway.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from gateway.ports import Deadlines
from gateway.upstream.heading import Origin
from gateway.upstream.httpx_adapter import HttpxUpstream
from gateway.upstream.httpx_errors import MEANINGS, WORDS, translate
from gateway.upstream.lanes import proxy_for
from gateway.upstream.pool import Limits
from tests.upstream.far_end import (
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


def kinds(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from kinds(narrower)


def test_every_transport_error_of_httpx_has_a_meaning() -> None:
    assert set(kinds(httpx.TransportError)) == set(MEANINGS)
    assert {meaning for pair in MEANINGS.values() for meaning in pair} == set(WORDS)


@pytest.mark.parametrize("kind", list(kinds(httpx.TransportError)))
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("ended", [False, True])
def test_an_error_is_told_without_its_text(
    kind: type[httpx.TransportError], begun: bool, ended: bool
) -> None:
    error = kind("http://me:secret@proxy")

    told = translate(error, "far", begun=begun, ended=ended)

    assert isinstance(told, UpstreamError)
    assert "secret" not in told.message
    assert "'far'" in told.message


def test_an_error_that_nobody_knows_is_a_lost_connection() -> None:
    told = translate(RuntimeError(), "far", begun=False, ended=False)

    assert type(told) is UpstreamUnreachable


@pytest.mark.parametrize(
    ("proxies", "secure", "found"),
    [
        ({}, True, None),
        ({"https": "http://p:1"}, True, (b"http", b"p", 1)),
        ({"https": "http://p:1"}, False, None),
        ({"http": "p:2"}, False, (b"http", b"p", 2)),
        ({"all": "https://p"}, True, (b"https", b"p", None)),
        ({"all": "http://p:1", "no": "example.com"}, True, None),
        ({"all": "http://p:1", "no": "*"}, True, None),
        ({"all": "http://p:1", "no": "other.com"}, True, (b"http", b"p", 1)),
    ],
)
def test_the_proxy_is_the_one_that_the_environment_names(
    proxies: dict[str, str], secure: bool, found: tuple[bytes, bytes, int | None] | None
) -> None:
    proxy = proxy_for(Origin(secure, "api.example.com", 443), proxies)

    assert (proxy and (proxy.url.scheme, proxy.url.host, proxy.url.port)) == found


@pytest.mark.parametrize("address", ["socks5://me:secret@p:1", "http://", "http://me:secret@p:x"])
async def test_a_proxy_that_cannot_be_used_is_not_quoted(address: str) -> None:
    upstream = HttpxUpstream(proxies={"all": address})

    with pytest.raises(UpstreamUnreachable) as told:
        await upstream.send(a_request(a_deployment("http://h/v1")))

    assert "secret" not in told.value.message
    await upstream.close()


async def test_a_plain_call_goes_through_the_proxy() -> None:
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        while True:
            asked.append(await visit.request())
            await visit.say(WHOLE)

    async with serving(script) as proxy:
        upstream = HttpxUpstream(proxies={"http": f"http://me:pass@127.0.0.1:{proxy.port}"})
        for _ in range(2):
            request = a_request(a_deployment("http://far.example/v1"))
            assert await fetched(upstream, request) == b"whole"
        await upstream.close()

    assert asked[0].startswith(b"POST http://far.example/v1/chat/completions HTTP/1.1\r\n")
    assert b"\r\nproxy-authorization: basic bwu6cgfzcw==\r\n" in asked[0].lower()
    assert len(proxy.visits) == 1


async def pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def tunnels(visit: Visit) -> None:
    """A proxy that connects whoever asks with the port that is asked for."""
    first = await visit.reader.readuntil(b"\r\n\r\n")
    method, target, _ = first.split(b" ", 2)
    assert method == b"CONNECT"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(target.rpartition(b":")[2]))
    await visit.say(b"HTTP/1.1 200 Connected\r\n\r\n")
    async with asyncio.TaskGroup() as group:
        group.create_task(pumped(visit.reader, writer))
        group.create_task(pumped(reader, visit.writer))


def far_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_a_secret_call_goes_through_a_tunnel(authority: trustme.CA, ca_file: str) -> None:
    async with serving(says(WHOLE), far_tls(authority)) as far, serving(tunnels) as proxy:
        upstream = HttpxUpstream(ca_file=ca_file, proxies={"all": f"http://127.0.0.1:{proxy.port}"})
        for _ in range(2):
            assert await fetched(upstream, a_request(far)) == b"whole"
        await upstream.close()

        assert len(proxy.visits) == len(far.visits) == 1


async def test_a_proxy_that_refuses_is_told_apart() -> None:
    async def refuses(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")

    async with serving(refuses) as proxy:
        upstream = HttpxUpstream(proxies={"all": f"http://me:secret@127.0.0.1:{proxy.port}"})
        with pytest.raises(UpstreamUnreachable, match="ProxyError") as told:
            await fetched(upstream, a_request(a_deployment("https://far.example/v1")))
        await upstream.close()

    assert "secret" not in told.value.message


async def test_a_proxy_that_is_silent_is_a_connection_that_fails() -> None:
    async def silent(visit: Visit) -> None:
        await visit.gone()

    async with serving(silent) as proxy, asyncio.timeout(PATIENCE):
        upstream = HttpxUpstream(proxies={"all": f"http://127.0.0.1:{proxy.port}"})
        request = a_request(
            a_deployment("https://far.example/v1"), deadlines=Deadlines(connect=0.05)
        )
        with pytest.raises(UpstreamTimeout, match="connect deadline"):
            await upstream.send(request)
        await upstream.close()


async def speaks_http2(visit: Visit) -> None:
    """A far end that answers over HTTP/2, except to `cut` (it closes) and `wait` (it waits)."""
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    state.initiate_connection()
    await visit.say(state.data_to_send())
    while data := await visit.reader.read(65536):
        for event in state.receive_data(data):
            if isinstance(event, h2.events.DataReceived) and event.data == b"cut":
                return
            if isinstance(event, h2.events.DataReceived) and event.data == b"wait":
                visit.heard.set()
                await visit.gone()
            elif isinstance(event, h2.events.StreamEnded):
                state.send_headers(event.stream_id, [(":status", "200"), ("x-two", "2")])
                state.send_data(event.stream_id, b"who")
                state.send_data(event.stream_id, b"le", end_stream=True)
        await visit.say(state.data_to_send())


async def test_http2_is_spoken_when_the_far_end_speaks_it(
    authority: trustme.CA, ca_file: str
) -> None:
    context = far_tls(authority)
    context.set_alpn_protocols(["h2"])
    upstream = HttpxUpstream(ca_file=ca_file, http2=True, proxies={})
    async with serving(speaks_http2, context) as far, asyncio.timeout(PATIENCE):
        for stream in (False, True):
            reply = await upstream.send(a_request(far, stream=stream))
            assert (reply.status, reply.headers) == (200, ((b"x-two", b"2"),))
            assert await reply.read(5) == b"whole"
        assert len(far.visits) == 1

        with pytest.raises(UpstreamUnreachable):
            await fetched(upstream, a_request(far, body=b"cut"))
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(fetched(upstream, a_request(far, body=b"wait")))
            while len(far.visits) < 3 or not far.visits[2].heard.is_set():
                await turned()
            waiting.cancel()
        await far.visits[2].left.wait()
        await upstream.close()


async def test_at_the_cap_calls_wait_and_too_many_do_not() -> None:
    upstream = HttpxUpstream(proxies={}, limits=Limits(connections=1, waiting=1))
    answer = asyncio.Event()

    async def script(visit: Visit) -> None:
        while True:
            await visit.request()
            await answer.wait()
            await visit.say(WHOLE)

    async with serving(script) as far, asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        calls = [group.create_task(fetched(upstream, a_request(far))) for _ in range(2)]
        while not far.visits:
            await turned()
        with pytest.raises(UpstreamUnreachable, match="too many"):
            await upstream.send(a_request(far))
        answer.set()
        for call in calls:
            assert await call == b"whole"
        await upstream.close()


async def test_a_connection_that_idles_too_long_is_closed() -> None:
    upstream = HttpxUpstream(proxies={}, limits=Limits(keep_alive=0.05))

    async def script(visit: Visit) -> None:
        await visit.answer(WHOLE)
        await visit.gone()

    async with serving(script) as far, asyncio.timeout(PATIENCE):
        await fetched(upstream, a_request(far))
        await far.visits[0].left.wait()

        assert await fetched(upstream, a_request(far)) == b"whole"
        await upstream.close()


async def test_the_environment_s_proxies_are_used_unless_others_are_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(says(WHOLE)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "near.example")
        upstream = HttpxUpstream()
        request = a_request(a_deployment("http://far.example/v1"))
        assert await fetched(upstream, request) == b"whole"
        await upstream.close()

        assert len(proxy.visits) == 1


def test_http2_without_its_package_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h2.exceptions", None)

    with pytest.raises(ImportError):
        HttpxUpstream(http2=True)
