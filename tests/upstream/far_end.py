"""A far end on a real socket that says exactly what a test tells it to, however wrong."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from gateway.call import Headers
from gateway.catalog import Deployment, Model, Secret
from gateway.money import FREE
from gateway.ports import Deadlines, Request, Upstream
from gateway.prices import Price

KEY = "sk-do-not-tell"
# Nothing here takes longer unless it hangs.
PATIENCE = 10.0
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def turned() -> None:
    """One turn of the event loop, in which the near end reads what was said so far."""
    turn = asyncio.Event()
    asyncio.get_running_loop().call_soon(turn.set)
    await turn.wait()


@dataclass(eq=False)
class Visit:
    """One connection, seen from the far end."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def request(self) -> bytes:
        """A whole request, head and body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        whole = head + await self.reader.readexactly(length)
        self.heard.set()
        return whole

    async def say(self, data: bytes) -> None:
        if self.writer.is_closing():
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, data: bytes) -> None:
        await self.request()
        await self.say(data)

    async def gone(self) -> None:
        """Return when the near end has closed."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self.left.set()

    def reset(self) -> None:
        """Close with a reset instead of an orderly end."""
        lingering = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, lingering
        )
        self.writer.transport.abort()


Script = Callable[[Visit], Awaitable[None]]


@dataclass
class FarEnd:
    """Where it listens, and the connections it has seen."""

    port: int = 0
    scheme: str = "http"
    visits: list[Visit] = field(default_factory=list)
    deployment: Deployment = field(init=False)

    def __post_init__(self) -> None:
        self.deployment = a_deployment(f"{self.scheme}://127.0.0.1:{self.port}/v1")


def a_deployment(base_url: str, name: str = "far", key: str = KEY) -> Deployment:
    model = Model("m", Price(FREE, FREE, FREE), 1000, 1000)
    return Deployment(name, model, base_url, Secret(key))


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[FarEnd]:
    """A far end where every connection follows the script, then is closed."""
    visits: list[Visit] = []
    running: set[asyncio.Task[None] | None] = set()

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())
        visit = Visit(reader, writer)
        visits.append(visit)
        try:
            await script(visit)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(visited, "127.0.0.1", 0, ssl=tls, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    try:
        yield FarEnd(port, "http" if tls is None else "https", visits)
    finally:
        server.close()
        tasks = [task for task in running if task is not None]
        for task in tasks:
            task.cancel()
        for visit in visits:
            # Asyncio's transport fails so if it has closed behind its last bytes already.
            with suppress(AttributeError):
                visit.writer.transport.abort()
        if tasks:
            await asyncio.wait(tasks)
        await server.wait_closed()


def a_request(
    where: FarEnd | Deployment,
    *,
    stream: bool = False,
    headers: Headers = (),
    body: bytes = b"{}",
    deadlines: Deadlines = Deadlines(),  # noqa: B008 frozen
    path: str = "/chat/completions",
) -> Request:
    deployment = where.deployment if isinstance(where, FarEnd) else where
    return Request(deployment, path, headers, body, stream, deadlines)


async def fetched(upstream: Upstream, request: Request) -> bytes:
    """The whole body of the reply."""
    async with asyncio.timeout(PATIENCE):
        reply = await upstream.send(request)
        return await reply.read(1 << 30)


async def pieces(upstream: Upstream, request: Request) -> list[bytes]:
    """Every piece of the reply's body."""
    found = []
    async with asyncio.timeout(PATIENCE):
        reply = await upstream.send(request)
        while piece := await reply.chunk():
            found.append(piece)
    return found


def says(data: bytes) -> Script:
    """A far end that answers every request with the same bytes."""

    async def script(visit: Visit) -> None:
        while True:
            await visit.answer(data)

    return script


def says_once(data: bytes) -> Script:
    """A far end that answers once and closes."""

    async def script(visit: Visit) -> None:
        await visit.answer(data)

    return script
