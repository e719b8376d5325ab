"""The life of a call, top to bottom.

resolve   what the requested model name means
remember  may a kept reply serve, or an identical call under way?
assess    tokens, needs, difficulty
choose    the smallest tier that is good enough, inside the caller's caps
attempt   one deployment after another until one answers
land      usage, cost, the kept reply, what was learnt     (`landing.py`)
record    metrics and one log line, when the caller is done
"""

import asyncio

from gateway.call import NO_WISHES, Assessment, Call
from gateway.errors import GatewayError, InternalError, Overloaded
from gateway.flow.answer import Answer
from gateway.flow.attempts import Attempts
from gateway.flow.flight import Presence, Takeoff
from gateway.flow.health import Health
from gateway.flow.journey import Journey
from gateway.flow.landing import Departed, Landing
from gateway.flow.parts import Parts, Rules
from gateway.money import FREE
from gateway.ports import Kept
from gateway.reuse.key import cache_key
from gateway.reuse.policy import Verdict, decide
from gateway.route.choose import DOWN, choose, keep_to, needs_exact_count, taken_by_name
from gateway.route.plan import steps
from gateway.route.reasons import Choice
from gateway.route.sticky import Sessions
from gateway.route.target import Target, resolve
from gateway.wire.headers import of_one_exchange

ENDPOINT = "chat"
UNSHARED = Verdict(read=False, write=False, share=False, reason="explained")


class Flow:
    """Answers calls. One a process, on one loop."""

    def __init__(self, parts: Parts, rules: Rules) -> None:
        self.parts = parts
        self.rules = rules
        self.health = Health(parts.catalog, rules.breaker)
        self.in_flight = 0
        self._sessions = Sessions()
        self._attempts = Attempts(parts, rules, self.health)
        self._landing = Landing(parts, rules, self._attempts, self._record)
        self._takeoffs: dict[bytes, Takeoff[Departed]] = {}
        self._now = parts.clock.now

    async def answer(self, call: Call, dropped: frozenset[str], presence: Presence) -> Answer:
        """Answer a call; `dropped` names the body's members that are knobs of ours.

        The answer must be closed. Where this raises, the call's books are closed already.

        Raises:
            GatewayError: what the client is told instead.
        """
        journey = Journey(call)
        self.in_flight += 1
        try:
            self._admit()
            return await self._answer(journey, dropped, presence)
        except GatewayError as error:
            journey.failed(error)
            journey.ready(self._now())
            self._record(journey)
            raise
        except BaseException as stop:
            left = isinstance(stop, asyncio.CancelledError)
            journey.stopped("caller_left" if left else InternalError.kind)
            self._record(journey)
            raise

    def rejected(self, request_id: str, error: GatewayError, arrived: float) -> None:
        """Count a request that never became a call."""
        call = Call(request_id, b"", {}, "", False, False, NO_WISHES, (), arrived)
        journey = Journey(call)
        self.in_flight += 1
        journey.failed(error)
        self._record(journey)

    def _admit(self) -> None:
        if self.in_flight > self.rules.max_in_flight:
            message = "Too many calls are in flight; this one was not begun."
            raise Overloaded(message, retry_after=1)

    async def _answer(
        self, journey: Journey, dropped: frozenset[str], presence: Presence
    ) -> Answer:
        call = journey.call
        target = resolve(call.model, call.wishes, self.parts.catalog)
        verdict = decide(call.document, call.wishes, self.rules.caching)
        if call.wishes.explain:
            verdict = UNSHARED
        journey.cache_note = verdict.reason
        key = b""
        if verdict.read or verdict.write or verdict.share:
            journey.cache = "miss"
            key = await self._key(call, dropped)
        if verdict.read and (kept := await self._remembered(call, key)) is not None:
            return self._replayed(journey, kept)
        if not verdict.share:
            departed = await self._depart(journey, target, dropped, key, keep=verdict.write)
            return await self._landing.led(departed, share=False)
        if (already := await self._shared(journey, key)) is not None:
            return self._landing.joined(already, journey)
        takeoff = self._takeoffs[key] = Takeoff(presence)
        try:
            departed = await self._depart(journey, target, dropped, key, keep=verdict.write)
            answer = await self._landing.led(departed, share=True)
        except GatewayError as error:
            takeoff.resolve(error)
            raise
        except BaseException:
            takeoff.resolve(None)
            raise
        finally:
            del self._takeoffs[key]
        takeoff.resolve(departed)
        return answer

    async def _key(self, call: Call, dropped: frozenset[str]) -> bytes:
        catalog = self.parts.catalog
        if len(call.body) > self.rules.thread_over:
            return bytes(await self.parts.in_thread(_key_of, call, dropped, catalog.version))
        return _key_of(call, dropped, catalog.version)

    async def _remembered(self, call: Call, key: bytes) -> Kept | None:
        kept = await self.parts.cache.get(key)
        oldest = call.wishes.cache.max_age
        if kept is None or oldest is None:
            return kept
        return kept if self.parts.clock.wall() - kept.stored <= oldest else None

    def _replayed(self, journey: Journey, kept: Kept) -> Answer:
        journey.cache = "hit"
        journey.reason = "cache"
        journey.tier, journey.model = kept.tier, kept.model
        journey.response_model = kept.model
        journey.score, journey.quality = kept.score, kept.quality
        journey.usage, journey.saved = kept.usage, kept.cost
        journey.ready(self._now())
        body = kept.chunks[0] if len(kept.chunks) == 1 else b"".join(kept.chunks)
        headers = tuple([field for field in kept.headers if not of_one_exchange(field[0])])
        answer = Answer(journey, kept.status, headers, body, closed=self._record)
        answer.stream = kept.stream
        return answer

    async def _shared(self, journey: Journey, key: bytes) -> Departed | None:
        """An identical call's answer, if one is under way."""
        while True:
            if (departed := self._landing.flying.get(key)) is not None and departed.joinable():
                return departed
            if (takeoff := self._takeoffs.get(key)) is None:
                return None
            began = self._now()
            try:
                departed = await takeoff.wait()
            finally:
                journey.waited += self._now() - began
            if departed is not None and departed.joinable():
                return departed

    async def _depart(
        self, journey: Journey, target: Target, dropped: frozenset[str], key: bytes, *, keep: bool
    ) -> Departed:
        call, catalog = journey.call, self.parts.catalog
        choice = await self._choose(journey, target)
        # Where nothing is up, or the caller chose, a mere pause turns nobody away.
        now, named = self._now(), not target.routed or choice.chosen.refused == DOWN
        plan = steps(
            choice,
            target,
            catalog=catalog,
            admits=lambda deployment: self.health.takes(deployment, now, named=named),
            in_flight=self.health.in_flight,
        )
        opened = await self._attempts.first_to_answer(call, journey, plan, dropped)
        journey.answered_by(opened)
        journey.ready(self._now())
        return Departed(opened, journey, key, keep=keep)

    async def _choose(self, journey: Journey, target: Target) -> Choice:
        call, catalog = journey.call, self.parts.catalog
        if not target.routed and not call.wishes.weigh():
            # The caller chose and set no limit: there is nothing to weigh.
            choice = taken_by_name(target, catalog)
            journey.chose(choice)
            return choice
        assessment = await self._assess(call)
        choice = choose(
            assessment,
            target,
            call.wishes,
            catalog=catalog,
            speeds=self.health.speeds(assessment.text_tokens, self._now()),
            policy=self.rules.routing,
        )
        if call.wishes.session is not None and target.routed:
            session = f"{call.tenant}\n{call.wishes.session}"
            tier = self._sessions.settle(session, choice.chosen.tier, self._now())
            choice = keep_to(choice, tier)
        journey.assessed(assessment)
        journey.chose(choice)
        return choice

    async def _assess(self, call: Call) -> Assessment:
        assessor, long = self.parts.assessor, len(call.body) > self.rules.thread_over
        in_thread = self.parts.in_thread
        assessment: Assessment = (
            await in_thread(assessor.assess, call.document)
            if long
            else assessor.assess(call.document)
        )
        if not needs_exact_count(assessment, call.wishes, self.parts.catalog):
            return assessment
        count: int = (
            await in_thread(assessor.count, call.document)
            if long
            else assessor.count(call.document)
        )
        return assessment._replace(text_tokens=count, text_bounds=(count, count))

    def _record(self, journey: Journey) -> None:
        """The call is over for its caller: exactly once."""
        self.in_flight -= 1
        if journey.cache in ("hit", "shared"):
            journey.cost = FREE
        self.parts.recorder.ended(journey.ended(self._now()))


def _key_of(call: Call, dropped: frozenset[str], version: str) -> bytes:
    return cache_key(
        endpoint=ENDPOINT,
        body=call.body,
        document=call.document,
        wishes=call.wishes,
        dropped=dropped,
        tenant=call.tenant,
        catalog_version=version,
    )
