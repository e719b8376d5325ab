"""OpenAI's own client on streams of typed events that went through the machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest

from gateway.errors import UpstreamError
from gateway.wire.responses.errors import error_event
from gateway.wire.responses.stream import ResponseStream
from tests.wire.responses_streams import MESSAGE, RESPONSE, delta, ended, event

HOST = "127.0.0.1"
ITEM = {**MESSAGE, "status": "in_progress", "content": []}
PART = {"type": "output_text", "text": "", "annotations": []}
FULL = {
    **RESPONSE,
    "created_at": 1,
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
WHOLE = (
    event("response.created", 0, response=FULL)
    + event("response.output_item.added", 1, output_index=0, item=ITEM)
    + event("response.content_part.added", 2, output_index=0, content_index=0, item_id="msg_1",
            part=PART)
    + delta("Par", 3)
    + delta("is.", 4)
    + event("response.output_item.done", 5, output_index=0, item=MESSAGE)
    + ended(**{k: FULL[k] for k in ("created_at", "parallel_tool_calls", "tool_choice", "tools")})
)  # fmt: skip


def through(data: bytes) -> bytes:
    """What a client gets of an upstream's bytes."""
    machine = ResponseStream()
    try:
        passed = machine.feed(data)
        machine.end()
    except UpstreamError as error:
        return passed + error_event(error, machine.sequence + 1)
    return passed


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
    writer.write(body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@asynccontextmanager
async def client(body: bytes) -> AsyncIterator[openai.AsyncOpenAI]:
    server = await asyncio.start_server(lambda r, w: _serve(r, w, body), HOST, 0)
    url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}/v1"
    async with server, openai.AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as made:
        yield made


async def test_it_reads_a_whole_stream() -> None:
    async with (
        client(through(WHOLE)) as made,
        made.responses.stream(model="auto", input="Capital of France?") as stream,
    ):
        response = await stream.get_final_response()

    assert response.output_text == "Paris."
    assert response.usage is not None
    assert response.usage.output_tokens_details.reasoning_tokens == 4


async def test_it_raises_on_a_stream_that_was_cut() -> None:
    async with client(through(WHOLE[:-900])) as made:
        events: Any = await made.responses.create(model="auto", input="Hi", stream=True)
        with pytest.raises(openai.APIError, match="before the response was finished"):
            await _drain(events)


async def _drain(events: Any) -> None:
    async for _ in events:
        pass
