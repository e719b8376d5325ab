"""A flow with a fake behind every port, callers that read and hang up, and replies to give them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from anyio.lowlevel import checkpoint

from gateway.call import NO_WISHES, Assessment, Call, Wishes
from gateway.catalog import Catalog
from gateway.ended import Ended
from gateway.errors import GatewayError
from gateway.flow.answer import Answer
from gateway.flow.flight import Presence
from gateway.flow.life import Flow
from gateway.flow.parts import Parts, Rules
from gateway.ports import Affinities, ReplyCache, Request, SharedFlights
from gateway.principal import ANYONE, Principal
from gateway.store.memory import MemoryCache
from gateway.store.notes import MemoryAffinities
from tests.fakes import (
    FakeAssessor,
    FakeClock,
    FakeLedger,
    FakeRecorder,
    FakeUpstream,
    assessment,
    catalog,
)

EASY = assessment(quality=(0.8, 0.8, 0.8))
MIDDLING = assessment(quality=(0.4, 0.8, 0.82))
HARD = assessment(quality=(0.3, 0.5, 0.95))


# ── who asks ─────────────────────────────────────────────────────────────────
class Client:
    """One caller at the edge: asks, reads all it is given, may hang up at any moment.

    `pace` is awaited before each further read.
    """

    def __init__(
        self, flow: Flow, call: Call, pace: Callable[[], Awaitable[object]] = checkpoint
    ) -> None:
        self.call = call
        self.pieces: list[bytes] = []
        self.error: GatewayError | None = None
        self.gone = False
        self.task: asyncio.Task[Client] | None = None
        self._answer: Answer | None = None
        self._flow = flow
        self._pace = pace
        self._presence = Presence(self.stop)

    @property
    def answer(self) -> Answer:
        assert self._answer is not None, self.error
        return self._answer

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    def start(self, tasks: asyncio.TaskGroup) -> "Client":
        self.task = tasks.create_task(self.serve())
        return self

    def stop(self) -> None:
        assert self.task is not None
        self.task.cancel()

    def hang_up(self) -> None:
        self.gone = True
        self._presence.leave()

    async def open(self, dropped: frozenset[str] = frozenset()) -> Answer:
        """Ask, and leave reading and closing to the test."""
        self._answer = await self._flow.answer(self.call, dropped, self._presence)
        return self._answer

    async def serve(self, dropped: frozenset[str] = frozenset()) -> "Client":
        try:
            answer = await self.open(dropped)
            self.pieces.append(answer.first)
            while answer.stream:
                await self._pace()
                data = await answer.rest()
                if not data:
                    break
                self.pieces.append(data)
        except GatewayError as error:
            self.error = error
        except asyncio.CancelledError:
            self.gone = True
        finally:
            if self._answer is not None:
                self._answer.close(left=self.gone)
        return self


async def stuck() -> None:
    """Wait for what never comes."""
    await asyncio.Event().wait()


async def settle() -> None:
    """Let every task run until it waits for something that only the test can bring about."""
    for _ in range(30):
        await checkpoint()


# ── where they ask ───────────────────────────────────────────────────────────
@dataclass
class World:
    """A flow and all that it stands on."""

    flow: Flow
    upstream: FakeUpstream
    clock: FakeClock
    recorder: FakeRecorder
    assessor: FakeAssessor
    pauses: list[float] = field(default_factory=list)
    threaded: list[str] = field(default_factory=list)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    asked: int = 0

    def call(
        self,
        model: str = "auto",
        *,
        said: Wishes = NO_WISHES,
        stream: bool = False,
        tenant: str = "",
        principal: Principal = ANYONE,
        text: str = "Hi",
        **more: Any,
    ) -> Call:
        self.asked += 1
        document = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        if stream:
            document["stream"] = True
        options = document.get("stream_options", {})
        return Call(
            id=f"req_{self.asked}",
            body=orjson.dumps(document),
            document=document,
            model=model,
            stream=stream,
            wants_usage=bool(options.get("include_usage")),
            wishes=said,
            headers=((b"user-agent", b"test"),),
            arrived=self.clock.now(),
            principal=replace(principal, tenant=tenant),
        )

    def client(self, call: Call, **more: Any) -> Client:
        return Client(self.flow, call, **more)

    async def ask(self, model: str = "auto", **more: Any) -> Client:
        """A call from its beginning to its end."""
        return await self.client(self.call(model, **more)).serve()

    def ended(self, client: Client) -> Ended:
        """The one record of a call."""
        (record,) = [e for e in self.recorder.calls if e.id == client.call.id]
        return record

    def outcomes(self) -> list[str]:
        return [attempt.outcome for attempt in self.recorder.attempts]

    def check_the_books(self) -> None:
        """What holds when nobody is calling any more, whatever happened before."""
        flow = self.flow
        assert flow.in_flight == 0
        assert set(flow.health.in_flight.values()) == {0}
        assert flow.tallies.held == 0
        assert not flow._takeoffs
        assert not flow._landing.flying
        ids = [ended.id for ended in self.recorder.calls]
        assert sorted(ids) == sorted(f"req_{n + 1}" for n in range(self.asked))
        tried = [request.deployment.name for request in self.upstream.requests]
        assert sorted(a.deployment for a in self.recorder.attempts) == sorted(tried)
        models = flow.parts.catalog.models_by_tier
        for ended in self.recorder.calls:
            if ended.tier is None or ended.cache in ("hit", "shared"):
                assert ended.cost == 0, ended
            else:
                assert ended.cost == ended.usage.cost(models[ended.tier].price), ended


def make_world(
    answering: Callable[[Request], Any],
    *,
    where: Catalog | None = None,
    thinks: Assessment = EASY,
    cache: Callable[[FakeClock], ReplyCache] | None = None,
    waiting: Callable[[], Awaitable[object]] | None = None,
    flights: SharedFlights | None = None,
    notes: Callable[[FakeClock], Affinities] = MemoryAffinities,
    **rules: Any,
) -> World:
    """`waiting` stands in for time spent in a pause or a thread; `rules` differ from the usual."""
    ledger = FakeLedger()
    clock, recorder, upstream = FakeClock(), FakeRecorder(), FakeUpstream(answering)
    assessor = FakeAssessor(thinks)
    pauses: list[float] = []
    threaded: list[str] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await (waiting() if waiting else clock.sleep(seconds))

    async def in_thread(function: Callable[..., Any], /, *args: object) -> Any:
        threaded.append(function.__name__)
        if waiting:
            await waiting()
        return function(*args)

    parts = Parts(
        catalog=where or catalog(),
        clock=clock,
        upstream=upstream,
        cache=cache(clock) if cache else MemoryCache(clock, max_bytes=1 << 26, max_entry=1 << 25),
        affinities=notes(clock),
        ledger=ledger,
        recorder=recorder,
        assessor=assessor,
        pause=pause,
        in_thread=in_thread,
        flights=flights,
    )
    flow = Flow(parts, Rules(**rules))
    return World(flow, upstream, clock, recorder, assessor, pauses, threaded, ledger)
