"""Whether a tier fits a call, in words where it does not: capability, price, caps.

A cost cap is kept by the worst case: the prompt's upper bound, and every token that the answers may
have. Where that is over the cap and answers may be cut, their limit is lowered, to no less than
what is expected; otherwise the tier is refused. What an allowance still holds is treated alike, but
more generously: a limit is lowered early, so that calls side by side find something left to hold,
and never into what answers usually need.
"""

from typing import NamedTuple

from gateway.call import Wishes
from gateway.catalog import Capability, Model, Tier
from gateway.money import NanoUSD, spell
from gateway.prices import Manner

# An answer shorter than this is no answer: a cost cap that allows less refuses the tier.
MIN_AFFORDABLE_TOKENS = 16
# A call sets aside a sixteenth of what is left of its allowances, or what twice the length that 19
# of 20 such answers stay below would cost. Measured: a worst case of 32,768 tokens on the full tier
# is a sixth of an allowance of a thousand calls, and a burst of ten would be refused.
SHARE, GENEROUS = 16, 2.0

# What the ledger may still let pass.
SPENT = "over what is left of the allowance"

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


class Goods(NamedTuple):
    """A tier as choosing needs it: its model's figures, looked up once.

    `capabilities` are bits; `barred` says that it is not trusted with tools.
    """

    tier: Tier
    model: Model
    name: str
    prompt: NanoUSD
    cached: NanoUSD
    completion: NanoUSD
    window: int
    max_output: int
    capabilities: int
    barred: bool


def goods(tier: Tier, model: Model, *, barred: bool) -> Goods:
    """Look a tier's figures up."""
    price = model.price
    return Goods(
        tier,
        model,
        model.name,
        price.prompt,
        price.cached,
        price.completion,
        model.context_window,
        model.max_output,
        model.capabilities.value,
        barred,
    )


def in_manner(goods: Goods, manner: Manner) -> Goods:
    """The tier at the most it may cost a call that is not like others."""
    rates = goods.model.price.bound(manner)
    cached = min(goods.cached, rates.prompt)
    return goods._replace(prompt=rates.prompt, cached=cached, completion=rates.completion)


class Ask(NamedTuple):
    """The tokens a call may take of a tier.

    Of its prompt, within `low` and `high`; of all its answers together, as expected, as 19 of 20
    stay below (`long`), and the most; there are `choices` of them.
    """

    low: int
    high: int
    completion: float
    long: float
    most: int
    choices: int


def unable(goods: Goods, needs: int) -> str:
    """What a routed call needs and the tier's model cannot do; "" if it can."""
    if goods.barred and needs & _TOOLS:
        return "not trusted with tools"
    missing = needs & ~goods.capabilities
    if not missing:
        return ""
    words = [words for need, words in NAMES_OF_NEEDS.items() if need.value & missing]
    return f"cannot do {', '.join(words)}"


def overpriced(goods: Goods, wishes: Wishes) -> bool:
    """Whether a token costs more than the caller will pay."""
    prompt, completion = wishes.max_price
    return (prompt is not None and goods.prompt > prompt) or (
        completion is not None and goods.completion > completion
    )


def capped(goods: Goods, ask: Ask, cap: NanoUSD, *, clamp: bool) -> tuple[str, int | None]:
    """Whether the worst case stays within a cap, if need be with each answer cut to so many tokens.

    Returns:
        The refusal in words ("" if it fits), and each answer's limit (None: none is needed).
    """
    tokens = affordable(goods, ask, cap)
    if tokens >= ask.most:
        return "", None
    cost = needed(goods, ask, clamp=clamp)
    if clamp and cost <= cap:
        return "", tokens // ask.choices
    return f"{'expected' if clamp else 'up to'} ${spell(cost)} is over the ${spell(cap)} cap", None


def needed(goods: Goods, ask: Ask, *, clamp: bool) -> NanoUSD:
    """The least cap that lets a tier answer: as expected, or (not to be cut) the worst case."""
    tokens = ask.most
    if clamp:
        tokens = min(int(max(ask.completion, MIN_AFFORDABLE_TOKENS * ask.choices)), ask.most)
    return NanoUSD(ask.high * goods.prompt + tokens * goods.completion)


def held(goods: Goods, ask: Ask, left: NanoUSD, *, clamp: bool) -> tuple[str, int | None]:
    """The same for what is left of the allowances."""
    shared = affordable(goods, ask, NanoUSD(left // SHARE))
    if shared >= ask.most:
        return "", None
    tokens = affordable(goods, ask, left)
    if tokens < (min(ask.long, ask.most) if clamp else ask.most):
        return SPENT, None
    if not clamp:
        return "", None
    tokens = min(tokens, max(shared, int(GENEROUS * ask.long)))
    return "", max(1, tokens // ask.choices) if tokens < ask.most else None


def affordable(goods: Goods, ask: Ask, sum_: NanoUSD) -> int:
    """How many completion tokens a sum pays for beside the prompt; may be negative."""
    left = sum_ - ask.high * goods.prompt
    if goods.completion:
        return left // goods.completion
    return ask.most if left >= 0 else -1
