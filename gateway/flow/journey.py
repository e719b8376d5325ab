"""One call's books while it lives: what was decided, what it took, how it ended.

Everything the reply's `x-gateway-*` headers, the metrics and the log line say comes from here.
"""

from gateway.call import NO_USAGE, Assessment, Call, Usage
from gateway.catalog import Catalog, Model, Tier
from gateway.errors import GatewayError
from gateway.flow.opening import Opened
from gateway.flow.recall import Gathered
from gateway.flow.tallies import REMEMBER, SEND, STAGES
from gateway.holds import Grant
from gateway.money import FREE, NanoUSD
from gateway.ports import Ended
from gateway.route.plan import Step
from gateway.route.reasons import Choice


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
        "ended_at",
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
        self.ended_at = 0.0

    def passed(self, stage: int, now: float) -> None:
        """A stage is over; waiting is not its time."""
        self.spent[stage] += max(0.0, now - self.spent_at - self.waited + self.spent_waited)
        self.spent_at, self.spent_waited = now, self.waited

    def ready(self, now: float) -> None:
        """The reply's head can leave: what was not waiting until here was our overhead."""
        self.overhead = max(0.0, now - self.call.arrived - self.waited)
        self.passed(REMEMBER if self.cache in ("hit", "shared") else SEND, now)

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
        for candidate in self.choice.candidates if self.known and self.choice else ():
            if candidate.tier is tier:
                return candidate.total, int(candidate.completion)
        return 0.0, 0

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
        self.used(Usage(prompt, completion, estimated=True), step.deployment.model, catalog)

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
        choice = self.choice
        if choice is None:
            return ""
        reasons = choice.reasons
        if self.reason in ("escalated", "downgraded", "fallback"):
            reasons = (f"{choice.chosen.tier.label} was chosen and failed", *reasons)
        return "; ".join((*self.adapted, *reasons))

    def ended(self, now: float) -> Ended:
        """Close the books."""
        self.ended_at = now
        call, seen = self.call, self.assessment
        seconds = now - call.arrived
        return Ended(
            id=call.id,
            requested=call.model,
            tier=self.tier,
            model=self.model,
            response_model=self.response_model,
            reason=self.reason,
            outcome=self.outcome or "ok",
            status=self.status,
            stream=call.stream,
            cache=self.cache,
            usage=self.usage,
            cost=self.cost,
            saved=self.saved,
            attempts=self.attempts,
            seconds=seconds,
            ttft=self.ttft,
            overhead=self.overhead,
            prompt_tokens_estimate=seen.text_tokens if seen is not None else 0,
            score=self.score,
            upstream_request_id=self.upstream_id,
        )
