"""Uvicorn's HTTP/1.1 protocol with a data plane of its own.

Theory: uvicorn keeps the connections, the signals, the graceful stop and every request that is
FastAPI's. A request for a routed endpoint becomes an `Exchange` instead of an ASGI cycle: no scope,
no receive, no send. Uvicorn's own bookkeeping (pipelining, keep-alive, drain) treats both alike
through the few fields an exchange has in common with a cycle; a test drives each of them.

Two requests matter at any time: `cycle` is the last whose head has arrived, `active` the one whose
turn it is to be answered. A refusal waits for its turn like any reply.

What uvicorn lacks is added here: a request must arrive whole within a time, heads and bodies have
limits, refusals are OpenAI's envelope and are followed by a lingering close, because a reset would
destroy the answer. What only `swept` watches is in `gateway.http.sweep`.
"""

import asyncio
from contextlib import suppress
from typing import Any, cast

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.errors import GatewayError, HeadTooLarge, MalformedRequest, MethodNotAllowed
from gateway.http.again import Again, Head
from gateway.http.asked import CHAT_ROUTE, PASSED_ROUTE, ROUTED
from gateway.http.exchange import Exchange
from gateway.http.head import CONTINUE
from gateway.http.near import is_near
from gateway.http.passage import Passage
from gateway.http.plane import Plane
from gateway.http.sweep import Sweep
from gateway.http.target import origin_form
from gateway.http.upgrade import answer_offer
from gateway.http.worker import Worker


class EdgeProtocol(HttpToolsProtocol):
    """One client connection. `plane` is set on a subclass by the server."""

    plane: Plane

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        super().__init__(*args, **kwargs)
        self.receiving_since: float | None = None
        self.idle_since: float | None = None
        self.discarding = False
        self.active: Exchange | RequestResponseCycle | None = None
        self.head_bytes = self._declared = self._unparsed_bytes = 0
        self._in_head = self._in_body = self.offers_upgrade = False
        self._refusal = b""
        self.near = False
        self.tunnel: Passage | None = None
        self._sweep = Sweep()
        self._again = Again()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.worker = Worker(self.loop, self.tasks, self.plane.serve)
        self.receiving_since = self.plane.now()
        self.near = is_near(self.client)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.worker.end()
        self.discarding = True
        self.pipeline.clear()
        active = self.active
        # What was answered holds the connection: let go of it, or only the collector would.
        self.active = None
        self.cycle = None  # type: ignore[assignment]  # as uvicorn begins with
        if active is None or active.response_complete:
            return
        if isinstance(active, Exchange):
            active.hung_up()
        else:
            active.disconnected = True
            active.message_event.set()

    def data_received(self, data: bytes) -> None:
        if self.discarding or self._again.take(self, data):
            return
        if self.tunnel is not None:
            self.tunnel.add(data)
            return
        head = self.headers if self._in_head else None
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as offer:
            answer_offer(self, data[offer.args[0] :])
        except HttpParserError:
            self.refuse(MalformedRequest("Invalid HTTP request received."))
        if self._in_head and self.headers is head:
            # The parser tells of a field once it is whole, however long that takes.
            self._unparsed_bytes += len(data)
            if self._unparsed_bytes > self.plane.limits.max_header_bytes:
                self.refuse(HeadTooLarge("The request's head is too long."))

    # ── one request's head ────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.receiving_since = self.plane.now()
        self.idle_since = None
        self.head_bytes = self._unparsed_bytes = self._declared = 0
        self._in_head = True
        self.offers_upgrade = False

    def on_url(self, url: bytes) -> None:
        self.head_bytes += len(url)
        super().on_url(url)
        if self.head_bytes > self.plane.limits.max_header_bytes:
            self.refuse(HeadTooLarge("The request target is too long."))

    def on_header(self, name: bytes, value: bytes) -> None:
        self.head_bytes += len(name) + len(value)
        headers, limits = self.headers, self.plane.limits
        if len(headers) >= limits.max_headers or self.head_bytes > limits.max_header_bytes:
            self.refuse(HeadTooLarge("The request has too many or too long header fields."))
        elif self._in_head:
            # As uvicorn's, without the way there: it is called for every field of every call.
            name = name.lower()
            headers.append((name, value))
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            elif name == b"content-length":
                self._declared = int(value)
        # Else it is a trailer: those may not say what the head did not.

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self.discarding:
            return
        parser = self.parser
        if not self.url.startswith(b"/"):
            self.url = origin_form(self.url)
        if parser.should_upgrade():
            self.offers_upgrade = True
            if parser.get_method() == b"CONNECT":
                self.refuse(MethodNotAllowed("Not allowed to CONNECT."))
            return
        path = self.url.partition(b"?")[0]
        if (route := ROUTED.get(path)) is not None and parser.get_method() == b"POST":
            self.begin_exchange(route)
        elif self.plane.passes(parser.get_method(), path):
            self.begin_exchange(PASSED_ROUTE)
        elif path == b"/healthz" and parser.get_method() == b"GET" and self.idle():
            self.begin_exchange(CHAT_ROUTE).health = True
        else:
            super().on_headers_complete()
            self._in_body = True

    def idle(self) -> bool:
        """Whether every request that began was answered."""
        return self.cycle is None or self.cycle.response_complete

    def begin_again(self, head: Head) -> Exchange:
        """A request has begun whose head came before (`gateway.http.again`)."""
        self.headers, self.head_bytes, self.idle_since = head.headers, len(head.before), None
        self.receiving_since, self.offers_upgrade = self.plane.now(), False
        exchange = Exchange(self, head.headers, head.route, keep_alive=True)
        exchange.head, exchange.turn, self._in_body = head, True, True
        self.active, self.cycle = exchange, cast("RequestResponseCycle", exchange)
        return exchange

    def begin_exchange(self, route: str) -> Exchange:
        """A request whose head is in becomes ours."""
        old = self.parser.get_http_version() != "1.1"
        keep_alive = not old and self.parser.should_keep_alive()
        kind = Passage if route == PASSED_ROUTE else Exchange
        exchange = kind(self, self.headers, route, keep_alive=keep_alive)
        exchange.http_1_0 = old
        exchange.turn = self.idle()
        if exchange.turn:
            self.active = exchange
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cast("RequestResponseCycle", exchange), self.app))
        self.cycle = cast("RequestResponseCycle", exchange)
        self._in_body = True
        if self._declared > exchange.most:
            self.refuse(exchange.too_large())
            return exchange
        if self.expect_100_continue and not old:
            exchange.expects = True
            if exchange.turn:
                self.transport.write(CONTINUE)
        if exchange.turn and kind is Passage:
            exchange.start()
        return exchange

    # ── its body ──────────────────────────────────────────────────────────

    def on_body(self, body: bytes) -> None:
        if self.discarding:
            return
        exchange: object = self.cycle
        if not isinstance(exchange, Exchange):
            super().on_body(body)
            return
        exchange.size += len(body)
        if exchange.size > exchange.most:
            self.refuse(exchange.too_large())
        else:
            exchange.add(body)

    def on_message_complete(self) -> None:
        self.receiving_since = None
        self._in_body = False
        if self.discarding or self.offers_upgrade:
            return
        exchange: object = self.cycle
        if not isinstance(exchange, Exchange):
            super().on_message_complete()
            return
        if exchange.head is None and exchange.turn and not isinstance(exchange, Passage):
            self._again.learn(exchange)
        exchange.complete_now()

    # ── its reply ─────────────────────────────────────────────────────────
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - uvicorn's own signature
        """A request's turn has come."""
        exchange: object = cycle
        if not isinstance(exchange, Exchange):
            self.active = cycle
            super()._start_asgi_task(cycle, app)
            return
        self.active = exchange
        exchange.turn = True
        if exchange.complete or isinstance(exchange, Passage):
            exchange.start()
        if exchange.expects and not exchange.complete:
            self.transport.write(CONTINUE)

    def on_response_complete(self) -> None:
        # As uvicorn's, but the keep-alive time is watched by the sweep: no timer a request.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._refusal:
            self._say_refusal(self._refusal)
        else:
            self.idle_since = self.plane.now()

    def date(self) -> bytes:
        """The date field that uvicorn renews every second."""
        return self.plane.date_of(self.server_state.default_headers)

    def refuse(self, error: GatewayError) -> None:
        """Refuse what is being received; read and drop the rest a while."""
        if self.discarding:
            return
        self.discarding = True
        since, headers = self.receiving_since, self.headers or ()
        refusal = self.plane.refusal(error, headers, since=since, date=self.date())
        active, refused = self.active, self.cycle if self._in_body else None
        if refused is not None and refused is active:
            self._refuse_active(active, refusal)
        elif active is None or active.response_complete:
            self._say_refusal(refusal)
        else:
            if refused is not None:
                self.pipeline.popleft()
            self._refusal = refusal

    def _refuse_active(self, active: Exchange | RequestResponseCycle, refusal: bytes) -> None:
        if isinstance(active, Exchange):
            unanswered = active.refused()
            active.response_complete = True
            self._say_refusal(refusal if unanswered else b"")
        elif active.response_complete:
            self.close_gently(linger=True)
        else:
            # A page answers without waiting for a body: that answer stands.
            active.keep_alive = False

    def _say_refusal(self, refusal: bytes) -> None:
        self.transport.write(refusal)
        self.close_gently(linger=True)

    def close_gently(self, *, linger: bool = False) -> None:
        """Close, but not while more may be on its way: the answer must be read first."""
        self.discarding = True
        self.pipeline.clear()
        self._refusal = b""
        # Gone with half a request behind: uvloop can end nothing that is closed.
        if self.transport.is_closing() or (not linger and self.receiving_since is None):
            self.transport.close()
            return
        self.flow.resume_reading()
        with suppress(OSError):
            self.transport.write_eof()
        self.loop.call_later(self.plane.limits.linger, self.transport.close)

    def swept(self, now: float) -> None:
        """Called about once a second: end what has waited too long."""
        self._sweep.pass_over(self, now)
