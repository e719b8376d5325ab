"""From an opened answer to closed books: who reads it, what it used, whether it is kept.

Two rules: an answer is booked exactly once, however it ends, and its leader's record is written
when it is booked *and* the leader's own client is done, whichever comes last.
"""

import asyncio
from collections.abc import Callable

from gateway.call import Call, Usage
from gateway.errors import UpstreamError
from gateway.flow import explain
from gateway.flow.answer import Answer
from gateway.flow.attempts import CANCELLED, Attempts
from gateway.flow.flight import Flight
from gateway.flow.journey import Journey, guessed
from gateway.flow.opening import Opened, header
from gateway.flow.own import cut_off, limited, lowered
from gateway.flow.parts import Parts, Rules
from gateway.flow.pinning import Pinning
from gateway.flow.recall import Recall
from gateway.money import FREE
from gateway.ports import Kept
from gateway.wire.encoding import decoded


class Departed:
    """An opened answer that several calls may share, and the books of the call that pays.

    `key` is where it is kept and found by others (`b""`: neither).
    """

    __slots__ = (
        "booked",
        "closed",
        "flight",
        "journey",
        "keep",
        "key",
        "opened",
        "own",
        "recorded",
    )

    def __init__(self, opened: Opened, journey: Journey, key: bytes, *, keep: bool) -> None:
        self.opened = opened
        self.journey = journey
        self.key = key
        choice = journey.choice
        # Made for its caller's allowance: nobody else's, and not for later.
        self.own = choice is not None and bool(journey.call.principal.levels) and lowered(choice)
        self.keep = keep and opened.status == 200 and not self.own
        self.flight: Flight | None = None
        self.booked = False
        self.closed = False
        self.recorded = False

    def abandoned(self) -> bool:
        """Whether its last reader left before its end."""
        return self.flight is not None and self.flight.readers <= 0 and not self.flight.over

    def joinable(self, call: Call) -> bool:
        """Whether one more call could still be answered by it."""
        here = self.journey.call
        if call.principal.key != here.principal.key and (
            self.own or limited(here, self.opened.step.max_tokens)
        ):
            return False
        return self.flight is None or self.flight.joinable()

    def lasting(self) -> bool:
        """Whether it may be kept, now that all of it is in."""
        call, most = self.journey.call, self.opened.step.max_tokens
        return self.keep and not self.spoilt() and not cut_off(call, most, self.journey.usage)

    def spoilt(self) -> bool:
        """Whether the upstream said in the stream itself that it failed."""
        streamed = self.opened.streamed
        return streamed is not None and streamed.machine.error is not None


class Landing:
    """Brings opened answers to their readers and to their end."""

    def __init__(
        self,
        parts: Parts,
        rules: Rules,
        attempts: Attempts,
        memories: tuple[Pinning, Recall],
        record: Callable[[Journey], None],
    ) -> None:
        self._parts = parts
        self._rules = rules
        self._attempts = attempts
        self._pinning, self._recall = memories
        self._record = record
        self._now = parts.clock.now
        self.flying: dict[bytes, Departed] = {}

    async def led(self, departed: Departed, *, share: bool) -> Answer:
        """The answer for the call that made it."""
        opened = departed.opened
        explains = departed.journey.call.wishes.explain
        if opened.streamed is None:
            self._book_whole(departed)
            if explains and opened.status == 200:
                self._explain(opened, departed.journey)
            if opened.ids or departed.journey.known is not None:
                await self._remember(departed)
            if departed.lasting():
                await self._keep(departed, (opened.first,))
        else:
            try:
                # Whoever loses the stream may ask for what it began by its id.
                await self._pinning.remember(departed.journey.call, opened)
            except asyncio.CancelledError:
                # Nobody else knows of it yet: it would stay open for ever.
                opened.streamed.abandon()
                self._book_stream(departed, CANCELLED)
                raise
            if explains and opened.streamed.machine.done:
                opened.first = self._last_words(departed, opened.first)
            elif explains:
                opened.streamed.last_words = lambda out: self._last_words(departed, out)
            departed.flight = Flight(
                opened.streamed,
                first=opened.first,
                keeps=departed.keep or share,
                landed=lambda: self._landed(departed),
            )
            if share:
                self.flying[departed.key] = departed
        return self._answer(departed, departed.journey, lambda _: self._closed(departed))

    def _explain(self, opened: Opened, journey: Journey) -> None:
        encoding = header(opened.headers, b"content-encoding")
        plain = decoded(opened.first, encoding, self._rules.max_reply)
        opened.first = explain.in_body(plain, journey)
        opened.headers = tuple(f for f in opened.headers if f[0] != b"content-encoding")

    def _last_words(self, departed: Departed, out: bytes) -> bytes:
        """The bytes that end a stream with the decision among them, once the usage is in."""
        self._use(departed)
        return explain.in_stream(out, departed.journey)

    def joined(self, departed: Departed, journey: Journey) -> Answer:
        """The same answer for an identical call that came while it was under way."""
        leader = departed.journey
        journey.cache = "shared"
        journey.reason = leader.reason
        journey.tier, journey.model = leader.tier, leader.model
        journey.response_model = leader.response_model
        journey.upstream_id = leader.upstream_id
        journey.score, journey.quality = leader.score, leader.quality
        journey.saved = leader.cost
        journey.outcome = leader.outcome if departed.opened.status != 200 else ""
        journey.ready(self._now())
        return self._answer(departed, journey, lambda own: self._left(departed, own))

    def _answer(
        self, departed: Departed, journey: Journey, closed: Callable[[Journey], None]
    ) -> Answer:
        opened = departed.opened
        return Answer(
            journey,
            opened.status,
            opened.headers,
            opened.first,
            flight=departed.flight,
            closed=closed,
        )

    def _closed(self, departed: Departed) -> None:
        """The leader's client is done."""
        departed.closed = True
        self._settle(departed)

    def _left(self, departed: Departed, journey: Journey) -> None:
        """A follower's client is done."""
        self._settle(departed)
        leader = departed.journey
        journey.usage = leader.usage
        # Until the answer is booked, its cost is only what was expected.
        journey.saved = leader.cost if departed.booked else FREE
        if departed.booked and departed.spoilt():
            journey.outcome = journey.outcome or UpstreamError.kind
        self._record(journey)

    def _settle(self, departed: Departed) -> None:
        """Book what nobody reads any more; record the leader once both its ends are reached."""
        if departed.abandoned() and not departed.booked:
            self._book_stream(departed, CANCELLED)
        if departed.booked and departed.closed and not departed.recorded:
            departed.recorded = True
            self._record(departed.journey)

    async def _landed(self, departed: Departed) -> None:
        """The stream's last piece is in, or the upstream failed."""
        flight = departed.flight
        if flight is None or departed.booked:
            return
        self._book_stream(departed, flight.error.kind if flight.error is not None else "ok")
        self._settle(departed)
        await self._remember(departed)
        pieces = flight.whole()
        if pieces is not None and departed.lasting():
            await self._keep(departed, pieces)

    async def _remember(self, departed: Departed) -> None:
        """Note where what this answer began, or went on with, lives."""
        opened, journey = departed.opened, departed.journey
        if opened.ids or opened.streamed is not None:
            await self._pinning.remember(journey.call, opened)
        if journey.known is not None and opened.status == 200 and not journey.outcome:
            step = opened.step
            await self._recall.remember(journey.known, step.tier, step.deployment, journey.usage)

    def _learn(self, departed: Departed, usage: Usage) -> None:
        known = departed.journey.known
        if known is not None:
            self._recall.answered(known, departed.opened.step.tier, usage)

    def _book_whole(self, departed: Departed) -> None:
        opened, journey = departed.opened, departed.journey
        departed.booked = True
        if opened.status == 200:
            self._learn(departed, self._use(departed))
        else:
            journey.refused(opened.outcome)

    def _book_stream(self, departed: Departed, outcome: str) -> None:
        opened, journey = departed.opened, departed.journey
        departed.booked = True
        if self.flying.get(departed.key) is departed:
            del self.flying[departed.key]
        usage = self._use(departed)
        if outcome == "ok" and departed.spoilt():
            outcome = UpstreamError.kind
            journey.outcome = journey.outcome or outcome
        if outcome == "ok":
            self._learn(departed, usage)
        self._attempts.streamed(opened, usage, outcome)

    def _use(self, departed: Departed) -> Usage:
        """Charge what was used, as stated or else as seen."""
        opened, journey = departed.opened, departed.journey
        usage = opened.stated() or self._estimate(journey, opened.guessed())
        journey.used(usage, opened.step.deployment.model, self._parts.catalog)
        return usage

    def _estimate(self, journey: Journey, completion: int) -> Usage:
        """What was used when the upstream does not say: the prompt as assessed, what was seen.

        A response in the background is worked on after its reply: nobody here sees how it ends.
        """
        if journey.call.document.get("background") is True and journey.tier is not None:
            completion = max(completion, journey.expected(journey.tier)[1])
        seen = journey.assessment
        prompt = seen.text_tokens if seen is not None else len(journey.call.body) // 4
        return guessed(journey.call, prompt, completion)

    async def _keep(self, departed: Departed, pieces: tuple[bytes, ...]) -> None:
        opened, journey = departed.opened, departed.journey
        kept = Kept(
            opened.status,
            opened.headers,
            pieces,
            opened.streamed is not None,
            opened.step.tier,
            opened.step.model,
            journey.usage,
            journey.cost,
            journey.score,
            journey.quality,
            self._parts.clock.wall(),
        )
        ttl = journey.call.wishes.cache.ttl
        await self._parts.cache.put(
            departed.key, kept, self._rules.cache_ttl if ttl is None else ttl
        )
