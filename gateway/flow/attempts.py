"""The attempts of a call: one deployment after another until one answers.

Nothing has left for the client yet, so a failed attempt costs time and nothing else. Three bounds:
each deployment at most once (a rate-limited one may be asked again after the pause it named), at
most `max_attempts`, and a retry budget over all calls. The caller's deadline bounds each of them.
"""

import math
from collections.abc import Iterator

from gateway.call import NO_WISHES, Call, Usage
from gateway.ended import Attempted
from gateway.errors import UpstreamError, UpstreamsExhausted, UpstreamTimeout
from gateway.flow import opening
from gateway.flow.health import DEAD_KEY_SECONDS, Health
from gateway.flow.journey import Journey
from gateway.flow.opening import Opened, Refusal
from gateway.flow.parts import Parts, Rules
from gateway.flow.reading import AbortOnFailure
from gateway.flow.succession import Succession
from gateway.ports import Deadlines, Request
from gateway.route.plan import KEY_IS_DEAD, NO_SUCH_MODEL, Next, RetryBudget, Step, after
from gateway.route.target import split_sort
from gateway.wire.adapting import Adapted, adapt
from gateway.wire.api import APIS
from gateway.wire.body import rewrite

# No call waits longer than this for a rate limit to pass.
LONGEST_PAUSE_SECONDS = 5.0
TOO_MANY_REQUESTS = 429
# Seconds beyond a client's own timeout: it must be the one to give up.
PATIENCE_GRACE = 1.0
CANCELLED = "cancelled"

Failure = UpstreamError | Refusal


class Attempts:
    """Makes the attempts of a plan, and remembers what they taught."""

    def __init__(self, parts: Parts, rules: Rules, health: Health, succession: Succession) -> None:
        self._parts = parts
        self._succession = succession
        self._rules = rules
        self._health = health
        self._budget = RetryBudget(per_call=rules.retry_budget)
        self._now = parts.clock.now
        limits = rules.deadlines
        self._soonest = min(limits.connect, limits.first_byte, limits.idle, limits.total)

    async def first_to_answer(
        self, call: Call, journey: Journey, plan: Iterator[Step], dropped: frozenset[str]
    ) -> Opened:
        """The first good answer, or the last error reply worth passing on.

        Raises:
            GatewayError: no attempt brought a reply.
        """
        self._budget.called()
        failures: list[Failure] = []
        tried: set[str] = set()
        for step in plan:
            name = step.deployment.name
            if name in tried:
                continue
            if not self._affords(failures):
                break
            tried.add(name)
            try:
                return await self._attempt(call, journey, step, dropped)
            except (UpstreamError, Refusal) as failure:
                failures.append(failure)
            if not self._goes_on(call, failures[-1]):
                break
        if (again := self._pause_for(call, failures)) is not None:
            refusal, seconds = again
            began = self._now()
            await self._parts.pause(seconds)
            journey.waited += self._now() - began
            try:
                return await self._attempt(call, journey, refusal.opened.step, dropped)
            except (UpstreamError, Refusal) as failure:
                failures.append(failure)
        return self._given_up(failures)

    def _affords(self, failures: list[Failure]) -> bool:
        """Whether one more attempt is within the bounds; if it is a retry, it is paid for."""
        if not failures:
            return True
        return len(failures) < self._rules.max_attempts and self._budget.withdraw(self._now())

    def _time_left(self, call: Call) -> float:
        """Seconds until the caller's patience for a first byte is over."""
        wishes = call.wishes
        if wishes is NO_WISHES:
            return math.inf
        least = math.inf
        for limit in (wishes.deadline, wishes.ttft, wishes.patience):
            if limit is not None and limit < least:
                least = limit
        return least - (self._now() - call.arrived)

    def _goes_on(self, call: Call, failure: Failure) -> bool:
        if self._time_left(call) <= 0:
            return False
        if isinstance(failure, UpstreamError):
            return True
        named = _is_named(call, failure.opened.step)
        return after(failure.status, failure.code, named=named) is Next.NEXT

    def _pause_for(self, call: Call, failures: list[Failure]) -> tuple[Refusal, float] | None:
        """The rate-limited attempt that may be made again, and after how many seconds."""
        last = failures[-1] if failures else None
        if not isinstance(last, Refusal) or last.status != TOO_MANY_REQUESTS:
            return None
        wait = last.retry_after
        if wait is None or wait > LONGEST_PAUSE_SECONDS or last.code == "insufficient_quota":
            return None
        if wait >= self._time_left(call) or not self._affords(failures):
            return None
        return last, wait

    def _given_up(self, failures: list[Failure]) -> Opened:
        for failure in reversed(failures):
            if isinstance(failure, Refusal):
                return failure.opened
        if len(failures) == 1 and isinstance(failures[0], UpstreamError):
            raise failures[0]
        if failures:
            kinds = ", ".join(f.kind for f in failures if isinstance(f, UpstreamError))
            message = f"No deployment answered this call ({kinds})."
        else:
            message = "Every deployment that could answer this call is out of service."
        wait = math.ceil(self._health.retry_after(self._now()))
        raise UpstreamsExhausted(message, retry_after=wait)

    def _deadlines(self, call: Call) -> Deadlines:
        """The operator's deadlines, shortened to what the caller has left."""
        wishes, limits = call.wishes, self._rules.deadlines
        left = self._time_left(call)
        if left == math.inf:
            return limits
        passed = self._now() - call.arrived
        total, first = limits.total, limits.first_byte
        if wishes.deadline is not None:
            total = min(total, wishes.deadline - passed)
        if wishes.ttft is not None:
            first = min(first, wishes.ttft - passed)
        if wishes.patience is not None:
            # A client that gives up says so itself; an error of ours must not come before.
            patience = wishes.patience + PATIENCE_GRACE - passed
            first = min(first, patience)
            total = total if call.stream else min(total, patience)
        first = min(first, total)
        if left <= 0:
            message = "The caller's deadline passed before an upstream could answer."
            raise UpstreamTimeout(message)
        return Deadlines(limits.connect, first, limits.idle, total)

    async def _attempt(
        self, call: Call, journey: Journey, step: Step, dropped: frozenset[str]
    ) -> Opened:
        request = self._request(journey, step, dropped)
        journey.attempts += 1
        began = self._now()
        self._health.started(step.deployment, began, journey.expected(step.tier)[0])
        outcome = CANCELLED
        try:
            opened = await self._send(call, step, request)
            outcome = "ok"
        except UpstreamError as error:
            outcome = error.kind
            self._failed(step, outcome, self._now() - began)
            if outcome == UpstreamTimeout.kind:
                self._late(journey, step, self._now() - began)
            raise
        except Refusal as refusal:
            outcome = self._learn(refusal, step)
            raise
        finally:
            took = self._now() - began
            journey.tried(outcome, began, took)
            if outcome != "ok":
                self._unanswered(journey, step, outcome, began)
        opened.began, opened.ttft = began, took
        if opened.streamed is None:
            self._health.succeeded(step.deployment)
            if opened.usage is not None:
                self._health.answered(step.deployment, opened.usage, began, took)
            self._over(step, outcome, began, took)
        return opened

    def _request(self, journey: Journey, step: Step, dropped: frozenset[str]) -> Request:
        call = journey.call
        fitted = _fitted(call, step)
        journey.adapted = fitted.words
        body, deadlines = _body(call, step, fitted, dropped), self._deadlines(call)
        path, headers = APIS[call.api].path, journey.outgoing(step)
        return Request(step.deployment, path, headers, body, call.stream, deadlines)

    def _late(self, journey: Journey, step: Step, seconds: float) -> None:
        """An attempt was given up before its reply began: it would have taken longer."""
        if (seen := journey.assessment) is not None:
            _, tokens = journey.expected(step.tier)
            tokens = 0 if journey.call.stream else tokens
            self._health.late(step.deployment, seen.text_tokens, tokens, seconds)

    async def _send(self, call: Call, step: Step, request: Request) -> Opened:
        api = APIS[call.api]
        reply = await self._parts.upstream.send(request)
        with AbortOnFailure(reply):
            if call.stream:
                return await opening.stream(reply, step, api, call)
            return await opening.whole(reply, step, api, self._rules.max_reply)

    def streamed(self, opened: Opened, usage: Usage, outcome: str) -> None:
        """A stream that had begun is over."""
        deployment = opened.step.deployment
        seconds = self._now() - opened.began
        if outcome == "ok":
            self._health.succeeded(deployment)
            self._health.streamed(deployment, usage, opened.began, opened.ttft, seconds)
        elif outcome != CANCELLED:
            self._failed(opened.step, outcome, seconds)
            if outcome == UpstreamTimeout.kind:
                self._health.streamed(deployment, usage, opened.began, opened.ttft, seconds)
        self._over(opened.step, outcome, opened.began, seconds)

    def _failed(self, step: Step, outcome: str, seconds: float) -> None:
        """Count a failure, unless the caller's own haste was the reason.

        Otherwise a few callers with deadlines nobody can keep would open everyone's breakers. A
        timeout that came before any of the operator's deadlines was one of theirs.
        """
        if outcome != UpstreamTimeout.kind or seconds >= self._soonest:
            self._health.failed(step.deployment, self._now())

    def _over(self, step: Step, outcome: str, began: float, seconds: float) -> None:
        self._health.left(step.deployment, began)
        self._parts.recorder.attempted(Attempted(step.deployment.name, outcome, seconds))

    def _unanswered(self, journey: Journey, step: Step, outcome: str, began: float) -> None:
        """An attempt brought no reply."""
        self._over(step, outcome, began, self._now() - began)
        if outcome == CANCELLED:
            journey.left_behind(step, self._parts.catalog)

    def _learn(self, refusal: Refusal, step: Step) -> str:
        """Let an error reply count where it should; returns the attempt's outcome."""
        status, health, now = refusal.status, self._health, self._now()
        if refusal.code in NO_SUCH_MODEL and step.model == step.deployment.model.name:
            self._succession.gone(step.deployment)
        if status in KEY_IS_DEAD:
            health.rested(step.deployment, DEAD_KEY_SECONDS, now)
        elif status >= 500:
            health.failed(step.deployment, now)
        elif status != TOO_MANY_REQUESTS:
            health.succeeded(step.deployment)
        elif refusal.retry_after is not None:
            health.rested(step.deployment, refusal.retry_after, now)
        return refusal.opened.outcome


def _fitted(call: Call, step: Step) -> Adapted:
    """The call as the model takes it; whoever names a model means what he sends."""
    takes = step.deployment.parameters
    if takes.watched.isdisjoint(call.document) or _is_named(call, step):
        return Adapted(call.body, call.document)
    return adapt(call, takes)


def _is_named(call: Call, step: Step) -> bool:
    return step.model == split_sort(call.model)[0] or step.model in call.wishes.models


def _body(call: Call, step: Step, fitted: Adapted, dropped: frozenset[str]) -> bytes:
    api, takes = APIS[call.api], step.deployment.parameters
    model = step.deployment.upstream_model or step.model
    asks = api.asks_usage and call.stream and not call.wants_usage and takes.stream_options
    return rewrite(
        fitted.body,
        fitted.document,
        model=model if model != call.model else None,
        drop=dropped,
        include_usage=asks,
        max_tokens=step.max_tokens,
        limits=(*api.limits[1:], api.limits[0]) if takes.limit in api.limits[1:] else api.limits,
    )
