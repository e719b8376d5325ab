"""One honest fake per port, and small makers of the nouns that tests need."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.call import NO_WISHES, Assessment, Headers, Wishes
from gateway.catalog import Capability, Catalog, Deployment, Model, Secret, Tier
from gateway.ended import Attempted, Ended
from gateway.errors import UpstreamError, UpstreamTruncated
from gateway.holds import Charge, Claim, Denial, Grant, SpendQuery, Spent, Standing
from gateway.money import per_million
from gateway.ports import Request
from gateway.prices import Price
from gateway.principal import KeyRecord, Level

CAPABLE = (
    Capability.TOOLS
    | Capability.PARALLEL_TOOLS
    | Capability.JSON_SCHEMA
    | Capability.VISION
    | Capability.LOGPROBS
)


def price(prompt: str, cached: str, completion: str) -> Price:
    return Price(per_million(prompt), per_million(cached), per_million(completion))


def model(name: str, cost: Price, *, window: int = 1_047_576, can: Capability = CAPABLE) -> Model:
    return Model(name, cost, window, 32_768, can)


NANO = model("gpt-4.1-nano", price("0.10", "0.025", "0.40"))
MINI = model("gpt-4.1-mini", price("0.40", "0.10", "1.60"))
FULL = model("gpt-4.1", price("2.00", "0.50", "8.00"))
MODELS = {Tier.NANO: NANO, Tier.MINI: MINI, Tier.FULL: FULL}


def deployment(
    of: Model, name: str = "", url: str = "http://127.0.0.1:9/v1", **more: Any
) -> Deployment:
    return Deployment(name or of.name, of, url, Secret("sk-upstream-secret"), **more)


def catalog(
    models: Mapping[Tier, Model] = MODELS,
    *,
    url: str = "http://127.0.0.1:9/v1",
    spares: int = 0,
    version: str = "v1",
) -> Catalog:
    """The default family, one deployment a tier and `spares` more of each."""
    tiers = {
        tier: (
            deployment(of, url=url),
            *(deployment(of, f"{of.name}-spare{n}", url) for n in range(spares)),
        )
        for tier, of in models.items()
    }
    return Catalog(tiers, frozenset({"gpt-4o", "gpt-4o-mini"}), version)


def assessment(
    tokens: int = 100,
    *,
    quality: tuple[float, float, float] = (0.7, 0.75, 0.8),
    bounds: tuple[int, int] | None = None,
    **more: Any,
) -> Assessment:
    return Assessment(
        text_tokens=tokens,
        text_bounds=bounds or (tokens, tokens),
        completion_tokens=more.pop("completion", 100),
        max_completion=more.pop("max_completion", None),
        needs=more.pop("needs", Capability.NONE),
        quality=quality,
        score=quality[2] - quality[0],
        **more,
    )


@dataclass
class FakeClock:
    """Time that moves when told to."""

    at: float = 1_000.0

    def now(self) -> float:
        return self.at

    def wall(self) -> float:
        return 1_795_000_000.0 + self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class FakeLedger:
    """Grants everything, or answers as told; remembers what was claimed and charged.

    `refusals` are by level; `gate` is waited for by whoever claims.
    """

    refusals: dict[str, Denial] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    answers: deque[Denial | Exception] = field(default_factory=deque)
    claims: list[Claim] = field(default_factory=list)
    charges: list[tuple[Grant | None, Charge]] = field(default_factory=list)
    stands: Standing = field(default_factory=Standing)

    async def hold(self, claim: Claim) -> Grant | Denial:
        self.claims.append(claim)
        if self.gate is not None:
            await self.gate.wait()
        for level in claim.levels:
            if level.id in self.refusals:
                return self.refusals[level.id]
        answer = self.answers.popleft() if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return Grant(claim, 0.0, self.stands) if answer is None else answer

    def settle(self, grant: Grant | None, charge: Charge) -> None:
        self.charges.append((grant, charge))

    async def standing(self, root: str, levels: Sequence[Level]) -> Standing:
        return Standing()

    async def spend(self, query: SpendQuery) -> list[Spent]:
        return []


@dataclass
class FakeKeys:
    """Keys in a dictionary."""

    records: dict[str, KeyRecord] = field(default_factory=dict)

    async def find(self, key_id: str) -> KeyRecord | None:
        return self.records.get(key_id)

    async def put(self, record: KeyRecord, over: KeyRecord | None = None) -> bool:
        if over is not None and self.records.get(record.id) != over:
            return False
        self.records[record.id] = record
        return True

    async def every(self) -> list[KeyRecord]:
        return list(self.records.values())


@dataclass
class FakeAssessor:
    """Says what it is told to think; counts what it was asked."""

    thinks: Assessment = field(default_factory=assessment)
    counted: int = 0

    def assess(self, document: Mapping[str, Any]) -> Assessment:
        return self.thinks

    def count(self, document: Mapping[str, Any]) -> int:
        self.counted += 1
        return self.thinks.text_tokens


@dataclass
class FakeRecorder:
    """Remembers what happened."""

    attempts: list[Attempted] = field(default_factory=list)
    calls: list[Ended] = field(default_factory=list)

    def attempted(self, attempt: Attempted) -> None:
        self.attempts.append(attempt)

    def ended(self, ended: Ended) -> None:
        self.calls.append(ended)


JSON_HEAD: Headers = ((b"content-type", b"application/json"),)
EVENT_HEAD: Headers = ((b"content-type", b"text/event-stream; charset=utf-8"),)


class FakeReply:
    """A reply out of pieces; a piece may be an error to raise or an awaitable to wait for."""

    def __init__(
        self,
        status: int,
        headers: Headers,
        pieces: tuple[bytes | UpstreamError | Callable[[], Awaitable[object]], ...],
    ) -> None:
        self.status = status
        self.headers = headers
        self.aborted = False
        self.whole = False
        self._pieces = deque(pieces)

    async def chunk(self) -> bytes:
        if self.aborted:
            message = "aborted"
            raise UpstreamTruncated(message)
        while self._pieces:
            piece = self._pieces[0]
            if callable(piece):
                await piece()
                self._pieces.popleft()
                continue
            self._pieces.popleft()
            if isinstance(piece, UpstreamError):
                raise piece
            return piece
        self.whole = True
        return b""

    async def read(self, limit: int) -> bytes:
        body = b""
        while piece := await self.chunk():
            body += piece
        return body

    def abort(self) -> None:
        self.aborted = not self.whole


Answering = Callable[[Request], FakeReply | UpstreamError | Awaitable[FakeReply]]


class FakeUpstream:
    """Answers as scripted, by what the request asks; remembers every request."""

    def __init__(self, answering: Answering) -> None:
        self.answering = answering
        self.requests: list[Request] = []
        self.replies: list[FakeReply] = []

    async def send(self, request: Request) -> FakeReply:
        self.requests.append(request)
        answer = self.answering(request)
        if isinstance(answer, UpstreamError):
            raise answer
        reply = answer if isinstance(answer, FakeReply) else await answer
        self.replies.append(reply)
        return reply

    async def close(self) -> None:
        """Nothing is open."""

    def tried(self) -> list[str]:
        """The deployments that were called, in order."""
        return [request.deployment.name for request in self.requests]


def wishes(**said: Any) -> Wishes:
    return Wishes(**said) if said else NO_WISHES
