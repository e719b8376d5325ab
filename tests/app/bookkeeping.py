"""An upstream that keeps its own books: whatever a gateway claims is compared with what it served.

It answers chat calls over real sockets with a fixed usage, at the price of one made-up model. It
bills what it was asked for, whether or not anybody waits for the answer.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

PROMPT, COMPLETION = 12, 10
PRICES = {"prompt": 0, "completion": 10}
COST = COMPLETION * 10_000
"""Nano-dollars of one answer; prompts are free, so that a hold can be exactly what a call costs."""


async def at_once() -> None:
    """No wait before an answer."""


@dataclass
class Upstream:
    """`asked` counts calls by the text of their last message."""

    url: str = ""
    before: Callable[[], Awaitable[object]] = at_once
    asked: Counter[str] = field(default_factory=Counter)

    def spent(self) -> int:
        """What the bill says, in nano-dollars."""
        return self.asked.total() * COST

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (said := await _request(reader)) is not None:
                text = said["messages"][-1]["content"]
                self.asked[text] += 1
                await self.before()
                writer.write(_reply(said, text))
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        sizes = [int(one.split(b":")[1]) for one in lines if one.startswith(b"content-length")]
        if not sizes:
            # Nobody's call: a probe of a process that had this port before.
            return None
        found: dict[str, Any] = json.loads(await reader.readexactly(sizes[0]))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return found


def _reply(said: dict[str, Any], text: str) -> bytes:
    usage = {
        "prompt_tokens": PROMPT,
        "completion_tokens": COMPLETION,
        "total_tokens": PROMPT + COMPLETION,
    }
    message = {"role": "assistant", "content": f"You said: {text}"}
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": said["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": usage,
        }
    ).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


@asynccontextmanager
async def upstream(before: Callable[[], Awaitable[object]] = at_once) -> AsyncIterator[Upstream]:
    """A running one, `before` awaited before each answer."""
    books = Upstream(before=before)
    server = await asyncio.start_server(books.serve, "127.0.0.1", 0)
    books.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield books
    finally:
        server.close()
