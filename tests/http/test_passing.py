"""What is not routed passes as it is: any method, bodies both ways as they come."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from gateway.flow.passage import PassRules
from gateway.http.passage import Passage
from gateway.upstream.client import DirectUpstream
from tests.fakes import catalog
from tests.http.edge import Edge, edge, get, post
from tests.http.wires import PATIENCE
from tests.upstream.far_end import FarEnd, Script, Visit, says, serving

FILES = "/v1/files"
REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: req_up\r\n"
    b"Openai-Organization: org-secret\r\nSet-Cookie: a=b\r\nContent-Length: 17\r\n\r\n"
    b'{ "id" : "file" }'
)
BODY = b'{ "id" : "file" }'
MEGABYTE = b"m" * (1 << 20)
FORM = "Content-Type: multipart/form-data; boundary=x"


@asynccontextmanager
async def passing(script: Script, **more: object) -> AsyncIterator[tuple[Edge, FarEnd]]:
    """An edge over our own client, and a far end that follows the script."""
    async with serving(script) as far:
        where = catalog(url=f"http://127.0.0.1:{far.port}/v1")
        async with edge(upstream=DirectUpstream(), where=where, **more) as e:  # type: ignore[arg-type]  # forwarded
            yield e, far


def sending(path: str, length: int | None, *fields: str) -> bytes:
    """The head of a request whose body comes later."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return "\r\n".join(
        [f"POST {path} HTTP/1.1", "Host: gateway", framing, *fields, "", ""]
    ).encode()


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_request_without_a_body_passes(method: str) -> None:
    heads: list[bytes] = []

    async def script(visit: Visit) -> None:
        while True:
            heads.append(await visit.reader.readuntil(b"\r\n\r\n"))
            await visit.say(REPLY)

    async with passing(script) as (e, _):
        wire = await e.dial()
        ask = get(
            f"{FILES}/file-1?limit=2&after=a", "Authorization: Bearer sk-client", method=method
        )
        said = await wire.ask(ask)
        again = await wire.ask(ask)
        ended = await e.recorder.after(2)

    assert (said.status, said.body, again.body) == (200, BODY, BODY)
    assert said.headers["x-request-id"] == "req_up"
    assert said.headers["content-length"] == "17"
    assert said.headers.keys().isdisjoint({"openai-organization", "set-cookie"})
    head = heads[0].lower()
    assert head.startswith(
        f"{method} /v1/files/file-1?limit=2&after=a http/1.1\r\n".lower().encode()
    )
    assert b"authorization: bearer sk-upstream-secret" in head
    assert b"sk-client" not in head
    assert [(one.area, one.outcome, one.reason) for one in ended] == [("files", "ok", "passed")] * 2


async def test_a_form_passes_untouched_while_it_comes() -> None:
    first_half, arrived = asyncio.Event(), bytearray()

    async def script(visit: Visit) -> None:
        head = await visit.reader.readuntil(b"\r\n\r\n")
        assert b"content-type: multipart/form-data; boundary=x\r\n" in head.lower()
        assert b"content-length: 6\r\n" in head.lower()
        arrived.extend(await visit.reader.readexactly(3))
        first_half.set()
        arrived.extend(await visit.reader.readexactly(3))
        await visit.say(REPLY)

    async with passing(script) as (e, _):
        wire = await e.dial()
        wire.send(sending(FILES, 6, FORM) + b"one")
        async with asyncio.timeout(PATIENCE):
            await first_half.wait()
        said = await wire.send(b"two").reply()

    assert (said.status, said.body, bytes(arrived)) == (200, BODY, b"onetwo")


async def test_a_form_of_unknown_length_passes_in_chunks() -> None:
    asked: list[bytes] = []

    async def script(visit: Visit) -> None:
        asked.append(await visit.reader.readuntil(b"\r\n0\r\n\r\n"))
        await visit.say(REPLY)

    async with passing(script) as (e, _):
        said = await e.ask(sending(FILES, None, FORM) + b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")

    assert said.body == BODY
    assert b"transfer-encoding: chunked" in asked[0].lower()
    assert b"".join(asked[0].split(b"\r\n\r\n", 1)[1].split(b"\r\n")[1::2])[:6] == b"onetwo"


async def test_a_large_upload_waits_in_the_client_not_in_memory() -> None:
    go_on = asyncio.Event()
    size = 64 << 20

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        left = size
        while left:
            left -= len(await visit.reader.read(min(left, 1 << 20)))
        await visit.say(REPLY)

    async with passing(script, limits={"max_body": 1024}) as (e, _):
        wire = await e.dial()
        wire.send(sending(FILES, size, FORM))
        for _ in range(size >> 20):
            wire.send(MEGABYTE)
        (connection,) = e.connections()
        await e.until(lambda: connection.flow.read_paused)
        active = connection.active
        assert isinstance(active, Passage)
        held = sum(len(part) for part in active.parts)
        go_on.set()
        said = await wire.reply()

    assert held < 2 << 20
    assert (said.status, said.body) == (200, BODY)


async def test_an_upload_over_the_limit_is_refused() -> None:
    async with passing(says(REPLY)) as (e, _):
        e.plane.passing.rules = PassRules(max_upload=10)
        declared = await e.ask(sending(FILES, 11, FORM))
        chunked = await e.ask(sending(FILES, None, FORM) + b"b\r\nelevenbytes\r\n")

    assert (declared.status, declared.error["code"]) == (413, "request_too_large")
    assert (chunked.status, chunked.error["code"]) == (413, "request_too_large")


async def test_a_reply_that_comes_before_the_upload_ends_is_passed_and_the_rest_dropped() -> None:
    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(
            b"HTTP/1.1 413 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        )
        await visit.gone()

    async with passing(script, limits={"linger": 0.01}) as (e, _):
        wire = await e.dial()
        said = await wire.send(sending(FILES, 100, FORM) + b"some").reply()

    assert (said.status, said.body) == (413, b"{}")
    assert said.headers["connection"] == "close"


async def test_a_client_that_hangs_up_amid_an_upload_cancels_it_upstream() -> None:
    begun = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        begun.set()
        await visit.gone()

    async with passing(script) as (e, far), asyncio.timeout(PATIENCE):
        wire = await e.dial()
        wire.send(sending(FILES, 100, FORM) + b"some")
        await begun.wait()
        wire.hang_up()
        await far.visits[0].left.wait()
        ended = await e.recorder.after(1)

    assert ended[0].outcome == "caller_left"


async def test_a_reply_passes_piece_by_piece_with_its_framing() -> None:
    seen = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
            b"\r\n3\r\none\r\n"
        )
        await seen.wait()
        await visit.say(b"3\r\ntwo\r\n0\r\n\r\n")

    async with passing(script) as (e, _):
        wire = (await e.dial()).send(get("/v1/images/pictures"))
        _, fields = await wire.head()
        first = await wire.chunk()
        seen.set()
        rest = [await wire.chunk(), await wire.chunk()]

    assert ("transfer-encoding", "chunked") in fields
    assert (first, rest) == (b"one", [b"two", b""])


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
    ids=["by its length", "by its chunks"],
)
async def test_a_reply_that_is_cut_is_cut_here_too(cut: bytes) -> None:
    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(cut)

    async with passing(script) as (e, _), asyncio.timeout(PATIENCE):
        wire = (await e.dial()).send(get(f"{FILES}/file-1/content"))
        await wire.head()
        rest = await wire.reader.read()
        ended = await e.recorder.after(1)

    assert b"half" in rest
    assert not rest.endswith(b"0\r\n\r\n")
    assert ended[0].outcome == "upstream_truncated"


async def test_a_head_request_gets_the_length_and_no_body() -> None:
    async def script(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n")
        await visit.gone()

    async with passing(script) as (e, _):
        wire = (await e.dial()).send(get(f"{FILES}/file-1", "Connection: close", method="HEAD"))
        status, fields = await wire.head()
        rest = await wire.reader.read()

    assert (status, dict(fields)["content-length"], rest) == (200, "17", b"")


async def test_an_upstream_that_is_not_there_is_said_in_the_envelope() -> None:
    where = catalog(url="http://127.0.0.1:9/v1")
    async with edge(upstream=DirectUpstream(), where=where) as e:
        said = await e.ask(get(FILES))

    assert (said.status, said.error["code"]) == (502, "upstream_unreachable")


async def test_a_refused_key_of_ours_is_not_the_callers() -> None:
    refusal = b'{"error":{"message":"Incorrect API key: sk-upstream-secret"}}'
    head = b"HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    async with passing(says(head % len(refusal) + refusal)) as (e, _):
        said = await e.ask(post(b'{"model":"whatever"}', path="/v1/moderations"))

    assert said.status == 502
    assert b"sk-upstream" not in said.body


@pytest.mark.parametrize("packs", [bytes, gzip.compress], ids=["plain", "gzip"])
async def test_an_error_that_quotes_our_key_loses_it(packs: Callable[[bytes], bytes]) -> None:
    refusal = b'{"error":{"message":"key sk-upstream-secret has no access"}}'
    coding = b"Content-Encoding: gzip\r\n" if packs is not bytes else b""
    head = b"HTTP/1.1 403 No\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
    sent = packs(refusal)
    async with passing(says(head % (coding, len(sent)) + sent)) as (e, _):
        said = await e.ask(post(b'{"model":"whatever"}', path="/v1/moderations"))

    assert (said.status, said.body) == (403, refusal.replace(b"sk-upstream-secret", b"***"))
    assert "content-encoding" not in said.headers


async def test_pipelined_passages_are_answered_in_order() -> None:
    paths: list[bytes] = []

    async def script(visit: Visit) -> None:
        while True:
            head = await visit.reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1]
            paths.append(path)
            await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))

    async with passing(script) as (e, _):
        wire = (await e.dial()).send(get("/v1/files/a") + get("/v1/files/b") + get("/v1/models"))
        said = [await wire.reply() for _ in range(3)]

    assert [one.body for one in said[:2]] == [b"/v1/files/a", b"/v1/files/b"]
    assert said[2].body.startswith(b'{"object":"list"')
