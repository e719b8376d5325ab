"""How much of a prompt an upstream still remembers, and so sells for a quarter.

As published: an exact prefix of an earlier prompt, from 1,024 tokens on, in steps of 128, per model
and account, for about ten minutes after it was last used. A conversation's next prompt begins with
its last one, so what its last call on a tier sent is what that tier remembers; prompts that only
begin alike (one system prompt, many users) share what the upstream last said they share.

What is predicted is a guess until the bill comes: how often it proves right is learnt per tier. No
prompt is read or kept here, only token counts. Times are epoch seconds and arguments.
"""

from collections import OrderedDict
from typing import NamedTuple

from gateway.catalog import Tier

FEWEST_TOKENS = 1_024
STEP_TOKENS = 128
KEPT_SECONDS = 600.0
MOST_BEGINNINGS = 4_096
# Nine of ten predicted tokens are cached, until the bills say otherwise; each moves this by 5 %.
FIRST_HIT_RATE, RATE = 0.9, 0.05

ByTier = tuple[int, int, int]


class Warm(NamedTuple):
    """A prefix of so many tokens, last used `at`."""

    tokens: int
    at: float


COLD = Warm(0, 0.0)
ALL_COLD = (COLD, COLD, COLD)


def remembered(warm: Warm, prompt: int, now: float) -> int:
    """How many of a prompt's tokens are cached, if it begins with that prefix."""
    tokens = min(warm.tokens, prompt)
    if tokens < FEWEST_TOKENS or now - warm.at > KEPT_SECONDS:
        return 0
    return tokens // STEP_TOKENS * STEP_TOKENS


class Prefixes:
    """What beginnings share, and how often predictions prove right; bounded."""

    __slots__ = ("_rates", "_shared", "limit")

    def __init__(self, limit: int = MOST_BEGINNINGS) -> None:
        self.limit = limit
        self._rates = [FIRST_HIT_RATE, FIRST_HIT_RATE, FIRST_HIT_RATE]
        self._shared: OrderedDict[str, tuple[Warm, Warm, Warm]] = OrderedDict()

    def predict(
        self,
        prompt: int,
        now: float,
        warm: tuple[Warm, Warm, Warm] = ALL_COLD,
        beginning: str | None = None,
    ) -> ByTier:
        """The tokens to expect cached on nano, mini and full.

        `warm` is what the conversation's own calls left; `beginning` names what this prompt begins
        with (a system prompt), if anything that others may share.
        """
        if prompt < FEWEST_TOKENS:
            return (0, 0, 0)
        shared = ALL_COLD if beginning is None else self._shared.get(beginning, ALL_COLD)
        if warm is ALL_COLD and shared is ALL_COLD:
            return (0, 0, 0)
        nano, mini, full = [
            int(rate * max(remembered(own, prompt, now), remembered(other, prompt, now)))
            for rate, own, other in zip(self._rates, warm, shared, strict=True)
        ]
        return nano, mini, full

    def learnt(
        self, tier: Tier, predicted: int, cached: int, now: float, beginning: str | None = None
    ) -> None:
        """A bill is in: of a prompt whose cached tokens were predicted, so many were."""
        if predicted:
            hit = min(1.0, cached * self._rates[tier] / predicted)
            self._rates[tier] += RATE * (hit - self._rates[tier])
        if beginning is None:
            return
        shared = list(self._shared.pop(beginning, ALL_COLD))
        shared[tier] = Warm(cached, now)
        self._shared[beginning] = shared[0], shared[1], shared[2]
        if len(self._shared) > self.limit:
            self._shared.popitem(last=False)
