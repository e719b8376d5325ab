"""How a request may be written and arrive."""

import asyncio

import orjson
import pytest

from gateway.http.exchange import Exchange
from gateway.ports import Request
from tests.fakes import FakeReply
from tests.flow.replies import STREAMED, body, stream, whole
from tests.http.edge import CHAT, Edge, asking, edge, get, post, streaming

CHUNKED = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def either(request: Request) -> FakeReply:
    return stream() if request.stream else whole()


@pytest.mark.parametrize(
    "path",
    [
        CHAT,
        "/chat/completions",
        CHAT + "?api-version=2024-10-21",
        CHAT + "?",
        "http://gateway:8080" + CHAT,
        "http://gateway/chat/completions?a=b",
    ],
)
async def test_the_chat_endpoint_has_these_addresses(path: str) -> None:
    async with edge() as e:
        said = await e.ask(post(path=path))

    assert said.status == 200
    assert said.body == body()


@pytest.mark.parametrize(
    "path", [CHAT + "/", "//v1/chat/completions", "/chat/completion", "/V1/chat/completions"]
)
async def test_what_only_looks_like_it_is_another_address(path: str) -> None:
    async with edge() as e:
        said = await e.ask(post(path=path))

        assert e.requests == []
    assert said.status == 404
    assert said.error["code"] == "unknown_url"


async def test_names_of_header_fields_have_no_case() -> None:
    ask = (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: Application/JSON\r\n"
        b"CONTENT-LENGTH: %d\r\nX-GATEWAY-TIER: full\r\nx-Client-Request-Id: abc\r\n\r\n%b"
    ) % (len(asking()), asking())
    async with edge() as e:
        said = await e.ask(ask)

        assert e.requests[0].headers == ((b"x-client-request-id", b"abc"),)
    assert said.headers["x-gateway-tier"] == "full"


async def test_a_body_without_a_content_type_is_read_as_json() -> None:
    ask = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b"
    async with edge() as e:
        said = await e.ask(ask % (len(asking()), asking()))

    assert said.status == 200


@pytest.mark.parametrize(
    "kind",
    ["application/json; charset=utf-8", "application/problem+json", "text/json"],
)
async def test_every_kind_of_json_is_read(kind: str) -> None:
    ask = post().replace(b"application/json", kind.encode())
    async with edge() as e:
        assert (await e.ask(ask)).status == 200


async def test_an_identity_encoding_is_none() -> None:
    async with edge() as e:
        assert (await e.ask(post(None, "Content-Encoding: Identity"))).status == 200


async def test_a_chunked_body_is_put_together() -> None:
    ask = asking("gpt-4.1")
    parts = [b"%x\r\n%b\r\n" % (len(part), part) for part in (ask[:7], ask[7:8], ask[8:])]
    async with edge() as e:
        said = await e.ask(CHUNKED + b"".join(parts) + b"0\r\n\r\n")

        assert e.requests[0].body == ask
    assert said.status == 200


async def test_a_body_in_many_small_chunks_is_the_same_body() -> None:
    ask = asking("gpt-4.1", user="é" * 2000)
    chunks = b"".join([b"2;ext=1\r\n%b\r\n" % ask[i : i + 2] for i in range(0, len(ask) & ~1, 2)])
    last = b"1\r\n%b\r\n" % ask[-1:] if len(ask) & 1 else b""
    async with edge() as e:
        wire = (await e.dial()).send(CHUNKED + chunks)
        await e.until(lambda: received(e) == len(ask) & ~1)
        exchange = e.connections()[0].active
        assert isinstance(exchange, Exchange)
        held = len(exchange.parts)
        said = await wire.ask(last + b"0\r\n\r\n")

        assert e.requests[0].body == ask
    # Each part costs more than the two bytes it carries: they are put together on the way.
    assert held < 600
    assert said.status == 200


def received(e: Edge) -> int:
    """Bytes of the body that have come so far."""
    actives = [one.active for one in e.connections()]
    return sum(one.size for one in actives if isinstance(one, Exchange))


async def test_a_trailer_cannot_say_what_the_head_did_not() -> None:
    ask = asking()
    trailer = b"0\r\nx-gateway-tier: full\r\nx-client-request-id: forged\r\n\r\n"
    async with edge() as e:
        wire = await e.dial()
        said = await wire.ask(CHUNKED + b"%x\r\n%b\r\n" % (len(ask), ask) + trailer)
        after = await wire.ask(post(asking("mini")))

        assert [request.headers for request in e.requests] == [(), ()]
    assert said.headers["x-gateway-tier"] == "nano"
    assert after.status == 200


async def test_a_request_may_be_dripped_byte_by_byte() -> None:
    async with edge() as e:
        wire = await e.dial()
        await e.until(lambda: bool(e.connections()))
        (connection,) = e.connections()
        for byte in post():
            connection.data_received(bytes([byte]))
        said = await wire.reply()

        assert orjson.loads(e.requests[0].body)["messages"] == [{"role": "user", "content": "Hi"}]
    assert said.status == 200


@pytest.mark.parametrize("cut", [1, 20, 60, 100, -10, -1])
async def test_a_request_may_come_in_two_segments(cut: int) -> None:
    ask = streaming()
    async with edge(either) as e:
        wire = (await e.dial()).send(ask[:cut])
        await e.until(lambda: any(one.head_bytes for one in e.connections()) or cut == 1)
        said = await wire.ask(ask[cut:])

    assert said.body == STREAMED


async def test_who_expects_100_continue_is_told_to_continue() -> None:
    head, _, ask = post(None, "Expect: 100-continue").partition(b"\r\n\r\n")
    async with edge() as e:
        wire = (await e.dial()).send(head + b"\r\n\r\n")
        told = await wire.head()
        said = await wire.ask(ask)

    assert told == (100, [])
    assert said.status == 200


async def test_an_http_1_0_client_is_never_told_to_continue() -> None:
    async with edge() as e:
        said = await e.ask(post(None, "Expect: 100-continue", version="1.0"))

    assert said.status == 200


async def test_who_expects_100_continue_for_too_much_is_refused_before_sending_it() -> None:
    head = post(b"", "Expect: 100-continue").replace(b"Length: 0", b"Length: 99999999")
    async with edge() as e:
        said = await e.ask(head)

    assert said.status == 413


@pytest.mark.parametrize("offer", ["h2c", "websocket", "HTTP/3.0"])
async def test_an_offer_to_upgrade_is_declined_and_the_call_answered(offer: str) -> None:
    fields = ("Connection: Upgrade, HTTP2-Settings", f"Upgrade: {offer}", "HTTP2-Settings: AAEA")
    ask = post(None, *fields)
    async with edge() as e:
        wire = await e.dial()
        at_once = await wire.ask(ask)
        wire.send(ask[:-30])
        await e.until(lambda: any(one.receiving_since is not None for one in e.connections()))
        in_two = await wire.ask(ask[-30:])
        page = await wire.ask(get("/healthz", *fields))

    assert at_once.body == in_two.body == body()
    assert page.body == b'{"status":"ok"}'


async def test_the_body_behind_an_offer_to_upgrade_is_never_a_request() -> None:
    inner = post(asking("gpt-4.1", user="smuggled"))
    fields = ("Connection: Upgrade", "Upgrade: h2c")
    async with edge() as e:
        wire = (await e.dial()).send(post(inner, *fields)[: -len(inner)])
        await e.until(lambda: any(one.receiving_since is not None for one in e.connections()))
        said = await wire.ask(inner)

        assert e.requests == []
    assert said.status == 400
    assert said.error["code"] == "invalid_json"


async def test_no_tunnel_is_opened() -> None:
    async with edge() as e:
        wire = await e.dial()
        said = await wire.ask(
            b"CONNECT upstream:443 HTTP/1.1\r\nHost: upstream:443\r\n\r\n" + post()
        )

        assert await wire.is_over()
        assert e.requests == []
    assert said.status == 405
    assert said.error["code"] == "method_not_allowed"


async def test_a_long_body_is_looked_at_beside_the_loop() -> None:
    async with edge() as e:
        said = await asyncio.wait_for(e.ask(post(asking(user="x" * 4_000_000))), 10)

    assert said.status == 200
