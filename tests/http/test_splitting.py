"""A law: how a client's bytes are cut into segments changes nothing of what it is answered."""

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings, strategies as st

from gateway.ports import Request
from tests.fakes import FakeReply
from tests.flow.replies import STREAMED, body, stream, whole
from tests.http.edge import Edge, asking, edge, get, post, streaming

ASKED = asking("nano", user="asked")
HIDDEN = asking("full", user="smuggled")
CHUNKED = b"POST /chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
OFFER = ("Connection: Upgrade", "Upgrade: h2c")


@dataclass(frozen=True)
class Ask:
    """A request, what it is answered with, and whether that is the connection's end."""

    data: bytes
    status: int
    says: bytes
    last: bool = False


def in_chunks(data: bytes, size: int, trailer: bytes = b"") -> bytes:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    chunks = b"".join([b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces])
    return CHUNKED + chunks + b"0\r\n" + trailer + b"\r\n"


GOES_ON = [
    Ask(post(ASKED), 200, body()),
    Ask(streaming(), 200, STREAMED),
    Ask(b"\r\n" + post(ASKED), 200, body()),
    Ask(in_chunks(ASKED, 7), 200, body()),
    Ask(in_chunks(ASKED, 1, b"X-Gateway-Tier: none\r\n"), 200, body()),
    Ask(post(ASKED, *OFFER), 200, body()),
    Ask(post(post(HIDDEN), *OFFER), 400, b"invalid_json"),
    Ask(post(post(HIDDEN)), 400, b"invalid_json"),
    Ask(get("/healthz"), 200, b'{"status":"ok"}'),
    Ask(get("/healthz", *OFFER), 200, b'{"status":"ok"}'),
    Ask(get("/readyz"), 200, b'{"status":"ready"}'),
    Ask(post(post(HIDDEN), path="/v1/models"), 405, b"method_not_allowed"),
    Ask(get("/nowhere"), 404, b"unknown_url"),
]
ENDS = [
    Ask(post(ASKED, "Connection: close"), 200, body(), last=True),
    Ask(post(ASKED, version="1.0"), 200, body(), last=True),
    Ask(post(b"{}" * 2000), 413, b"request_too_large", last=True),
    Ask(in_chunks(b" " * 3000, 500), 413, b"request_too_large", last=True),
    Ask(get("/healthz", "X: " + "y" * 2000), 431, b"headers_too_large", last=True),
    Ask(b"\x16\x03\x01\x02\x00\r\n\r\n", 400, b"invalid_http", last=True),
    Ask(in_chunks(ASKED, 20).replace(b"\r\n0\r\n", b"\r\nz\r\n"), 400, b"invalid_http", last=True),
]
CONVERSATIONS = st.tuples(
    st.lists(st.sampled_from(GOES_ON), max_size=5),
    st.lists(st.sampled_from(ENDS), min_size=1, max_size=1),
).map(lambda parts: parts[0] + parts[1])
SIZES = st.lists(st.integers(1, 300), min_size=1, max_size=12)
LIMITS = {"max_body": 2000, "max_header_bytes": 1500}


def either(request: Request) -> FakeReply:
    return stream() if request.stream else whole()


async def feed(e: Edge, data: bytes, sizes: list[int]) -> None:
    """Hand the bytes over in segments of these sizes, again and again."""
    await e.until(lambda: bool(e.connections()))
    (connection,) = e.connections()
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        connection.data_received(data[at : at + size])
        at += size
        turn += 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(asks=CONVERSATIONS, sizes=SIZES)
async def test_a_conversation_goes_the_same_way_however_it_is_cut(
    asks: list[Ask], sizes: list[int]
) -> None:
    behind = post(HIDDEN)
    async with edge(either, limits=LIMITS) as e:
        wire = await e.dial()
        await feed(e, b"".join([ask.data for ask in asks]) + behind, sizes)
        said = [await wire.reply() for _ in asks]

        assert await wire.is_over()
        assert not any(b"smuggled" in request.body for request in e.requests)
        assert len({call.id for call in e.recorder.calls}) == len(e.recorder.calls)
    for ask, one in zip(asks, said, strict=True):
        assert one.status == ask.status
        assert ask.says in one.body
        assert (one.headers.get("connection") == "close") == ask.last
