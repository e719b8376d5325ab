"""What a choice consists of, and its reasons: codes for metrics, words for people."""

from typing import NamedTuple

from gateway.call import Assessment
from gateway.catalog import Catalog, Tier
from gateway.errors import ContextLengthExceeded, Infeasible
from gateway.money import FREE, NanoUSD
from gateway.route.target import Target


class Candidate(NamedTuple):
    """A tier as it looked: `cost` is expected nano-dollars, times are expected seconds.

    `refused` says in words why it could not be chosen ("" if it could). `max_tokens` is what a
    cost cap leaves for each answer (None: no clamp is needed). `worst` is what the call can cost
    at most, and so what must be held for it. `within` is the chance to keep the caller's time
    limits, `cached` and `completion` are the tokens the cost counts on, `spread` that of the
    completion's logarithm.
    """

    tier: Tier
    model: str
    quality: float
    cost: NanoUSD
    ttft: float
    total: float
    refused: str = ""
    max_tokens: int | None = None
    worst: NanoUSD = FREE
    within: float = 1.0
    cached: int = 0
    completion: float = 0.0
    latest: float = 0.0


class Choice(NamedTuple):
    """The chosen candidate, all candidates, the reason's code for metrics, and the words.

    `cost_weight` (λ) is the quality that a doubling of the cost had to buy, `time_weight` (μ) what
    a second had to, `price` (ν) what a nano-dollar had to so that an allowance lasts; zeros where
    nothing was weighed. `dial` is what λ comes from.
    """

    chosen: Candidate
    candidates: tuple[Candidate, ...]
    code: str
    reasons: tuple[str, ...]
    cost_weight: float = 0.0
    time_weight: float = 0.0
    price: float = 0.0
    dial: float | None = None
    middle: float = 0.0


def only(
    chosen: Candidate, candidates: tuple[Candidate, ...], target: Target, signals: tuple[str, ...]
) -> Choice:
    """The choice where there was nothing to choose between, and what left it so."""
    if not target.routed:
        words = "the caller named the model" if target.model else "the caller named the tier"
        code = "pinned" if target.model else "tier"
        return Choice(chosen, candidates, code, (words,))
    reasons = tuple(f"{c.tier.label}: {c.refused}" for c in candidates if c.refused)
    return Choice(chosen, candidates, _code_of_refusals(candidates), reasons + signals)


def _code_of_refusals(candidates: tuple[Candidate, ...]) -> str:
    refusals = " ".join(c.refused for c in candidates)
    for word, code in (
        ("tools", "capability"),
        ("cannot", "capability"),
        ("window", "context"),
        ("permitted", "permission"),
        ("allowance", "allowance"),
        ("cap", "cost_cap"),
        ("price", "cost_cap"),
        (" s of ", "deadline"),
        ("up", "fallback"),
    ):
        if word in refusals:
            return code
    return "only"


def why(best: Candidate, smallest: Candidate, highest: float) -> tuple[str, str]:
    """The code and the words for the best of several that fit."""
    if best is smallest:
        missed = highest - best.quality
        return "adequate", f"a larger model promises only {missed:+.2f} quality"
    gain = best.quality - smallest.quality
    return "quality", f"{best.tier.label} promises {gain:+.2f} quality over {smallest.tier.label}"


def refusal(
    candidates: tuple[Candidate, ...], seen: Assessment, catalog: Catalog
) -> ContextLengthExceeded | Infeasible:
    """The error that tells the caller why nothing fits, with the figures."""
    if candidates and all("window" in c.refused for c in candidates):
        window = max(catalog.models_by_tier[c.tier].context_window for c in candidates)
        message = (
            f"This model's maximum context length is {window} tokens. However, your messages "
            f"resulted in at least {seen.text_bounds[0]} tokens. Please reduce the length of the "
            "messages."
        )
        return ContextLengthExceeded(message, param="messages")
    listed = "; ".join(f"{c.tier.label}: {c.refused}" for c in candidates)
    return Infeasible(f"No tier can answer this call within its limits ({listed}).")
