"""The life of a call, top to bottom.

resolve   what the requested model name means
remember  may a kept reply serve, or an identical call under way?
assess    tokens, needs, difficulty
choose    the smallest tier that is good enough, inside the caller's caps
hold      set its worst case aside from every allowance it counts against (`holding.py`)
attempt   one deployment after another until one answers
land      usage, cost, the kept reply, what was learnt     (`landing.py`)
settle    charge what it cost, release the rest
record    metrics and one log line, when the caller is done
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from gateway.call import NO_WISHES, Assessment, Call
from gateway.catalog import Deployment, Model
from gateway.errors import GatewayError, InternalError, Overloaded
from gateway.flow.abroad import Abroad
from gateway.flow.answer import Answer
from gateway.flow.assessing import Assessing
from gateway.flow.attempts import Attempts
from gateway.flow.decisions import Decisions
from gateway.flow.flight import Presence, Takeoff
from gateway.flow.health import Health
from gateway.flow.holding import Holding
from gateway.flow.journey import Journey
from gateway.flow.landing import Departed, Landing
from gateway.flow.parts import Parts, Rules
from gateway.flow.pinning import Pinning, at_home, stays
from gateway.flow.reaching import allowed
from gateway.flow.recall import Recall
from gateway.flow.succession import Succession
from gateway.flow.tallies import ASSESS, CHOOSE, HOLD, READ, REMEMBER, Tallies
from gateway.money import FREE
from gateway.ports import Kept
from gateway.reuse.key import cache_key
from gateway.reuse.policy import STATE, Verdict, decide
from gateway.route.choose import DOWN, taken_by_name
from gateway.route.plan import Step, steps
from gateway.route.reasons import Choice
from gateway.route.target import Target, resolve
from gateway.wire.api import APIS
from gateway.wire.headers import of_one_exchange, that_matter

UNSHARED = Verdict(read=False, write=False, share=False, reason="explained")


class Flow:
    """Answers calls. One a process, on one loop."""

    def __init__(self, parts: Parts, rules: Rules) -> None:
        self.parts = parts
        self.rules = rules
        self.health = Health(parts.catalog, rules.breaker)
        self.in_flight = 0
        self.tallies = Tallies()
        self.recall = Recall(parts, rules, self.health, self.tallies)
        self.courses = self.recall.courses
        self._succession = Succession(parts.catalog, parts.clock)
        self._attempts = Attempts(parts, rules, self.health, self._succession)
        self.pinning = Pinning(parts.catalog, parts.affinities)
        self._landing = Landing(
            parts, rules, self._attempts, (self.pinning, self.recall), self._record
        )
        self._assessing = Assessing(parts, rules)
        self._holding = Holding(parts, self.recall.held, self.tallies)
        self._takeoffs: dict[bytes, Takeoff[Departed]] = {}
        self._now = parts.clock.now
        self._abroad = Abroad(parts)
        self._wall = parts.clock.wall
        self.decisions = Decisions(rules.decisions)

    async def answer(self, call: Call, dropped: frozenset[str], presence: Presence) -> Answer:
        """Answer a call; `dropped` names the body's members that are knobs of ours.

        The answer must be closed. Where this raises, the call's books are closed already.

        Raises:
            GatewayError: what the client is told instead.
        """
        journey = Journey(call, self.tallies.stages)
        journey.passed(READ, self._now())
        self.in_flight += 1
        self._succession.watch(call.arrived)
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
        meant = resolve(call.model, call.wishes, self.parts.catalog)
        target = allowed(call, meant, self.parts.catalog)
        verdict = self._verdict(call)
        journey.cache_note = verdict.reason
        key = b""
        if verdict.read or verdict.write or verdict.share:
            journey.cache = "miss"
            version, apart = self.parts.catalog.version, _apart(call, target, meant)
            if len(call.body) <= self.rules.thread_over:
                key = _key_of(call, dropped, version, apart)
            else:
                key = bytes(await self.parts.in_thread(_key_of, call, dropped, version, apart))
        found = await self._abroad.look(call, verdict, key) if verdict.read else None
        if isinstance(found, Kept):
            return self._replayed(journey, found, "hit")
        try:
            if not verdict.share:
                departed = await self._depart(journey, target, dropped, key, keep=verdict.write)
                return await self._landing.led(departed, share=False)
            if self._is_under_way(key) and (already := await self._shared(journey, key)):
                return self._landing.joined(already, journey)
            with Takeoff(presence, key, self._takeoffs) as takeoff:
                if found and (kept := await self._abroad.wait(journey, found)) is not None:
                    return self._replayed(journey, kept, "shared")
                departed = await self._depart(journey, target, dropped, key, keep=verdict.write)
                answer = await self._landing.led(departed, share=True)
                takeoff.resolve(departed)
                return answer
        finally:
            if found is not None:
                self._abroad.landed(found)

    def _verdict(self, call: Call) -> Verdict:
        if call.wishes.explain:
            return UNSHARED
        if APIS[call.api].stores and call.document.get("store") is not False:
            return STATE
        return decide(call.looked_at(), call.wishes, self.rules.caching)

    def _replayed(self, journey: Journey, kept: Kept, how: str) -> Answer:
        journey.cache = how
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

    def _is_under_way(self, key: bytes) -> bool:
        return key in self._landing.flying or key in self._takeoffs

    async def _shared(self, journey: Journey, key: bytes) -> Departed | None:
        """An identical call's answer, if one is under way."""
        call = journey.call
        while True:
            if (departed := self._landing.flying.get(key)) is not None and departed.joinable(call):
                return departed
            if (takeoff := self._takeoffs.get(key)) is None:
                return None
            began = self._now()
            try:
                departed = await takeoff.wait()
            finally:
                journey.waited += self._now() - began
            if departed is not None and departed.joinable(call):
                return departed

    async def _depart(
        self, journey: Journey, target: Target, dropped: frozenset[str], key: bytes, *, keep: bool
    ) -> Departed:
        call = journey.call
        journey.passed(REMEMBER, self._now())
        if (home := await self.pinning.found(call)) is not None:
            target = allowed(call, self.pinning.narrowed(target, home), self.parts.catalog)
        choice = await self._choose(journey, target, at_home=home is not None)
        covers = self._holding.covers
        plan = self.plan(choice, target, home, lambda model: covers(journey, model))
        opened = await self._attempts.first_to_answer(call, journey, plan, dropped)
        journey.answered_by(opened)
        journey.ready(self._now())
        return Departed(opened, journey, key, keep=keep)

    def plan(
        self,
        choice: Choice,
        target: Target,
        home: Deployment | None,
        covers: Callable[[Model], bool] = lambda _: True,
    ) -> Iterator[Step]:
        """The attempts to make, in order; `covers` says whether the hold is enough for a model."""
        lives_here, health = at_home(home), self.health
        # Where nothing is up, or the caller chose, a mere pause turns nobody away.
        now, named = self._now(), not target.routed or choice.chosen.refused == DOWN
        length = choice.chosen.completion
        return steps(
            choice,
            target,
            catalog=self.parts.catalog,
            admits=lambda deployment: (
                lives_here(deployment)
                and health.takes(deployment, now, named=named)
                and covers(deployment.model)
            ),
            in_flight=health.in_flight,
            seconds=lambda deployment: health.seconds(deployment, length, now),
        )

    async def _choose(self, journey: Journey, target: Target, *, at_home: bool) -> Choice:
        call, catalog = journey.call, self.parts.catalog
        held = bool(call.principal.levels)
        if not (target.routed or at_home or held or call.wishes.weigh()):
            # The caller chose and set no limit: there is nothing to weigh.
            choice = taken_by_name(target, catalog)
            journey.chose(choice)
            return choice
        # Where kept replies may serve, a repeated call seldom comes this far.
        assessment = await self._assessing.assess(call, repeats=journey.cache == "bypass")
        journey.passed(ASSESS, self._now())
        known = journey.known = await self.recall.choose(call, assessment, target)
        choice = known.turn.choice
        if at_home and target.model is None:
            choice = stays(choice)
        journey.assessed(assessment)
        journey.passed(CHOOSE, self._now())
        if held:
            choice = await self._holding.hold(journey, choice, assessment, routed=target.routed)
            journey.passed(HOLD, self._now())
        journey.chose(choice)
        return choice

    async def assess(self, call: Call) -> Assessment:
        """What a call is; its tokens are counted only where that decides something."""
        return await self._assessing.assess(call, repeats=False)

    def _record(self, journey: Journey) -> None:
        """The call is over for its caller: exactly once."""
        self.in_flight -= 1
        if journey.cache in ("hit", "shared"):
            journey.cost = FREE
        self._holding.settle(journey)
        ended = journey.ended(self._now())
        self.parts.recorder.ended(ended)
        self.decisions.add(journey.decided(ended, self._wall()))


def _apart(call: Call, target: Target, meant: Target) -> list[Any]:
    """What tells calls of one tenant apart that say the same: header fields, their keys' tiers."""
    said = that_matter(call.headers)
    if target is meant or target == meant:
        return said
    return [*said, [[one.model, *one.tiers] for one in (target, *target.then)]]


def _key_of(call: Call, dropped: frozenset[str], version: str, apart: list[Any]) -> bytes:
    return cache_key(
        endpoint=call.api,
        body=call.body,
        document=call.document,
        wishes=call.wishes,
        dropped=dropped,
        tenant=call.principal.tenant,
        catalog_version=version,
        apart=apart,
    )
