"""Several requests at once on one connection: answered in order, each for itself."""

import asyncio

import pytest

from gateway.ports import Request
from tests.fakes import FakeReply
from tests.flow.replies import CLOSING, DONE, OPENING, STREAMED, body, stream, whole
from tests.http.edge import Edge, asking, edge, get, post, streaming


class Gate:
    """An upstream that holds its first reply back until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.asked = 0

    async def wait(self) -> None:
        self.reached.set()
        await self.opened.wait()

    def __call__(self, request: Request) -> FakeReply:
        self.asked += 1
        if self.asked > 1:
            return stream() if request.stream else whole()
        if request.stream:
            return stream(OPENING, self.wait, CLOSING + DONE)
        return whole(self.wait, body())


async def test_two_calls_in_one_write_are_answered_in_order() -> None:
    gate = Gate()
    async with edge(gate) as e:
        wire = (await e.dial()).send(post(asking("nano")) + post(asking("full")))
        await gate.reached.wait()
        assert len(e.requests) == 1
        gate.opened.set()
        said = [await wire.reply(), await wire.reply()]

    assert [one.headers["x-gateway-tier"] for one in said] == ["nano", "full"]


async def test_many_calls_in_one_write_are_all_answered() -> None:
    models = ["nano", "mini", "full"] * 7
    async with edge() as e:
        wire = (await e.dial()).send(b"".join(post(asking(model)) for model in models))
        said = [await wire.reply() for _ in models]

        assert (await wire.ask(post())).status == 200
    assert [one.headers["x-gateway-tier"] for one in said] == models


@pytest.mark.parametrize("cut", [0, 5, 60, 100, 140, 190])
async def test_the_second_call_may_be_cut_anywhere(cut: int) -> None:
    gate, second = Gate(), post(asking("full"))
    async with edge(gate) as e:
        wire = (await e.dial()).send(post(asking("nano")) + second[:cut])
        await gate.reached.wait()
        wire.send(second[cut:])
        gate.opened.set()
        said = [await wire.reply(), await wire.reply()]

    assert [one.headers["x-gateway-tier"] for one in said] == ["nano", "full"]


async def test_a_call_behind_a_page_waits_for_the_page() -> None:
    async with edge() as e:
        wire = (await e.dial()).send(get("/v1/models") + post() + get("/readyz"))
        said = [await wire.reply() for _ in range(3)]

    assert b'"list"' in said[0].body
    assert said[1].body == body()
    assert said[2].body == b'{"status":"ready"}'


async def test_a_page_behind_a_call_waits_for_the_call() -> None:
    gate = Gate()
    async with edge(gate) as e:
        wire = (await e.dial()).send(streaming() + get("/v1/models") + get("/healthz"))
        await gate.reached.wait()
        gate.opened.set()
        said = [await wire.reply() for _ in range(3)]

    assert said[0].body == STREAMED
    assert b'"list"' in said[1].body
    assert said[2].body == b'{"status":"ok"}'


async def test_health_in_one_write_is_answered_each_time() -> None:
    async with edge() as e:
        wire = (await e.dial()).send(get("/healthz") * 5 + post())
        said = [await wire.reply() for _ in range(6)]

    assert [one.status for one in said] == [200] * 6
    assert said[5].body == body()


async def test_a_pipelined_client_is_told_to_continue_when_its_turn_comes() -> None:
    gate = Gate()
    head, _, ask = post(None, "Expect: 100-continue").partition(b"\r\n\r\n")
    async with edge(gate) as e:
        wire = (await e.dial()).send(post(asking("nano")) + head + b"\r\n\r\n")
        await gate.reached.wait()
        gate.opened.set()
        first, told, second = await wire.reply(), await wire.head(), await wire.ask(ask)

    assert first.headers["x-gateway-tier"] == "nano"
    assert told == (100, [])
    assert second.status == 200


async def test_nothing_behind_a_closing_call_is_executed() -> None:
    gate = Gate()
    async with edge(gate) as e:
        wire = (await e.dial()).send(post(None, "Connection: close") + post(asking("full")))
        await gate.reached.wait()
        gate.opened.set()
        said = await wire.reply()

        assert await wire.is_over()
        assert len(e.requests) == 1
    assert said.headers["connection"] == "close"


async def test_a_closing_call_with_half_a_call_behind_it_is_answered_whole() -> None:
    gate = Gate()
    closing, half = post(None, "Connection: close"), post(asking("mini"))[:-5]
    async with edge(gate) as e:
        wire = (await e.dial()).send(closing + post(asking("full")) + half)
        await gate.reached.wait()
        gate.opened.set()
        said = await wire.reply()

        assert await wire.is_over()
        assert len(e.requests) == 1
    assert said.body == body()


async def test_nothing_behind_a_closing_health_probe_is_executed() -> None:
    async with edge() as e:
        wire = (await e.dial()).send(get("/healthz", "Connection: close") + post())
        said = await wire.reply()

        assert await wire.is_over()
        assert e.requests == []
    assert said.headers["connection"] == "close"


async def stuck(e: Edge, gate: Gate, behind: bytes) -> bytes:
    """What a client reads whose call is under way when it sends something that is refused."""
    wire = (await e.dial()).send(streaming() + behind)
    await gate.reached.wait()
    gate.opened.set()
    assert (await wire.reply()).body == STREAMED
    refused = await wire.reply()
    assert refused.headers["connection"] == "close"
    assert await wire.is_over()
    assert gate.asked == 1
    return f"{refused.status} {refused.error['code']}".encode()


@pytest.mark.parametrize(
    ("behind", "answer"),
    [
        (b"\x16\x03\x01 no HTTP\r\n\r\n", b"400 invalid_http"),
        (post().replace(b"gth: ", b"gth: 9999"), b"413 request_too_large"),
        (post(None, "X: " + "y" * 70_000), b"431 headers_too_large"),
        (post(None, "Transfer-Encoding: chunked"), b"400 invalid_http"),
        (post(path="/v1/models").replace(b"gth: ", b"gth: -"), b"400 invalid_http"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", b"400 invalid_http"),
        (b"GET http://h:99999999/ HTTP/1.1\r\n\r\n", b"400 invalid_http"),
    ],
)
async def test_a_refusal_waits_for_the_replies_before_it(behind: bytes, answer: bytes) -> None:
    gate = Gate()
    async with edge(gate, limits={"max_body": 9999}) as e:
        assert await stuck(e, gate, behind) == answer


async def test_calls_before_a_refused_one_are_answered() -> None:
    gate = Gate()
    async with edge(gate) as e:
        wire = (await e.dial()).send(post(asking("nano")) + post(asking("full")) + b"nonsense\r\n")
        await gate.reached.wait()
        gate.opened.set()
        said = [await wire.reply() for _ in range(3)]

        assert await wire.is_over()
    assert [one.status for one in said] == [200, 200, 400]


async def test_a_slow_second_request_is_refused_in_its_turn() -> None:
    gate = Gate()
    async with edge(gate) as e:
        wire = (await e.dial()).send(streaming() + b"POST /v1/chat")
        await gate.reached.wait()
        e.pass_by(21)
        gate.opened.set()
        said = [await wire.reply(), await wire.reply()]

        assert await wire.is_over()
    assert said[0].body.replace(b": keep-alive\n\n", b"") == STREAMED
    assert said[1].status == 408


async def test_time_in_which_the_gateway_does_not_read_is_not_the_clients() -> None:
    gate, second = Gate(), post(asking("full"))
    async with edge(gate) as e:
        wire = (await e.dial()).send(post(asking("nano")) + second[:-5])
        await gate.reached.wait()
        e.pass_by(300)
        gate.opened.set()
        first = await wire.reply()
        e.pass_by(19)
        said = await wire.ask(second[-5:])

    assert first.status == 200
    assert said.status == 200
