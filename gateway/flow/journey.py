"""One call's books while it lives: what was decided, what it took, how it ended.

Everything the reply's `x-gateway-*` headers, the metrics and the log line say comes from here.
"""

from urllib.parse import urlsplit

from gateway.call import NO_USAGE, NO_WISHES, Assessment, Call, Headers, Usage
from gateway.catalog import Catalog, Model, Tier
from gateway.ended import Ended
from gateway.errors import GatewayError
from gateway.flow.decisions import Decision
from gateway.flow.opening import Opened
from gateway.flow.recall import Gathered
from gateway.flow.tallies import REMEMBER, SEND, STAGES
from gateway.holds import Grant
from gateway.money import FREE, NanoUSD
from gateway.prices import service_named
from gateway.route.plan import Step
from gateway.route.reasons import Candidate, Choice
from gateway.spans import Try

# No real name of a model comes near; longer ones must not fill the memory.
MOST_NAME = 1_024
# A call may bring thousands; these are remembered after it.
MOST_IMAGES = 16
CHOSEN_FAILED = ("escalated", "downgraded", "fallback")


class Journey:
    """Mutable and private to one call; money is nano-dollars, times monotonic seconds."""

    __slots__ = (
        "adapted",
        "assessment",
        "attempts",
        "cache",
        "cache_note",
        "call",
        "choice",
        "cost",
        "deployment",
        "grant",
        "known",
        "model",
        "outcome",
        "overhead",
        "quality",
        "reason",
        "response_model",
        "saved",
        "score",
        "spent",
        "spent_at",
        "spent_waited",
        "status",
        "tier",
        "ttft",
        "upstream_id",
        "usage",
        "waited",
    )

    def __init__(self, call: Call, spent: list[float] | None = None) -> None:
        """`spent` is where the seconds of its stages are added up."""
        self.call = call
        self.spent = [0.0] * len(STAGES) if spent is None else spent
        self.spent_at = call.arrived
        self.spent_waited = 0.0
        self.assessment: Assessment | None = None
        self.choice: Choice | None = None
        self.tier: Tier | None = None
        self.model = ""
        self.response_model = ""
        self.reason = "none"
        self.cache = "bypass"
        self.cache_note = ""
        self.usage: Usage = NO_USAGE
        self.cost: NanoUSD = FREE
        self.saved: NanoUSD = FREE
        self.attempts = 0
        self.adapted: tuple[str, ...] = ()
        self.grant: Grant | None = None
        self.known: Gathered | None = None
        self.waited = 0.0
        self.ttft = 0.0
        self.status = 0
        self.outcome = ""
        self.score = 0.0
        self.quality: tuple[float, float, float] = (0.0, 0.0, 0.0)
        self.upstream_id = ""
        self.overhead = 0.0
        self.deployment = ""

    def passed(self, stage: int, now: float) -> None:
        """A stage is over; waiting is not its time."""
        self.spent[stage] += max(0.0, now - self.spent_at - self.waited + self.spent_waited)
        if (trace := self.call.trace) is not None:
            trace.passed(stage, self.spent_at, now)
        self.spent_at, self.spent_waited = now, self.waited

    def ready(self, now: float) -> None:
        """The reply's head can leave: what was not waiting until here was our overhead."""
        self.overhead = max(0.0, now - self.call.arrived - self.waited)
        self.passed(REMEMBER if self.cache in ("hit", "shared") else SEND, now)

    def outgoing(self, step: Step) -> Headers:
        """The headers of an attempt; a traced one is the parent of what the far side does."""
        call, trace = self.call, self.call.trace
        if trace is None:
            return call.headers
        deployment = step.deployment
        address = urlsplit(deployment.base_url).hostname or ""
        return trace.outgoing(call.headers, Try(deployment.name, step.model, address))

    def tried(self, outcome: str, began: float, took: float) -> None:
        """An attempt brought a reply, or none: until now we waited."""
        self.waited += took
        if (trace := self.call.trace) is not None:
            goes_on = self.call.stream and outcome == "ok"
            trace.tried(outcome, began, None if goes_on else began + took)

    def assessed(self, assessment: Assessment) -> None:
        """The prompt was looked at."""
        self.assessment = assessment
        self.score = assessment.score
        self.quality = assessment.quality

    def chose(self, choice: Choice) -> None:
        """The tier is chosen."""
        chosen = choice.chosen
        self.choice = choice
        self.reason = choice.code
        self.tier, self.model, self.cost = chosen.tier, chosen.model, chosen.cost

    def expected(self, tier: Tier) -> tuple[float, int]:
        """Seconds and answer's tokens that a tier was expected to take; zeros if not looked at."""
        candidate = self._candidate(tier)
        return (candidate.total, int(candidate.completion)) if candidate is not None else (0.0, 0)

    def _candidate(self, tier: Tier | None) -> Candidate | None:
        """A tier as it looked, if it was looked at."""
        if self.known is not None and self.choice is not None:
            for candidate in self.choice.candidates:
                if candidate.tier is tier:
                    return candidate
        return None

    def _in_time(self, seconds: float) -> bool | None:
        """Whether the caller's limits of time were kept; None without any, or if it left."""
        wishes, outcome = self.call.wishes, self.outcome
        unlimited = wishes.deadline is None and wishes.ttft is None
        if unlimited or outcome.startswith(("caller_", "policy_")):
            return None
        first = self.overhead + self.waited
        late = (wishes.deadline is not None and seconds > wishes.deadline) or (
            wishes.ttft is not None and first > wishes.ttft
        )
        return not (late or outcome)

    def answered_by(self, opened: Opened) -> None:
        """A deployment's answer has begun."""
        step, choice = opened.step, self.choice
        if choice is not None and step.tier is not choice.chosen.tier:
            self.reason = "escalated" if step.tier > choice.chosen.tier else "downgraded"
        elif self.attempts > 1:
            self.reason = "fallback"
        self.tier, self.model = step.tier, step.model
        if step.deployment.instead_of:
            self.adapted += (f"{step.model} in place of {step.deployment.instead_of}",)
        self.deployment = step.deployment.name
        self.response_model = opened.model
        self.ttft = opened.ttft
        for name, value in opened.headers:
            if name == b"x-request-id":
                self.upstream_id = value.decode("latin-1")

    def refused(self, outcome: str) -> None:
        """The upstream's error reply is passed on."""
        self.outcome = outcome
        self.cost = FREE

    def used(self, usage: Usage, model: Model, catalog: Catalog) -> None:
        """The upstream's count is in: charge it, and note what always-full would have cost."""
        self.usage = usage
        self.cost = usage.cost(model.price)
        dearest = catalog.models_by_tier[max(catalog.tiers)]
        self.saved = NanoUSD(usage.cost(dearest.price) - self.cost)

    def left_behind(self, step: Step, catalog: Catalog) -> None:
        """Everybody left while an upstream was at work, which will be paid all the same.

        Charged is what was expected of it; of a stream that had not begun, the prompt alone.
        """
        seen = self.assessment
        prompt = seen.text_tokens if seen is not None else len(self.call.body) // 4
        completion = 0 if self.call.stream else self.expected(step.tier)[1]
        self.tier, self.model = step.tier, step.model
        usage = guessed(self.call, prompt, completion)
        self.used(usage, step.deployment.model, catalog)

    def failed(self, error: GatewayError) -> None:
        """The call ends with an error of ours."""
        self.stopped(error.kind)
        self.status = error.status

    def stopped(self, outcome: str) -> None:
        """The call ends before its answer left: what was only expected to be spent was not."""
        self.outcome = outcome
        if self.usage is NO_USAGE:
            self.cost = FREE

    def words(self) -> str:
        """The reasons in one line, for the header."""
        if self.choice is None:
            return ""
        return "; ".join((*self.adapted, *reasons(self.choice, self.reason)))

    def decided(self, ended: Ended, at: float) -> Decision:
        """What is told of the call later; `at` is epoch seconds."""
        call, seen = self.call, self.assessment
        if seen is not None and len(seen.images) > MOST_IMAGES:
            seen = seen._replace(images=seen.images[:MOST_IMAGES])
        return Decision(
            ended,
            at,
            call.api,
            self.deployment,
            call.principal,
            call.wishes,
            seen,
            self.choice,
            self.adapted,
        )

    def ended(self, now: float) -> Ended:
        """Close the books."""
        call, seen = self.call, self.assessment
        seconds = now - call.arrived
        shared = self.cache in ("hit", "shared")
        # By position: names would take longer than the fields.
        return Ended(
            call.id,
            call.model[:MOST_NAME],
            self.tier,
            self.model,
            self.response_model[:MOST_NAME],
            self.reason,
            self.outcome or "ok",
            self.status,
            call.stream,
            self.cache,
            self.usage,
            self.cost,
            self.saved,
            self.attempts,
            seconds,
            self.ttft,
            self.overhead,
            seen.text_tokens if seen is not None else 0,
            self.score,
            self.upstream_id,
            None if shared else self._candidate(self.tier),
            None if call.wishes is NO_WISHES else self._in_time(seconds),
            call.trace,
        )


def guessed(call: Call, prompt: int, completion: int) -> Usage:
    """What was used where the upstream does not say: processed as the call asked for."""
    service = service_named(call.looked_at().get("service_tier"))
    return Usage(prompt, completion, estimated=True, service=service)


def reasons(choice: Choice, reason: str) -> tuple[str, ...]:
    """Why a call went where it went, in words; `reason` is the code it ended with."""
    if reason not in CHOSEN_FAILED:
        return choice.reasons
    return (f"{choice.chosen.tier.label} was chosen and failed", *choice.reasons)
