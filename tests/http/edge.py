"""The real protocol under a real uvicorn server on a loopback socket.

Time is a fake: a sweep that would come in twenty seconds comes when a test says so. Whatever the
event loop complains of, and calls that were never booked, fail the test that caused them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.access.directory import Directory
from gateway.access.doorman import Doorman
from gateway.catalog import Catalog
from gateway.ended import Attempted, Ended
from gateway.flow.life import Flow
from gateway.flow.parts import Assesses, Parts, Rules
from gateway.http.pages import Page, Ready, create
from gateway.http.plane import Ids, Limits, Plane
from gateway.http.protocol import EdgeProtocol
from gateway.http.server import Server, listen
from gateway.observe.metrics import Metrics, media_type
from gateway.ports import Request, Upstream
from gateway.store.memory import MemoryCache
from gateway.store.notes import MemoryAffinities
from tests.fakes import (
    FakeAssessor,
    FakeClock,
    FakeKeys,
    FakeLedger,
    FakeRecorder,
    FakeUpstream,
    catalog,
)
from tests.flow.replies import whole
from tests.http.wires import PATIENCE, Said, Wire

HOST = "127.0.0.1"
CHAT = "/v1/chat/completions"


def asking(model: str = "auto", **more: Any) -> bytes:
    """A request's body."""
    return orjson.dumps({"model": model, "messages": [{"role": "user", "content": "Hi"}], **more})


def post(body: bytes | None = None, *fields: str, path: str = CHAT, version: str = "1.1") -> bytes:
    """A whole POST; `fields` are further header lines."""
    body = asking() if body is None else body
    lines = [f"POST {path} HTTP/{version}", "Host: gateway", "Content-Type: application/json"]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", *fields, "", ""])
    return head.encode("latin-1") + body


def streaming(*fields: str, **more: Any) -> bytes:
    """A whole POST that asks for a stream."""
    return post(asking(stream=True, **more), *fields)


def get(path: str, *fields: str, method: str = "GET") -> bytes:
    """A whole request without a body."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: gateway", *fields, "", ""]).encode()


class Recorder(FakeRecorder):
    """Remembers, counts for the metrics page, and can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics: Metrics | None = None
        self._changed = asyncio.Event()

    def attempted(self, attempt: Attempted) -> None:
        super().attempted(attempt)
        assert self.metrics is not None
        self.metrics.attempted(attempt)

    def ended(self, ended: Ended) -> None:
        super().ended(ended)
        assert self.metrics is not None
        self.metrics.ended(ended)
        self._changed.set()

    async def after(self, calls: int) -> list[Ended]:
        """The records, once there are that many."""
        async with asyncio.timeout(PATIENCE):
            while len(self.calls) < calls:
                self._changed.clear()
                await self._changed.wait()
        return self.calls


@dataclass
class Edge:
    """A server, and all that it stands on."""

    server: Server
    plane: Plane
    flow: Flow
    upstream: Upstream
    clock: FakeClock
    recorder: Recorder
    port: int
    wires: list[Wire] = field(default_factory=list)

    @property
    def requests(self) -> list[Request]:
        """What the fake upstream was sent."""
        assert isinstance(self.upstream, FakeUpstream)
        return self.upstream.requests

    async def dial(self, **more: Any) -> Wire:
        wire = Wire(*await asyncio.open_connection(HOST, self.port, **more))
        self.wires.append(wire)
        return wire

    async def ask(self, data: bytes) -> Said:
        """One request on a connection of its own."""
        return await (await self.dial()).ask(data)

    def hang_up(self) -> None:
        """Every client leaves."""
        for wire in self.wires:
            wire.hang_up()

    def connections(self) -> list[EdgeProtocol]:
        found = self.server.server_state.connections
        return [one for one in found if isinstance(one, EdgeProtocol)]

    def pass_by(self, seconds: float) -> None:
        """Let time pass, and sweep."""
        self.clock.at += seconds
        for connection in self.connections():
            connection.swept(self.clock.at)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let the loop turn until something holds; every turn may be the one."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await turned()


async def turned() -> None:
    """One turn of the event loop."""
    turn = asyncio.Event()
    asyncio.get_running_loop().call_soon(turn.set)
    await turn.wait()


@asynccontextmanager
async def edge(
    answering: Callable[[Request], Any] = lambda _: whole(),
    *,
    upstream: Upstream | None = None,
    assessor: Assesses | None = None,
    where: Catalog | None = None,
    limits: Mapping[str, Any] | None = None,
    rules: Rules | None = None,
    main_loop: bool = False,
    **pages: Any,
) -> AsyncIterator[Edge]:
    """A listening edge; `pages` are fields of the page, `main_loop` lets uvicorn stop it."""
    made = _made(
        upstream=upstream or FakeUpstream(answering),
        assessor=assessor or FakeAssessor(),
        where=where or catalog(),
        limits=Limits(**(limits or {})),
        rules=rules or Rules(),
        pages=pages,
    )
    async with AsyncExitStack() as stack:
        stack.enter_context(_no_complaints())
        stack.push_async_callback(made.upstream.close)
        stack.callback(made.hang_up)
        await stack.enter_async_context((_in_main_loop if main_loop else _listening)(made))
        yield made


def _made(
    *,
    upstream: Upstream,
    assessor: Assesses,
    where: Catalog,
    limits: Limits,
    rules: Rules,
    pages: Mapping[str, Any],
) -> Edge:
    clock, recorder = FakeClock(), Recorder()
    metrics = recorder.metrics = Metrics(where, clock)
    cache = MemoryCache(clock, max_bytes=1 << 26, max_entry=1 << 25)
    parts = Parts(
        catalog=where,
        clock=clock,
        upstream=upstream,
        cache=cache,
        affinities=MemoryAffinities(clock),
        ledger=FakeLedger(),
        recorder=recorder,
        assessor=assessor,
        pause=clock.sleep,
        in_thread=asyncio.to_thread,
    )
    server: Server
    flow, ids = Flow(parts, rules), Ids("0123456789")
    door = Doorman(Directory(), FakeKeys(), clock, open_to_all=True)
    plane = Plane(flow, clock, limits, ids, door)

    async def ready() -> Ready:
        return Ready("stopping" if server.stopping() else "")

    shown: dict[str, Any] = {
        "catalog": where,
        "render": metrics.render,
        "media_type": media_type,
        "ready": ready,
        "make_id": ids.make,
        "made": 1_700_000_000,
        "cors_origins": limits.cors_origins,
        **pages,
    }
    listener = listen(HOST, 0)
    server = Server(create(Page(**shown)), plane, listener, drain=5)
    return Edge(server, plane, flow, upstream, clock, recorder, listener.getsockname()[1])


@asynccontextmanager
async def _listening(edge: Edge) -> AsyncIterator[None]:
    """Uvicorn's own start, without its tenth-of-a-second ticks and waits."""
    server, listener = edge.server, edge.server._listener
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup([listener])
    await server.on_tick(0)
    try:
        yield
    finally:
        edge.hang_up()
        for listening in server.servers:
            listening.close()
        await edge.until(lambda: not server.server_state.connections)
        await edge.until(lambda: not server.server_state.tasks)
        listener.close()
    assert edge.flow.in_flight == 0
    assert set(edge.flow.health.in_flight.values()) == {0}
    ids = [ended.id for ended in edge.recorder.calls]
    assert len(set(ids)) == len(ids)


@asynccontextmanager
async def _in_main_loop(edge: Edge) -> AsyncIterator[None]:
    """Uvicorn's own main loop; what it runs ends by itself once it is told to stop."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(edge.server.run_until_stopped())
            await edge.until(lambda: edge.server.started)
            yield
            edge.server.should_exit = True
    finally:
        # A test that fails has cancelled it, and the loop must not be closed under its sockets.
        for listening in edge.server.servers:
            listening.close()


@contextmanager
def _no_complaints() -> Iterator[None]:
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    try:
        yield
    finally:
        loop.set_exception_handler(None)
    assert complaints == []
