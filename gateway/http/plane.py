"""The data plane: the routed endpoints, before and beside FastAPI, for speed.

Reads a request's bytes into a `Call`, hands it to the flow, writes the answer as it comes. Only
errors listed in `gateway.errors` reach a client; anything else is a defect: 500, and in the log.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.access.doorman import Doorman
from gateway.call import Call
from gateway.catalog import Capability
from gateway.errors import GatewayError, InternalError
from gateway.flow.answer import Answer
from gateway.flow.dry import considered, counted
from gateway.flow.life import Flow
from gateway.flow.passage import PassRules
from gateway.flow.passing import Passing
from gateway.http import tongues
from gateway.http.asked import (
    COMPACT_ROUTE,
    COUNT_ROUTE,
    DRY_ROUTE,
    MESSAGES_ROUTE,
    RESPONSES_ROUTE,
    Asker,
    asked,
)
from gateway.http.exchange import CLOSE, Exchange
from gateway.http.head import JSON_FIELD, answer_head, cors_fields, error_head
from gateway.http.passage import Passage
from gateway.http.passer import Passer
from gateway.http.tongues import Tongue
from gateway.ports import Clock
from gateway.principal import Principal
from gateway.wire.anthropic.request import Terms, counted as count_reply
from gateway.wire.surface import ROOT

LOG = logging.getLogger("tiergate.http")
# Answered here, not passed on: what models there are, and Anthropic's API.
OURS = (b"/v1/models", b"/v1/messages")
# A page asks beforehand whether it may; no tunnel through us to anywhere else.
UNPASSED_METHODS = frozenset({b"OPTIONS", b"CONNECT", b"TRACE"})
Fields = Iterable[tuple[bytes, bytes]]
# Anthropic's word for 503, which the standard library does not know.
STATUS_LINES = {**STATUS_LINE, 529: b"HTTP/1.1 529 Overloaded\r\n"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may take: sizes in bytes, times in seconds."""

    max_body: int = 32 * 1024 * 1024
    max_headers: int = 200
    max_header_bytes: int = 64 * 1024
    receive_timeout: float = 20.0
    keep_alive: float = 75.0
    silence: float = 15.0
    stalled: float = 120.0
    linger: float = 1.5
    cors_origins: tuple[str, ...] = ()


class Ids:
    """Request ids: unique over processes, cheap to make."""

    __slots__ = ("_count", "_prefix")

    def __init__(self, prefix: str) -> None:
        self._prefix = f"req_tg{prefix}"
        self._count = 0

    def make(self) -> str:
        """The next id."""
        self._count += 1
        return f"{self._prefix}{self._count:08x}"


class Plane:
    """Serves exchanges; one a process."""

    def __init__(
        self,
        flow: Flow,
        clock: Clock,
        limits: Limits,
        ids: Ids,
        door: Doorman,
        passed: PassRules = PassRules(),  # noqa: B008 - frozen
    ) -> None:
        self.flow = flow
        self.limits = limits
        self.now = clock.now
        self.ids = ids
        self.door = door
        self._dated: list[tuple[bytes, bytes]] = []
        self._date = b""
        self.passing = Passing(flow, passed)
        bounds = limits.cors_origins, limits.max_body
        self._passer = Passer(self.passing, self._admit, bounds, lambda: self.door.mixed())
        # Begins the trace of a call, where calls are traced.
        self.begin: Callable[[Call, str], None] | None = None
        models = [model for _, model in flow.parts.catalog.models()]
        self._terms = Terms(
            reasons=any(Capability.REASONING in model.capabilities for model in models),
            max_output=min(model.max_output for model in models),
        )

    def date_of(self, fields: list[tuple[bytes, bytes]]) -> bytes:
        """The server's own fields as bytes; uvicorn makes a new list of them every second."""
        if fields is not self._dated:
            self._dated = fields
            self._date = b"".join([b"%b: %b\r\n" % field for field in fields])
        return self._date

    def tongue(self, route: str) -> Tongue:
        """How a route's API answers."""
        if route in (RESPONSES_ROUTE, COMPACT_ROUTE):
            return tongues.Responses()
        if route in (MESSAGES_ROUTE, COUNT_ROUTE):
            return tongues.Messages(self.flow.rules.max_reply)
        return tongues.CHAT

    def passes(self, method: bytes, path: bytes) -> bool:
        """Whether a request is passed on as it is: below `/v1`, and not answered here."""
        return (
            path.startswith(ROOT)
            and self.passing.rules.enabled
            and method not in UNPASSED_METHODS
            and not (path.startswith(OURS) and method != b"DELETE")
        )

    async def serve(self, exchange: Exchange) -> None:
        """Answer one request, whatever happens."""
        answer: Answer | None = None
        request_id = self.ids.make()
        try:
            if isinstance(exchange, Passage):
                await self._passer.serve(exchange, request_id)
                return
            call, dropped = await self._read(exchange, request_id)
            if exchange.route in (COUNT_ROUTE, DRY_ROUTE):
                await self._look(exchange, call)
                return
            answer = await self.flow.answer(call, dropped, exchange.presence)
            await self._write(exchange, answer)
        except GatewayError as error:
            exchange.fail(error, request_id)
        except asyncio.CancelledError:
            # The client left, or the process stops and its grace is over.
            exchange.drop()
        except Exception:
            LOG.exception("call %s failed", request_id)
            exchange.fail(InternalError("Something went wrong in the gateway."), request_id)
        finally:
            if answer is not None:
                answer.close(left=exchange.disconnected)

    def error_reply(
        self,
        error: GatewayError,
        request_id: str,
        headers: Fields,
        *,
        date: bytes,
        tongue: Tongue = tongues.CHAT,
    ) -> tuple[bytes, bytes]:
        """An error's head, but for its framing fields, and its body."""
        status, body = tongue.error(error, request_id)
        own = cors_fields(headers, self.limits.cors_origins) + tongue.fields(request_id)
        return error_head(error, request_id, STATUS_LINES[status] + date, own), body

    def refusal(
        self, error: GatewayError, headers: Fields, *, since: float | None, date: bytes
    ) -> bytes:
        """The reply to a request that is refused while it arrives, and its line in the books."""
        request_id = self.ids.make()
        self.flow.rejected(request_id, error, self.now() if since is None else since)
        head, body = self.error_reply(error, request_id, headers, date=date)
        return b"%b%bcontent-length: %d\r\n\r\n%b" % (head, CLOSE, len(body), body)

    async def _read(self, exchange: Exchange, request_id: str) -> tuple[Call, frozenset[str]]:
        head, near = exchange.head, exchange.protocol.near
        fields = dict(exchange.headers) if head is None else head.fields
        try:
            principal = self.door.known(fields, near=near)
            if principal is None:
                principal = await self.door.admit(fields, near=near)
            found = asked(exchange, fields, Asker(request_id, principal, self._terms))
        except GatewayError as error:
            self.flow.rejected(request_id, error, exchange.arrived)
            raise
        if self.begin is not None:
            self.begin(found[0], exchange.route)
        return found

    async def _admit(self, fields: dict[bytes, bytes], *, near: bool) -> Principal:
        principal = self.door.known(fields, near=near)
        return await self.door.admit(fields, near=near) if principal is None else principal

    async def _look(self, exchange: Exchange, call: Call) -> None:
        """Answer how long a prompt is, or where its call would go; nothing is sent upstream."""
        if exchange.route == COUNT_ROUTE:
            body = count_reply(await counted(self.flow, call.document))
        else:
            body = orjson.dumps(await considered(self.flow, call))
        own = cors_fields(exchange.headers, self.limits.cors_origins)
        own += exchange.tongue.fields(call.id) + JSON_FIELD
        exchange.whole(STATUS_LINE[200] + exchange.protocol.date() + own, body)

    async def _write(self, exchange: Exchange, answer: Answer) -> None:
        tongue = exchange.tongue
        own = cors_fields(exchange.headers, self.limits.cors_origins)
        if tongue is not tongues.CHAT:
            own += tongue.fields(answer.journey.call.id)
            if answer.stream:
                tongue.begin(answer)
                answer.first = tongue.feed(answer.first)
            else:
                tongue.whole(answer)
        head = answer_head(
            answer,
            STATUS_LINES.get(answer.status, STATUS_LINE[502]),
            date=exchange.protocol.date(),
            cors=own,
        )
        if not answer.stream:
            exchange.whole(head, answer.first)
            return
        exchange.begin(head, answer.first)
        await self._stream(exchange, answer)

    async def _stream(self, exchange: Exchange, answer: Answer) -> None:
        flow, tongue = exchange.protocol.flow, exchange.tongue
        translates = tongue.translates
        exchange.comments = answer.may_comment
        while True:
            if flow.write_paused:
                await flow.drain()
            if not (data := await answer.rest()):
                break
            exchange.more(tongue.feed(data) if translates else data)
            exchange.last_write = self.now()
        if translates:
            exchange.more(tongue.end())
        exchange.end()
