"""Choosing a tier: among those that fit, the best of quality − λ·log₂(cost) − μ·time.

Each doubling of the price must buy the same gain in quality. Taken as it is, cost would make the
step from nano to mini look free beside full's price, and calls would drift to mini on the noise of
the predictions; and one λ would not serve short and long calls alike. A tier fits when its window
holds the prompt, its model can do what the call needs, a deployment of it is up, and the caller's
caps hold. What does not fit is kept as a candidate with the reason, so that every choice can be
explained.

The same inputs give the same choice; nothing here knows the time or draws a number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2
from typing import NamedTuple

from gateway.call import NO_WISHES, Assessment, Sort, Wishes
from gateway.catalog import Capability, Catalog, Model, Tier
from gateway.classify.images import tokens as image_tokens
from gateway.money import FREE, NanoUSD, spell
from gateway.route.reasons import Candidate, Choice, only, refusal, why
from gateway.route.target import Target

# λ at the dial's middle, for one doubling of the cost: from nano to mini (four times the price) a
# call must gain 8 points, from mini to full (five times) 10. Greetings and labels stay below that
# in every language tried, proofs and races are above.
MIDDLE_LAMBDA = 0.042
# μ: a second is worth a quarter of a point of quality; speed breaks ties, it does not decide.
MU_PER_SECOND = 0.0025
# A dial at 0 means cheapest: no gain outweighs this.
CHEAPEST_LAMBDA = 1e6
# Below this predicted quality a tier is not "acceptable" to `auto:floor`.
FLOOR_QUALITY = 0.35
# An answer shorter than this is no answer: a cost cap that allows less refuses the tier.
MIN_AFFORDABLE_TOKENS = 16

# A tier that would do, if it were there.
DOWN = "no deployment is up"

NAMES_OF_NEEDS = {
    Capability.TOOLS: "tools",
    Capability.PARALLEL_TOOLS: "parallel tool calls",
    Capability.JSON_SCHEMA: "JSON schema",
    Capability.VISION: "images",
    Capability.AUDIO: "audio",
    Capability.LOGPROBS: "log-probabilities",
    Capability.REASONING: "reasoning effort",
}


# A member looked up on its class takes ten times as long as a name of the module.
_TOOLS = Capability.TOOLS.value
_NO_NEEDS = Capability.NONE
_BALANCED, _FLOOR, _NITRO = Sort.BALANCED, Sort.FLOOR, Sort.NITRO


class Speed(NamedTuple):
    """What a tier's best deployment is expected to do with this call, in seconds."""

    ttft: float
    per_output_token: float


_UNKNOWN_SPEED = Speed(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's part: the dial when the caller sets none, and tiers barred from tools."""

    quality: float = 0.5
    no_tools: frozenset[Tier] = frozenset({Tier.NANO})


def needs_exact_count(assessment: Assessment, wishes: Wishes, catalog: Catalog) -> bool:
    """Whether the prompt's bounds leave a decision open, so that its tokens must be counted."""
    low, high = assessment.text_bounds
    if low == high:
        return False
    if wishes.max_cost is not None:
        return True
    return any(low <= model.context_window < high for _, model in catalog.models())


def choose(
    assessment: Assessment,
    target: Target,
    wishes: Wishes,
    *,
    catalog: Catalog,
    speeds: Mapping[Tier, Speed],
    policy: Policy,
) -> Choice:
    """Choose a tier; `speeds` holds the tiers with a deployment that may be called now.

    Raises:
        ContextLengthExceeded: the prompt fits no window in reach.
        Infeasible: the caller's own limits leave nothing; the message gives the figures.
    """
    look = _Look(assessment, wishes, policy, routed=target.routed)
    models = catalog.models_by_tier
    candidates = tuple(
        [look.at(tier, models[tier], speeds.get(tier)) for tier in target.tiers if tier in models]
    )
    fitting = [c for c in candidates if not c.refused]
    if not fitting:
        # What only rests is no fault of the caller's: the plan decides what becomes of it.
        fitting = [c for c in candidates if c.refused == DOWN][:1]
    if not fitting:
        raise refusal(candidates, assessment, catalog)
    if len(fitting) == 1 or not target.routed:
        return only(fitting[0], candidates, target, assessment.signals)
    return _best(fitting, candidates, target, wishes, policy, assessment)


def taken_by_name(target: Target, catalog: Catalog) -> Choice:
    """What the caller chose by name, without looking at the call."""
    tier = target.tiers[0]
    model = catalog.models_by_tier[tier]
    chosen = Candidate(tier, target.model or model.name, 0.0, FREE, 0.0, 0.0)
    return only(chosen, (chosen,), target, ())


def keep_to(choice: Choice, tier: Tier) -> Choice:
    """The choice for a conversation that stays on a tier, if that tier fits."""
    if tier is choice.chosen.tier:
        return choice
    words = (f"the conversation stays on {tier.label}", *choice.reasons)
    stays = [c for c in choice.candidates if c.tier is tier and not c.refused]
    return Choice(stays[0], choice.candidates, "sticky", words) if stays else choice


class _Look:
    """Looks at one tier after another for one call."""

    __slots__ = ("bars_tools", "capped", "needs", "policy", "seen", "wishes")

    def __init__(
        self, assessment: Assessment, wishes: Wishes, policy: Policy, *, routed: bool
    ) -> None:
        self.seen = assessment
        self.wishes = wishes
        self.policy = policy
        self.capped = wishes is not NO_WISHES
        # As a number: combining and searching flags takes a microsecond each time.
        self.needs = 0
        self.bars_tools = False
        if routed and assessment.needs is not _NO_NEEDS:
            self.needs = assessment.needs.value
            self.bars_tools = self.needs & _TOOLS != 0

    def at(self, tier: Tier, model: Model, speed: Speed | None) -> Candidate:
        prompt, (low, high), completion, _, _, quality, _, _, pictures = self.seen
        if pictures:
            images = sum([image_tokens(model, image) for image in pictures])
            prompt, low, high = prompt + images, low + images, high + images
        if completion > model.max_output:
            completion = model.max_output
        price = model.price
        cost = NanoUSD(prompt * price.prompt + completion * price.completion)
        ttft, per_token = _UNKNOWN_SPEED if speed is None else speed
        total = ttft + completion * per_token
        refused, clamp = "", None
        if self.needs:
            refused = self._unable(tier, model)
        if not refused and low > model.context_window:
            refused = f"prompt over its {model.context_window:,}-token window"
        if self.capped and not refused:
            refused, clamp = self._capped(model, high, ttft, total)
        if not refused and speed is None:
            refused = DOWN
        return Candidate(tier, model.name, quality[tier], cost, ttft, total, refused, clamp)

    def _unable(self, tier: Tier, model: Model) -> str:
        if self.bars_tools and tier in self.policy.no_tools:
            return "not trusted with tools"
        missing = self.needs & ~model.capabilities.value
        if not missing:
            return ""
        words = [words for need, words in NAMES_OF_NEEDS.items() if need.value & missing]
        return f"cannot do {', '.join(words)}"

    def _capped(
        self, model: Model, prompt: int, ttft: float, total: float
    ) -> tuple[str, int | None]:
        wishes = self.wishes
        if wishes.deadline is not None and total > wishes.deadline:
            return f"needs {total:.3g} s of {wishes.deadline:.3g} s", None
        if wishes.ttft is not None and ttft > wishes.ttft:
            return f"first byte after {ttft:.3g} s of {wishes.ttft:.3g} s", None
        most_prompt, most_completion = wishes.max_price
        if (most_prompt is not None and model.price.prompt > most_prompt) or (
            most_completion is not None and model.price.completion > most_completion
        ):
            return "price over the caller's maximum", None
        if wishes.max_cost is None:
            return "", None
        return self._affordable(model, prompt, wishes.max_cost)

    def _affordable(self, model: Model, prompt: int, cap: NanoUSD) -> tuple[str, int | None]:
        seen = self.seen
        left = cap - prompt * model.price.prompt
        tokens = left // model.price.completion if model.price.completion else model.max_output
        wanted = min(seen.max_completion or model.max_output, model.max_output)
        if tokens >= wanted:
            return "", None
        if tokens < min(max(seen.completion_tokens, MIN_AFFORDABLE_TOKENS), wanted):
            needed = prompt * model.price.prompt + seen.completion_tokens * model.price.completion
            return f"expected ${spell(needed)} is over the ${spell(cap)} cap", None
        return "", tokens


def dial_lambda(dial: float) -> float:
    """The weight of a doubling of cost for a dial from 0 (cheapest) to 1 (best)."""
    if dial <= 0:
        return CHEAPEST_LAMBDA
    return MIDDLE_LAMBDA * (1 - dial) / dial


def _best(
    fitting: list[Candidate],
    candidates: tuple[Candidate, ...],
    target: Target,
    wishes: Wishes,
    policy: Policy,
    seen: Assessment,
) -> Choice:
    sort = target.sort if target.sort is not _BALANCED else wishes.sort
    if sort is _FLOOR:
        acceptable = [c for c in fitting if c.quality >= FLOOR_QUALITY] or fitting[-1:]
        chosen = min(acceptable, key=lambda c: c.cost)
        return Choice(chosen, candidates, "floor", ("cheapest acceptable", *seen.signals))
    if sort is _NITRO:
        chosen = min(fitting, key=lambda c: c.total)
        return Choice(chosen, candidates, "nitro", ("fastest", *seen.signals))
    dial = policy.quality if wishes.quality is None else wishes.quality
    weight = dial_lambda(dial)
    best, most, highest = fitting[0], -1e12, 0.0
    for candidate in fitting:
        quality = candidate.quality
        worth = quality - weight * log2(candidate.cost + 1) - MU_PER_SECOND * candidate.total
        if worth > most:
            best, most = candidate, worth
        if quality > highest:
            highest = quality
    code, words = why(best, fitting[0], highest)
    if len(fitting) == len(candidates):
        return Choice(best, candidates, code, (words, *seen.signals))
    refused = [f"{c.tier.label}: {c.refused}" for c in candidates if c.refused]
    return Choice(best, candidates, code, (words, *seen.signals, *refused))
