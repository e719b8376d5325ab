"""The data plane: the routed endpoints, before and beside FastAPI, for speed.

Reads a request's bytes into a `Call`, hands it to the flow, writes the answer as it comes. Only
errors listed in `gateway.errors` reach a client; anything else is a defect: 500, and in the log.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gateway.call import Call
from gateway.errors import GatewayError, InternalError, InvalidValue, UnsupportedMedia
from gateway.flow.answer import Answer
from gateway.flow.life import Flow
from gateway.http.exchange import CLOSE, Exchange
from gateway.http.head import answer_head, cors_fields, error_head
from gateway.ports import Clock
from gateway.wire.body import read
from gateway.wire.envelope import envelope
from gateway.wire.headers import to_upstream
from gateway.wire.wishes import parse

LOG = logging.getLogger("tiergate.http")
Fields = Iterable[tuple[bytes, bytes]]
ROUTED = frozenset({b"/v1/chat/completions", b"/chat/completions"})


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

    def __init__(self, flow: Flow, clock: Clock, limits: Limits, ids: Ids) -> None:
        self.flow = flow
        self.limits = limits
        self.now = clock.now
        self.ids = ids

    async def serve(self, exchange: Exchange) -> None:
        """Answer one request, whatever happens."""
        answer: Answer | None = None
        request_id = self.ids.make()
        try:
            call, dropped = self._read(exchange, request_id)
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
        self, error: GatewayError, request_id: str, headers: Fields, *, date: bytes
    ) -> tuple[bytes, bytes]:
        """An error's head, but for its framing fields, and its body."""
        cors = cors_fields(headers, self.limits.cors_origins)
        head = error_head(error, request_id, STATUS_LINE[error.status] + date, cors)
        return head, envelope(error)

    def refusal(
        self, error: GatewayError, headers: Fields, *, since: float | None, date: bytes
    ) -> bytes:
        """The reply to a request that is refused while it arrives, and its line in the books."""
        request_id = self.ids.make()
        self.flow.rejected(request_id, error, self.now() if since is None else since)
        head, body = self.error_reply(error, request_id, headers, date=date)
        return b"%b%bcontent-length: %d\r\n\r\n%b" % (head, CLOSE, len(body), body)

    def _read(self, exchange: Exchange, request_id: str) -> tuple[Call, frozenset[str]]:
        try:
            return _read(exchange, request_id)
        except GatewayError as error:
            self.flow.rejected(request_id, error, exchange.arrived)
            raise

    async def _write(self, exchange: Exchange, answer: Answer) -> None:
        head = answer_head(
            answer,
            STATUS_LINE.get(answer.status, STATUS_LINE[502]),
            date=exchange.protocol.date(),
            cors=cors_fields(exchange.headers, self.limits.cors_origins),
        )
        if not answer.stream:
            exchange.whole(head, answer.first)
            return
        exchange.begin(head, answer.first)
        flow = exchange.protocol.flow
        exchange.comments = answer.may_comment
        while True:
            if flow.write_paused:
                await flow.drain()
            if not (data := await answer.rest()):
                break
            exchange.more(data)
            exchange.last_write = self.now()
        exchange.end()


def _read(exchange: Exchange, request_id: str) -> tuple[Call, frozenset[str]]:
    fields = dict(exchange.headers)
    _check_media(fields)
    body = exchange.body()
    document = read(body)
    wishes, dropped = parse(fields, document)
    model = document.get("model")
    if not isinstance(model, str) or not model:
        message = "you must provide a model parameter"
        raise InvalidValue(message, param="model")
    stream = document.get("stream") is True
    options = document.get("stream_options") if stream else None
    call = Call(
        id=request_id,
        body=body,
        document=document,
        model=model,
        stream=stream,
        wants_usage=isinstance(options, dict) and options.get("include_usage") is True,
        wishes=wishes,
        headers=to_upstream(exchange.headers),
        arrived=exchange.arrived,
    )
    return call, dropped


def _check_media(fields: dict[bytes, bytes]) -> None:
    kind = fields.get(b"content-type")
    if kind is not None and b"json" not in kind.lower():
        message = "Send the body as application/json."
        raise UnsupportedMedia(message)
    encoding = fields.get(b"content-encoding")
    if encoding is not None and encoding.lower() != b"identity":
        message = "Compressed request bodies are not read; send it as it is."
        raise UnsupportedMedia(message)
