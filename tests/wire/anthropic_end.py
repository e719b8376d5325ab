"""A small Messages server: the translation over real sockets, a test plays its chat upstream."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anthropic

from gateway.errors import GatewayError
from gateway.wire.anthropic import failures
from gateway.wire.anthropic.request import Terms, counted, from_request
from gateway.wire.body import read

HOST = "127.0.0.1"
# The chat call's document to a status with a body, or with the pieces of a stream.
Upstream = Callable[[dict[str, Any]], tuple[int, bytes | list[bytes]]]
Reply = tuple[int, list[bytes]]


def answered(path: str, headers: dict[bytes, bytes], body: bytes, upstream: Upstream) -> Reply:
    document = read(body)
    terms = Terms(reasons=True)
    if path.endswith("/count_tokens"):
        return 200, [counted(len(str(document)))]
    translated = from_request(document, headers, terms)
    status, said = upstream(read(translated.body))
    if isinstance(said, bytes):
        if status == 200:
            return 200, [translated.reply(said)]
        failure = failures.translate(status, said, "req_1")
        return failure.status, [failure.body]
    machine = translated.events(prompt_tokens=7, request_id="req_1")
    return 200, [*(machine.feed(piece) for piece in said), machine.end()]


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: Upstream
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    path = head[0].split()[1].decode().partition("?")[0]
    headers = {n.lower(): v.strip() for n, _, v in (line.partition(b":") for line in head[1:])}
    body = await reader.readexactly(int(headers[b"content-length"]))
    try:
        status, pieces = answered(path, headers, body, upstream)
    except GatewayError as error:
        failure = failures.from_error(error, "req_1")
        status, pieces = failure.status, [failure.body]
    kind = b"text/event-stream" if pieces[0].startswith(b"event:") else b"application/json"
    writer.write(b"HTTP/1.1 %d Any\r\nrequest-id: req_1\r\nconnection: close\r\n" % status)
    writer.write(b"content-type: %b\r\n\r\n" % kind)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


@asynccontextmanager
async def client(upstream: Upstream) -> AsyncIterator[anthropic.AsyncAnthropic]:
    """Anthropic's own client, with the small server behind it."""
    server = await asyncio.start_server(lambda r, w: _serve(r, w, upstream), HOST, 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        server,
        anthropic.AsyncAnthropic(
            base_url=f"http://{HOST}:{port}", api_key="any", max_retries=0
        ) as made,
    ):
        yield made
