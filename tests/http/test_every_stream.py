"""On every API that streams: what is cut is no success, who leaves is not worked for any more.

And how long a client itself waits bounds what is done for it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import orjson
import pytest

from gateway.flow.parts import Rules
from gateway.ports import Request
from gateway.route.breaker import Breaker
from gateway.upstream.client import DirectUpstream
from tests.fakes import FakeClock, FakeReply, catalog
from tests.flow.replies import error, stream
from tests.http.edge import Edge, edge, get, post
from tests.http.wires import PATIENCE, Wire
from tests.upstream.far_end import Script, Visit, serving

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class Api(NamedTuple):
    """An API that streams: a call, what begins its answer, what must not follow a cut."""

    ask: bytes
    begins: bytes
    success: bytes
    routed: bool = True


def event(name: str, **members: object) -> bytes:
    data = orjson.dumps({"type": name, **members})
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def calling(path: str, **members: object) -> bytes:
    asked = {"model": "gpt-4.1", "stream": True, **members}
    version = ("anthropic-version: 2023-06-01",) if path.endswith("messages") else ()
    return post(orjson.dumps(asked), *version, path=path)


CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
CREATED = event("response.created", response={"id": "resp_1"})
MESSAGES = [{"role": "user", "content": "Hi"}]
APIS = {
    "chat": Api(calling("/v1/chat/completions", messages=MESSAGES), CHUNK, b"[DONE]"),
    "responses": Api(calling("/v1/responses", input="Hi"), CREATED, b"response.completed"),
    "messages": Api(
        calling("/v1/messages", messages=MESSAGES, max_tokens=9), CHUNK, b"message_stop"
    ),
    "completions": Api(
        calling("/v1/completions", model="gpt-3.5-turbo-instruct", prompt="Hi"),
        b'data: {"choices":[{"text":"a"}]}\n\n',
        b"[DONE]",
        routed=False,
    ),
    "a stored response": Api(
        get("/v1/responses/resp_1?stream=true"), CREATED, b"response.completed", routed=False
    ),
    "images": Api(
        calling("/v1/images/generations", model="gpt-image-1", prompt="Hi"),
        event("image_generation.partial_image"),
        b"image_generation.completed",
        routed=False,
    ),
    "audio": Api(
        calling("/v1/audio/speech", model="gpt-4o-mini-tts", input="Hi"),
        b'data: {"type":"speech.audio.delta","audio":"AAAA"}\n\n',
        b"speech.audio.done",
        routed=False,
    ),
    "threads": Api(
        calling("/v1/threads/runs", assistant_id="a"), event("thread.created"), b"[DONE]",
        routed=False,
    ),
}  # fmt: skip


@asynccontextmanager
async def before(script: Script) -> AsyncIterator[Edge]:
    """An edge before a far end that follows the script."""
    async with serving(script) as far:
        where = catalog(url=f"http://127.0.0.1:{far.port}/v1")
        # What fails here fails on purpose.
        rules = Rules(breaker=Breaker(limit=1 << 30))
        async with edge(upstream=DirectUpstream(), where=where, rules=rules) as e:
            yield e


async def until_it_ends(wire: Wire) -> bytes:
    """A reply up to its last chunk, which is `<whole>`, or to where it is cut."""
    status, _ = await wire.head()
    assert status == 200
    got = b""
    try:
        while chunk := await wire.chunk():
            got += chunk
    except asyncio.IncompleteReadError:
        return got
    return got + b"<whole>"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


CUTS: dict[str, Callable[[bytes], bytes]] = {
    "closed amid a chunk": lambda begins: CHUNKED + chunk(begins) + b"ffff\r\ndata",
    "closed between chunks": lambda begins: CHUNKED + chunk(begins),
    "short of its length": lambda begins: HEAD + b"Content-Length: 9999\r\n\r\n" + begins,
    "ended without its end": lambda begins: CHUNKED + chunk(begins) + b"0\r\n\r\n",
    "closed without a length": lambda begins: HEAD + b"Connection: close\r\n\r\n" + begins,
}


@pytest.mark.parametrize("how", CUTS)
async def test_a_stream_that_is_cut_is_never_a_success(how: str) -> None:
    begins = [b""]

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(CUTS[how](begins[0]))

    async with before(script) as e:
        for n, (name, api) in enumerate(APIS.items()):
            begins[0] = api.begins
            got = await until_it_ends((await e.dial()).send(api.ask))
            ended = (await e.recorder.after(n + 1))[n]

            assert ended.outcome == "upstream_truncated", name
            assert api.success not in got, name
            # Routed streams tell of it in their own words; passed ones are cut as they came.
            assert got.endswith(b"<whole>") is api.routed, name
            assert (b"upstream_truncated" in got or b"api_error" in got) is api.routed, name


@pytest.mark.parametrize("amid", [False, True], ids=["before its head", "amid it"])
async def test_a_client_that_leaves_stops_the_upstream(amid: bool) -> None:
    begins = [b""]
    visits: asyncio.Queue[Visit] = asyncio.Queue()

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        if amid:
            await visit.say(CHUNKED + chunk(begins[0]))
        visits.put_nowait(visit)
        await visit.gone()

    async with before(script) as e:
        for n, (name, api) in enumerate(APIS.items()):
            begins[0] = api.begins
            wire = (await e.dial()).send(api.ask)
            visit = await asyncio.wait_for(visits.get(), PATIENCE)
            if amid:
                await wire.head()
                await wire.chunk()
            wire.hang_up()
            await asyncio.wait_for(visit.left.wait(), PATIENCE)
            ended = (await e.recorder.after(n + 1))[n]

            assert ended.outcome == "caller_left", name


@pytest.mark.parametrize("field", [b"x-stainless-read-timeout", b"x-stainless-timeout"])
async def test_how_long_a_client_waits_bounds_what_is_done_for_it(field: bytes) -> None:
    begins = [b""]

    async with edge(lambda _: stream(begins[0])) as e:
        for n, api in enumerate(APIS.values()):
            begins[0] = api.begins
            asked = api.ask.replace(b"\r\n", b"\r\n%b: 7\r\n" % field, 1)
            await (await e.dial()).send(asked).head()
            await e.recorder.after(n + 1)

    # A second of grace: the client must be the one to give up.
    waited = [request.deadlines.first_byte for request in e.requests]
    assert len(waited) == len(APIS)
    assert all(7.0 < seconds <= 8.0 for seconds in waited)


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.routed])
async def test_how_long_a_client_waits_bounds_the_tries(name: str) -> None:
    clocks: list[FakeClock] = []

    def answer(_: Request) -> FakeReply:
        clocks[0].at += 5.0
        return error(503)

    async with edge(answer, where=catalog(spares=2)) as e:
        clocks.append(e.clock)
        asked = APIS[name].ask
        hurried = await e.ask(asked.replace(b"\r\n", b"\r\nx-stainless-read-timeout: 7\r\n", 1))
        tries = len(e.requests)
        await e.ask(asked)

    assert hurried.status >= 500
    assert tries == 2
    assert len(e.requests) - tries > 2
