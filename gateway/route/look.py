"""How a tier looks for a call: what it would cost, how long it would take, whether it fits.

The rule and the reasons of each check are elsewhere (`fit`, `latency`); here they are applied in
order, and only where something could speak against the tier.
"""

from dataclasses import dataclass
from math import exp
from typing import NamedTuple

from gateway.call import NO_WISHES, Assessment, Wishes
from gateway.catalog import Capability, Tier
from gateway.classify.images import tokens as image_tokens
from gateway.route.fit import SPENT, Ask, Goods, capped, held, needed, overpriced, unable
from gateway.route.latency import Speed, Total, first, spread_of, total
from gateway.route.outlook import Outlook
from gateway.route.reasons import Candidate
from gateway.route.weights import MIDDLE_LAMBDA, MU_PER_SECOND

# A tier that would do, if it were there; and how the refusal of one ends that time alone speaks
# against.
DOWN = "no deployment is up"
LATE = " sure)"

# A member looked up on its class takes ten times as long as a name of the module.
_NO_NEEDS = Capability.NONE
_UNKNOWN_SPEED = Speed(0.0, 0.0)
_NO_PRICE = (None, None)
NO_SHIFTS = (0.0, 0.0, 0.0)

Quality = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's part.

    `quality` is the dial when nobody sets one; `no_tools` are tiers barred from tools. A tier
    keeps a deadline if it does so with `confidence`; a call that no tier keeps even with `hope` is
    refused. `shifts` are points of quality (nano, mini, full) by which the models behind the tiers
    are better or worse than those the predictions were learnt from.

    `doubling` is λ at the dial's middle and `second` μ (`gateway.route.weights`); `acceptable` is
    the least predicted quality that the cheapest may have. `sticky`: conversations keep their tier;
    `pacing`: budgets steer before they stop.
    """

    quality: float = 0.5
    no_tools: frozenset[Tier] = frozenset({Tier.NANO})
    confidence: float = 0.95
    hope: float = 0.05
    shifts: tuple[float, float, float] = NO_SHIFTS
    doubling: float = MIDDLE_LAMBDA
    second: float = MU_PER_SECOND
    acceptable: float = 0.35
    sticky: bool = True
    pacing: bool = True


class Checked(NamedTuple):
    """What was found: a refusal ("" if none), each answer's limit, and as in `Candidate`."""

    refused: str
    clamp: int | None
    worst: int
    within: float
    latest: float


class Look:
    """Looks at one tier after another for one call."""

    __slots__ = ("capped", "needs", "outlook", "policy", "quality", "seen", "wishes")

    def __init__(
        self,
        seen: Assessment,
        wishes: Wishes,
        outlook: Outlook,
        policy: Policy,
        *,
        routed: bool,
    ) -> None:
        self.seen = seen
        self.wishes = wishes
        self.outlook = outlook
        self.policy = policy
        # As a number: combining and searching flags takes a microsecond each time.
        self.needs = seen.needs.value if routed and seen.needs is not _NO_NEEDS else 0
        self.quality = seen.quality
        if policy.shifts is not NO_SHIFTS:
            self.quality = shifted(seen.quality, policy.shifts)
        self.capped = wishes is not NO_WISHES or outlook.left is not None

    def at(self, of: Goods) -> Candidate:
        """How a tier looks."""
        seen = self.seen
        speeds, length, cached_by_tier, _, _, choices, _ = self.outlook
        tier, model, name, for_prompt, for_cached, for_completion, window, longest, _, _ = of
        prompt, (low, high) = seen.text_tokens, seen.text_bounds
        if seen.images:
            images = sum([image_tokens(model, image) for image in seen.images])
            prompt, low, high = prompt + images, low + images, high + images
        most, limit = longest * choices, seen.max_completion
        most = most if limit is None else min(most, limit)
        completion = seen.completion_tokens if length is None else length.expected[tier]
        if completion > most:
            completion = most
        cost = prompt * for_prompt + int(completion * for_completion)
        if cached := cached_by_tier[tier]:
            cached = min(cached, prompt)
            cost -= cached * (for_prompt - for_cached)
        worst = high * for_prompt + most * for_completion
        speed = speeds.get(tier)
        ttft, per_token, _, _ = speed or _UNKNOWN_SPEED
        expected = ttft + completion * per_token / choices
        refused, clamp, within, latest = "", None, 1.0, 0.0
        if self.needs or self.capped or speed is None or low > window:
            long = completion if length is None else length.high[tier]
            ask = Ask(low, high, completion, long, most, choices)
            refused, clamp, worst, within, latest = self._checked(of, ask, speed, worst)
        # By position: names would take longer than the fields.
        return Candidate(
            tier,
            name,
            self.quality[tier],
            cost,  # type: ignore[arg-type]  # nano-dollars; saying so takes 0.1 µs, thrice a call
            ttft,
            expected,
            refused,
            clamp,
            worst,  # type: ignore[arg-type]  # as above
            within,
            cached,
            completion,
            latest,
        )

    def _checked(self, of: Goods, ask: Ask, speed: Speed | None, worst: int) -> Checked:
        """What speaks against a tier, or what the caller's limits do to it."""
        refused, clamp = self._fits(of, ask)
        if refused:
            if refused != SPENT and self.wishes.max_cost is not None:
                worst = needed(of, ask, clamp=self.outlook.clamp)
            return Checked(refused, None, worst, 0.0, 0.0)
        if clamp is not None:
            worst = ask.high * of.prompt + clamp * ask.choices * of.completion
        if speed is None:
            return Checked(DOWN, clamp, worst, 0.0, 0.0)
        deadline, ttft = self.wishes.deadline, self.wishes.ttft
        within, latest, words = 1.0, 0.0, ""
        if deadline is not None:
            whole = self._total(speed, ask)
            within, latest = whole.within(deadline), whole.high()
            if within < self.policy.confidence:
                expected = speed.ttft + ask.completion * speed.per_output_token / ask.choices
                words = f"needs {expected:.3g} s of {deadline:.3g} s"
        if ttft is not None and (soon := first(speed).within(ttft)) < within:
            within = soon
            if within < self.policy.confidence:
                words = f"first byte after {speed.ttft:.3g} s of {ttft:.3g} s"
        if words and within > 0.0:
            words = f"{words} ({within:.0%}{LATE}"
        return Checked(words, clamp, worst, within, latest)

    def _fits(self, of: Goods, ask: Ask) -> tuple[str, int | None]:
        """What speaks against a tier beside its time, or what each answer must be cut to."""
        if self.needs and (refused := unable(of, self.needs)):
            return refused, None
        if ask.low > of.window:
            return f"prompt over its {of.window:,}-token window", None
        if not self.capped:
            return "", None
        wishes, outlook = self.wishes, self.outlook
        if wishes.max_price != _NO_PRICE and overpriced(of, wishes):
            return "price over the caller's maximum", None
        refused, clamp = "", None
        if (cap := wishes.max_cost) is not None:
            refused, clamp = capped(of, ask, cap, clamp=outlook.clamp)
        if outlook.left is None or refused:
            return refused, clamp
        if clamp is not None:
            ask = ask._replace(most=clamp * ask.choices)
        refused, lower = held(of, ask, outlook.left, clamp=outlook.clamp)
        return refused, clamp if lower is None else lower

    def _total(self, speed: Speed, ask: Ask) -> Total:
        """The time until the answers are whole."""
        length, median, spread = self.outlook.length, ask.completion, 0.0
        if length is not None:
            median *= exp(-length.spread * length.spread / 2)
            spread = spread_of(median, min(ask.long, ask.most))
        return total(speed, median / ask.choices, spread)


def too_late(seen: Candidate) -> bool:
    """Whether nothing but its time speaks against a tier."""
    return " s of " in seen.refused


def shifted(quality: Quality, shifts: Quality) -> Quality:
    """Predicted qualities, moved by what is known of the models behind the tiers."""
    pairs = zip(quality, shifts, strict=True)
    nano, mini, full = [min(1.0, max(0.0, q + shift)) for q, shift in pairs]
    return nano, mini, full
