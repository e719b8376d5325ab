"""A passing over fakes, and those who call it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from gateway.catalog import Catalog
from gateway.errors import GatewayError
from gateway.flow.life import Flow
from gateway.flow.owners import Owner, Owners, digest
from gateway.flow.parts import Parts, Rules
from gateway.flow.passage import PassRules, Wanted
from gateway.flow.passing import Passing
from gateway.money import NanoUSD, usd
from gateway.ports import Request
from gateway.prices import Price
from gateway.principal import ANYONE, Allowance, Level, Period, Principal
from gateway.store.memory import MemoryCache
from gateway.store.notes import MemoryAffinities
from gateway.wire.stored import survey
from tests.fakes import (
    JSON_HEAD,
    FakeAssessor,
    FakeClock,
    FakeLedger,
    FakeRecorder,
    FakeReply,
    FakeUpstream,
    catalog,
)

LEVEL = Level("key:k", (Allowance(usd("1"), Period.DAY),), requests_per_minute=5)
LIMITED = Principal(key="k", tenant="key:k", root="o", levels=(LEVEL,))
QUOTA = replace(LIMITED, levels=(Level("key:k", requests_per_minute=5),))
EMBEDDER = "text-embedding-3-small"
PRICED = replace(catalog(), prices={EMBEDDER: Price(NanoUSD(20), NanoUSD(20), NanoUSD(0))})
EMBEDDED = orjson.dumps({"object": "list", "usage": {"prompt_tokens": 7, "total_tokens": 7}})


async def in_place(function: Callable[..., Any], /, *args: object) -> Any:
    return function(*args)


class Place:
    """A passing over fakes."""

    def __init__(
        self,
        answer: FakeReply | GatewayError | None = None,
        *,
        where: Catalog = PRICED,
        rules: PassRules = PassRules(),  # noqa: B008 - frozen
        flow: Rules | None = None,
    ) -> None:
        self.clock, self.ledger, self.recorder = FakeClock(), FakeLedger(), FakeRecorder()
        self.answer = answer
        self.upstream = FakeUpstream(self._answer)
        parts = Parts(
            catalog=where,
            clock=self.clock,
            upstream=self.upstream,
            cache=MemoryCache(self.clock, max_bytes=1 << 20, max_entry=1 << 20),
            affinities=MemoryAffinities(self.clock),
            ledger=self.ledger,
            recorder=self.recorder,
            assessor=FakeAssessor(),
            pause=self.clock.sleep,
            in_thread=in_place,
        )
        self.flow = Flow(parts, flow or Rules())
        self.passing = Passing(self.flow, rules)

    def _answer(self, _request: Request) -> Any:
        return self.answer or reply(b'{"id":"file-abcdef"}')

    async def ask(
        self, path: str, said: dict[str, Any] | None = None, method: str = "POST", **more: Any
    ) -> bytes:
        """Pass one request on, and read its reply to the end."""
        body = b"" if said is None else orjson.dumps(said)
        who = more.pop("principal", ANYONE)
        headers, inside = more.pop("headers", ()), path.partition("?")[0]
        asked = Wanted(
            "req_1", method, inside, path, headers, who, self.clock.now(), body, said, **more
        )
        asked = asked._replace(said=survey(body)) if body else asked
        passed = await self.passing.open(asked)
        got = b""
        while piece := await passed.chunk():
            got += piece
        passed.close()
        assert self.flow.in_flight == 0
        return got

    async def made(self, name: str, tenant: str, where: str = "gpt-4.1") -> None:
        """Let a tenant have made something."""
        owners = Owners(self.flow.parts.affinities)
        await owners.made(name, Owner(digest(tenant), where), 60.0)

    def went(self) -> str:
        return self.upstream.requests[-1].deployment.name


def reply(body: bytes, status: int = 200) -> FakeReply:
    return FakeReply(status, JSON_HEAD, (body,))
