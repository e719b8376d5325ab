"""The gateway between two raw sockets: what one side writes, the other side's test compares.

A thread runs the product's own server, plane, flow, classifier and upstream client, and before
them an upstream that keeps the bytes it hears and says the bytes it was given. Nothing here reads
JSON: bodies are bytes.
"""

import asyncio
import http.client
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

from gateway.access.directory import Directory
from gateway.access.doorman import Doorman
from gateway.classify.assess import Assessor
from gateway.classify.difficulty import Difficulty
from gateway.classify.tokens import Tokenizer
from gateway.clock import SystemClock
from gateway.flow.life import Flow
from gateway.flow.parts import Parts, Rules
from gateway.http.pages import Page, Ready, create
from gateway.http.plane import Ids, Limits, Plane
from gateway.http.server import Server, listen, loop_factory
from gateway.reuse.policy import Policy as CachePolicy
from gateway.route.breaker import Breaker
from gateway.store.memory import MemoryCache
from gateway.store.notes import MemoryAffinities
from gateway.upstream.client import DirectUpstream
from tests.fakes import FakeKeys, FakeLedger, FakeRecorder, catalog

PATH = "/v1/chat/completions"
JSON = (("content-type", "application/json"),)
# Nothing here takes longer unless it hangs.
PATIENCE = 10.0
Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Said:
    """What the upstream answers: each piece is written by itself; `cut` closes behind the last."""

    pieces: tuple[bytes, ...]
    cut: bool = False


def whole(body: bytes, status: int = 200, fields: Fields = JSON) -> Said:
    """A reply with a length."""
    return Said((_head(status, (*fields, ("content-length", str(len(body))))) + body,))


def chunked(pieces: Iterable[bytes], status: int = 200, fields: Fields = JSON) -> Said:
    """A reply in pieces, each a chunk of its own, sent by itself."""
    head = _head(status, (*fields, ("transfer-encoding", "chunked")))
    chunks = (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    return Said((head, *chunks, b"0\r\n\r\n"))


def events(*pieces: bytes) -> Said:
    """An event stream in pieces."""
    return chunked(pieces, fields=(("content-type", "text/event-stream; charset=utf-8"),))


def _head(status: int, fields: Fields) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True)
class Heard:
    """A request as it came in upstream."""

    head: bytes
    body: bytes

    def fields(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}


@dataclass(frozen=True)
class Got:
    """A reply as the client has it, without HTTP's framing; `torn`: it ended before its end."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    torn: bool

    def field(self, name: str) -> str | None:
        return dict(self.fields).get(name)


@dataclass
class World:
    """Both ends. One exchange at a time."""

    said: Said = Said(())
    heard: list[Heard] = field(default_factory=list)
    port: int = 0

    def post(self, body: bytes, said: Said, fields: Fields = JSON, path: str = PATH) -> Got:
        """Send a body through the gateway, to an upstream that answers so."""
        return self.ask("POST", path, said, (body,), (*fields, ("content-length", str(len(body)))))

    def ask(
        self, method: str, target: str, said: Said, pieces: Iterable[bytes], fields: Fields
    ) -> Got:
        """Send a body in pieces: chunks, where no field says its length."""
        self.said = said
        self.heard.clear()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in fields:
                connection.putheader(name, value)
            in_chunks = "transfer-encoding" in dict(fields)
            connection.endheaders(pieces, encode_chunked=in_chunks)
            return _got(connection.getresponse())
        finally:
            connection.close()

    @property
    def arrived(self) -> bytes:
        """The body of the only request that came in."""
        (heard,) = self.heard
        return heard.body


def _got(response: http.client.HTTPResponse) -> Got:
    torn = False
    try:
        body = response.read()
    except http.client.IncompleteRead as end:
        body, torn = end.partial, True
    fields = tuple((name.lower(), value) for name, value in response.getheaders())
    return Got(response.status, fields, body, torn)


@contextmanager
def living() -> Iterator[World]:
    """A world while the context lasts."""
    world = World()
    ready, finished = threading.Event(), threading.Event()
    stop: list[Callable[[], object]] = []

    async def live() -> None:
        leave = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(leave.set))
        async with _upstream(world) as upstream, _gateway(world, upstream):
            ready.set()
            await leave.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            try:
                runner.run(live())
            finally:
                ready.set()
                finished.set()

    thread = threading.Thread(target=run, name="world")
    thread.start()
    ready.wait(PATIENCE)
    try:
        yield world
    finally:
        for ask in stop:
            ask()
        finished.wait(PATIENCE)
        thread.join(PATIENCE)


@asynccontextmanager
async def _upstream(world: World) -> Any:
    """An upstream that hears and says bytes; gives its port."""

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                world.heard.append(await _request(reader))
                await _say(world.said, writer)
                if world.said.cut:
                    break
        writer.close()

    server = await asyncio.start_server(visited, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def _request(reader: asyncio.StreamReader) -> Heard:
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    if b"transfer-encoding: chunked" in lowered:
        return Heard(head, await _unchunked(reader))
    length = lowered.partition(b"content-length: ")[2].split(b"\r\n")[0]
    return Heard(head, await reader.readexactly(int(length or b"0")))


async def _unchunked(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def _say(said: Said, writer: asyncio.StreamWriter) -> None:
    for piece in said.pieces:
        writer.write(piece)
        await writer.drain()
        await _turned()


async def _turned() -> None:
    """One turn of the loop, in which the gateway reads what was said so far."""
    turn = asyncio.Event()
    asyncio.get_running_loop().call_soon(turn.set)
    await turn.wait()


async def always_ready() -> Ready:
    return Ready()


@asynccontextmanager
async def _gateway(world: World, upstream_port: int) -> Any:
    clock = SystemClock()
    tiers = catalog(url=f"http://127.0.0.1:{upstream_port}/v1")
    upstream = DirectUpstream()
    parts = Parts(
        catalog=tiers,
        clock=clock,
        upstream=upstream,
        cache=MemoryCache(clock, max_bytes=1 << 20, max_entry=1 << 20),
        affinities=MemoryAffinities(clock),
        ledger=FakeLedger(),
        recorder=FakeRecorder(),
        assessor=Assessor(Tokenizer(), Difficulty.load()),
        pause=clock.sleep,
        in_thread=asyncio.to_thread,
    )
    # What goes wrong here goes wrong on purpose: no deployment is to be rested for it.
    rules = Rules(caching=CachePolicy.OFF, breaker=Breaker(limit=1 << 30))
    ids = Ids("test")
    page = Page(tiers, lambda _: b"", lambda _: "", always_ready, ids.make, 0)
    listener = listen("127.0.0.1", 0)
    world.port = listener.getsockname()[1]
    door = Doorman(Directory(), FakeKeys(), clock, open_to_all=True)
    plane = Plane(Flow(parts, rules), clock, Limits(), ids, door)
    server = Server(create(page), plane, listener, drain=1.0)
    serving = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        await upstream.close()
        listener.close()
