"""Passing requests on as they are: everything below `/v1` that is not routed.

admit     room in this process, an area that is passed on, a model this key may name
hold      the request counts against the quotas; what it may cost is held where that is known
send      one attempt, to the account that made what the path or body refers to
look      the reply passes as it comes; its usage and the id of what it made are read along
settle    what it cost, where its model has a price

Nothing is sent twice: nobody knows what a second file, batch or picture would mean.
"""

import asyncio

from gateway.access.limits import quota_fields, refusal
from gateway.call import NO_USAGE, Feed
from gateway.catalog import Deployment
from gateway.ended import Attempted
from gateway.errors import (
    GatewayError,
    InternalError,
    Overloaded,
    StoreUnavailable,
    UpstreamError,
)
from gateway.flow.batches import Batches
from gateway.flow.counting import placed
from gateway.flow.embeddings import Embeddings
from gateway.flow.guarded import GuardedFeed
from gateway.flow.homes import Homes
from gateway.flow.life import Flow
from gateway.flow.listings import Listings
from gateway.flow.passage import Books, PassRules, Wanted
from gateway.flow.passed import Passed
from gateway.flow.reading import AbortOnFailure
from gateway.flow.tolls import BOUNDED, Bill, Tolls
from gateway.holds import Account, Charge, Claim, Denial, Grant
from gateway.ports import Deadlines, Reply, Request
from gateway.principal import Outage
from gateway.wire.forms import FormModel, form_model
from gateway.wire.frames import Frames
from gateway.wire.guarding import guard
from gateway.wire.surface import area

# Seconds beyond a client's own timeout: it must be the one to give up.
PATIENCE_GRACE = 1.0
CANCELLED = "cancelled"
FAILED = 400
BATCHES = "batches"


class ReadAlong:
    """A feed whose bytes are looked at while they pass."""

    def __init__(self, feed: Feed, form: FormModel) -> None:
        self.length = feed.length
        self._feed = feed
        self._form = form

    async def chunk(self) -> bytes:
        """The next bytes, as they came."""
        data = await self._feed.chunk()
        self._form.see(data)
        return data


class Passing:
    """Passes requests on. Shares its flow's ports and bounds."""

    def __init__(self, flow: Flow, rules: PassRules) -> None:
        self.rules = rules
        self._flow = flow
        self._parts = flow.parts
        self._homes = Homes(flow.parts.catalog, flow.parts.affinities, rules)
        self._listings = Listings(self._homes, flow.rules.max_reply)
        self._embeddings = Embeddings(flow)
        self._tolls = Tolls(flow.parts.catalog, rules)
        parts = flow.parts
        self._batches = Batches(self._tolls, parts.affinities, parts.ledger, parts.clock)
        self._now = parts.clock.now
        self._tunnels = 0

    def rejected(self, request_id: str, error: GatewayError, arrived: float) -> None:
        """Count a request that could not be read, or whose caller is nobody."""
        self._flow.rejected(request_id, error, arrived)

    async def open(self, wanted: Wanted) -> Passed:
        """The upstream's reply; it must be closed.

        Raises:
            GatewayError: what the client is told instead; its books are closed already.
        """
        books = Books(wanted, area(wanted.path))
        self._flow.in_flight += 1
        self._tunnels += bool(wanted.upgrade)
        try:
            return await self._open(books)
        except GatewayError as error:
            books.failed(error)
            self._close(books)
            raise
        except BaseException as stop:
            left = isinstance(stop, asyncio.CancelledError)
            books.outcome = "caller_left" if left else InternalError.kind
            self._close(books)
            raise

    async def _open(self, books: Books) -> Passed:
        wanted = books.wanted
        self._admit(wanted)
        bill = self._tolls.bill(wanted)
        books.requested, books.model = bill.requested, bill.priced
        if wanted.principal.levels:
            await self._hold(books, bill)
        if (asked := self._listings.asked(wanted)) is not None:
            deployment, reply = await self._listings.own(
                wanted, asked, lambda place, target: self._sent(books, place, b"", target)
            )
            with AbortOnFailure(reply):
                return await self._passed(books, bill, deployment, reply)
        deployment = await self._homes.of(wanted)
        if wanted.routed is not None:
            deployment = await placed(self._flow, books, wanted.routed) or deployment
        reply = await self._embeddings.reply(
            books, bill, lambda body: self._sent(books, deployment, body)
        )
        with AbortOnFailure(reply):
            return await self._passed(books, bill, deployment, reply)

    def _admit(self, wanted: Wanted) -> None:
        full = bool(wanted.upgrade) and self._tunnels > self.rules.tunnels
        if full or self._flow.in_flight > self._flow.rules.max_in_flight:
            message = "Too many calls are in flight; this one was not begun."
            raise Overloaded(message, retry_after=1)

    async def _sent(
        self, books: Books, deployment: Deployment, body: bytes, target: str = ""
    ) -> Reply:
        wanted = books.wanted
        request = Request(
            deployment,
            target or wanted.target,
            wanted.headers,
            body,
            stream=True,
            deadlines=self._deadlines(wanted),
            method=wanted.method,
            feed=self._read_along(books),
            upgrade=wanted.upgrade,
        )
        books.attempts += 1
        began, outcome = self._now(), CANCELLED
        try:
            reply = await self._parts.upstream.send(request)
            outcome = "ok"
        except UpstreamError as error:
            outcome = error.kind
            if books.guarded is not None and books.guarded.refused is not None:
                raise books.guarded.refused from None
            raise
        finally:
            took = self._now() - began
            books.waited += took
            self._parts.recorder.attempted(Attempted(deployment.name, outcome, took))
        return reply

    async def _passed(
        self, books: Books, bill: Bill, deployment: Deployment, reply: Reply
    ) -> Passed:
        async def landed(passed: Passed) -> None:
            self._use(passed, bill)
            if passed.status < FAILED:
                told = {**passed.located(), **passed.observed.document()}
                await self._homes.made(books.wanted, told, deployment)
                if books.area == BATCHES:
                    await self._batches.told(books, told)

        def closed(passed: Passed) -> None:
            self._use(passed, bill)
            self._close(books)

        passed = Passed(books, reply, landed, closed)
        books.status = passed.status
        if passed.status >= FAILED:
            began = self._now()
            await passed.refused(deployment)
            books.waited += self._now() - began
            books.status = passed.status
        now = self._now()
        books.ttft = now - books.wanted.arrived
        books.overhead = max(0.0, books.ttft - books.waited)
        return passed

    def _read_along(self, books: Books) -> Feed | None:
        wanted = books.wanted
        feed, kind = wanted.feed, dict(wanted.headers).get(b"content-type", b"")
        if feed is None or (form := form_model(kind)) is None:
            return feed
        books.form = form
        if wanted.guarded:
            feed = books.guarded = GuardedFeed(
                feed, guard(kind), lambda found: self._homes.check(wanted, found)
            )
        return ReadAlong(feed, form)

    def _deadlines(self, wanted: Wanted) -> Deadlines:
        limits = self._flow.rules.deadlines
        if wanted.upgrade:
            longest = self.rules.tunnel_seconds
            return Deadlines(limits.connect, limits.first_byte, longest, longest)
        if wanted.patience is None:
            return limits
        first = min(limits.first_byte, wanted.patience + PATIENCE_GRACE)
        return Deadlines(limits.connect, first, limits.idle, limits.total)

    def _use(self, passed: Passed, bill: Bill) -> None:
        """Charge what the reply says was used, once."""
        books = passed.books
        if passed.status >= FAILED or books.usage is not NO_USAGE or books.area == BATCHES:
            return
        observed = passed.observed
        stated = observed.usage()
        if bill.price is None:
            named = books.form.model() if books.form is not None else ""
            bill = self._tolls.priced(observed.model if isinstance(observed, Frames) else named)
        if stated is None and bill.price is not None and books.area in BOUNDED:
            stated = bill.guessed(observed.size)
        if stated is None:
            return
        books.usage = stated
        if bill.price is not None:
            books.model = bill.priced
            books.cost = stated.cost(bill.price)

    async def _hold(self, books: Books, bill: Bill) -> None:
        wanted = books.wanted
        principal = wanted.principal
        claim = Claim(
            wanted.id, principal.root, principal.levels, bill.most, bill.most, bill.tokens
        )
        began = self._now()
        answer: Grant | Denial
        try:
            answer = await self._parts.ledger.hold(claim)
        except StoreUnavailable:
            if principal.outage is Outage.CLOSED:
                raise
            answer = Grant(claim, self._parts.clock.wall(), backed=False)
        finally:
            books.waited += self._now() - began
        if isinstance(answer, Denial):
            error = refusal(answer, claim, bill.requested or f"/v1/{books.area}")
            error.fields = quota_fields(answer.standing)
            raise error
        books.grant = answer

    def _close(self, books: Books) -> None:
        """Settle and record: exactly once."""
        if books.ended:
            return
        books.ended = True
        self._flow.in_flight -= 1
        wanted = books.wanted
        self._tunnels -= bool(wanted.upgrade)
        if books.grant is not None or books.cost:
            principal = wanted.principal
            account = Account(
                principal.organisation, principal.team, principal.key, books.model or books.area
            )
            charge = Charge(account, *self._batches.own(books), books.saved)
            self._parts.ledger.settle(books.grant, charge)
        self._parts.recorder.ended(books.closed(self._now()))
