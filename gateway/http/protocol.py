"""Uvicorn's HTTP/1.1 protocol with a data plane of its own.

Theory: uvicorn keeps the connections, the signals, the graceful stop and every request that is
FastAPI's. A request for a routed endpoint becomes an `Exchange` instead of an ASGI cycle: no scope,
no receive, no send. Uvicorn's own bookkeeping (pipelining, keep-alive, drain) treats both alike
through the few fields an exchange has in common with a cycle; a test drives each of them.

What uvicorn lacks is added here: a request must arrive whole within a time, heads and bodies have
limits, refusals are OpenAI's envelope and are followed by a lingering close, because a reset would
destroy the answer.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway.errors import (
    BodyTooLarge,
    GatewayError,
    HeadTooLarge,
    MalformedRequest,
    RequestTimeout,
)
from gateway.http.exchange import Exchange
from gateway.http.head import error_head
from gateway.http.plane import ROUTED, Plane
from gateway.wire.envelope import envelope

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HEALTHY = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n"
    b'{"status":"ok"}'
)


class EdgeProtocol(HttpToolsProtocol):
    """One client connection. `plane` is set on a subclass by `protocol_for`."""

    plane: Plane

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(*args, **kwargs)
        self.receiving_since: float | None = None
        self.idle_since: float | None = None
        self.discarding = False
        self._head_bytes = 0
        self._refusal: GatewayError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.receiving_since = self.plane.now()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        current: object = self.cycle
        if isinstance(current, Exchange) and not current.response_complete:
            current.hung_up()
        for cycle, _ in self.pipeline:
            cycle.disconnected = True

    def data_received(self, data: bytes) -> None:
        if self.discarding:
            return
        super().data_received(data)

    # ── one request's head ────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.receiving_since = self.plane.now()
        self.idle_since = None
        self._head_bytes = 0
        self._refusal = None

    def on_url(self, url: bytes) -> None:
        self._head_bytes += len(url)
        super().on_url(url)
        if self._head_bytes > self.plane.limits.max_header_bytes:
            self._refuse_now(HeadTooLarge("The request target is too long."))

    def on_header(self, name: bytes, value: bytes) -> None:
        limits = self.plane.limits
        self._head_bytes += len(name) + len(value)
        if len(self.headers) >= limits.max_headers or self._head_bytes > limits.max_header_bytes:
            self._refuse_now(HeadTooLarge("The request has too many or too long header fields."))
            return
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.discarding:
            return
        path = self.url.partition(b"?")[0]
        routed = path in ROUTED and self.parser.get_method() == b"POST"
        if routed or (path == b"/healthz" and self._idle()):
            self._begin_exchange()
        else:
            super().on_headers_complete()

    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _begin_exchange(self) -> None:
        http_1_0 = self.parser.get_http_version() == "1.0"
        keep_alive = not http_1_0 and self.parser.should_keep_alive()
        exchange = Exchange(self, self.headers, keep_alive=keep_alive)
        exchange.http_1_0 = http_1_0
        exchange.turn = self._idle()
        if not exchange.turn:
            self.flow.pause_reading()
            self.pipeline.appendleft((cast("RequestResponseCycle", exchange), self.app))
        self.cycle = cast("RequestResponseCycle", exchange)
        declared = next((v for n, v in self.headers if n == b"content-length"), b"0")
        if int(declared) > self.plane.limits.max_body:
            self._refuse_now(self._too_large())
        elif self.expect_100_continue and exchange.turn:
            self.transport.write(CONTINUE)

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"The body is over {self.plane.limits.max_body} bytes.")

    # ── its body ──────────────────────────────────────────────────────────

    def on_body(self, body: bytes) -> None:
        if self.discarding:
            return
        exchange: object = self.cycle
        if not isinstance(exchange, Exchange):
            super().on_body(body)
            return
        exchange.size += len(body)
        if exchange.size > self.plane.limits.max_body:
            self._refuse_now(self._too_large())
        else:
            exchange.parts.append(body)

    def on_message_complete(self) -> None:
        self.receiving_since = None
        if self.discarding:
            self.transport.close()
            return
        exchange: object = self.cycle
        if not isinstance(exchange, Exchange):
            super().on_message_complete()
            return
        exchange.complete = True
        if not exchange.turn:
            return
        if self.url.startswith(b"/healthz"):
            self.transport.write(HEALTHY)
            exchange.finish()
        else:
            exchange.start()

    # ── its reply ─────────────────────────────────────────────────────────

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        """A request's turn has come."""
        exchange: object = cycle
        if not isinstance(exchange, Exchange):
            super()._start_asgi_task(cycle, app)
            return
        exchange.turn = True
        if exchange.complete:
            exchange.start()

    def on_response_complete(self) -> None:
        # As uvicorn's, but the keep-alive time is watched by the sweep: no timer a request.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self.idle_since = self.plane.now()

    def date(self) -> bytes:
        """The date field that uvicorn renews every second."""
        return b"".join([b"%b: %b\r\n" % field for field in self.server_state.default_headers])

    def send_400_response(self, msg: str) -> None:
        """What uvicorn says when the bytes are no HTTP."""
        if not self.discarding:
            self._refuse_now(MalformedRequest(msg))

    def _refuse_now(self, error: GatewayError) -> None:
        """Refuse in the middle of receiving: answer at once, read and drop the rest a while."""
        if self.discarding:
            return
        self.discarding = True
        if self._idle() or isinstance(self.cycle, Exchange):
            body = envelope(error)
            head = error_head(error, self.plane.ids.make(), STATUS_LINE[error.status])
            self.transport.write(
                b"%bconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (head, len(body), body)
            )
        self.close_gently()

    def close_gently(self) -> None:
        """Close once what was written has had time to be read."""
        if self.receiving_since is None:
            self.transport.close()
        else:
            self.discarding = True
            self.loop.call_later(self.plane.limits.linger, self.transport.close)

    # ── the sweep ─────────────────────────────────────────────────────────

    def swept(self, now: float) -> None:
        """Called about once a second: end what has waited too long."""
        limits = self.plane.limits
        since = self.receiving_since
        if since is not None and now - since > limits.receive_timeout and not self.discarding:
            if self._head_bytes and self._idle_or_receiving():
                self._refuse_now(RequestTimeout("The request did not arrive whole in time."))
            else:
                self.transport.close()
        elif self.idle_since is not None and now - self.idle_since > limits.keep_alive:
            self.transport.close()
        else:
            self._sweep_exchange(now)

    def _idle_or_receiving(self) -> bool:
        exchange: object = self.cycle
        return self._idle() or (isinstance(exchange, Exchange) and not exchange.complete)

    def _sweep_exchange(self, now: float) -> None:
        exchange: object = self.cycle
        if not isinstance(exchange, Exchange) or not exchange.streaming:
            return
        silent = now - exchange.last_write
        if exchange.response_complete:
            return
        if self.flow.write_paused:
            if silent > self.plane.limits.stalled:
                self.transport.abort()
        elif silent > self.plane.limits.silence:
            exchange.keep_alive_comment()
            exchange.last_write = now


def protocol_for(plane: Plane) -> type[EdgeProtocol]:
    """The protocol class uvicorn is given: connections of one plane."""
    return type("PlaneProtocol", (EdgeProtocol,), {"plane": plane})
