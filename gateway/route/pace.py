"""How fast a deployment answers, learnt online from a prior.

    TTFT(prompt)  = prior(prompt) × exp(correction of its size class)
    total         = TTFT + completion × seconds per token

Corrections are exponentially weighted means of log(observed / prior), so a slow outlier counts as
one doubling, not as its seconds; a size class that has seen nothing follows the overall one.
Priors are the published speeds of the tier's role.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass

from gateway.catalog import Tier


@dataclass(frozen=True, slots=True)
class Prior:
    """Seconds: to the first token of a short prompt, more per prompt token, per output token."""

    ttft: float
    per_prompt_token: float
    per_output_token: float


# Published: 128k-token prompts answer after about 15 s (full) and under 5 s (nano);
# 60–90, 60–80 and 95–180 tokens a second.
PRIORS = {
    Tier.NANO: Prior(0.40, 3.5e-5, 1 / 140),
    Tier.MINI: Prior(0.55, 8.0e-5, 1 / 75),
    Tier.FULL: Prior(0.65, 1.1e-4, 1 / 75),
}

# A fifth of the weight moves to the newest call: about ten calls forget the prior.
LEARNING_RATE = 0.2
# One call may pull an estimate by a factor of eight at the most.
MAX_RATIO, MIN_RATIO = 8.0, 1 / 8
# Whatever is measured, an estimate stays within these multiples of its prior: a simulation answers
# a thousand times faster, a broken clock must not.
MIN_FACTOR, MAX_FACTOR = 1e-4, 1e3
# Size classes of prompts, in tokens; the last is open.
SIZE_CLASSES = (1_000, 8_000, 64_000)
# Too few tokens say nothing about the time per token.
MIN_TOKENS_TIMED = 8


class Pace:
    """One deployment's speed so far.

    Factors multiply the prior; their logarithms are what is averaged.
    """

    __slots__ = ("_by_size", "_output", "_overall", "_seen", "per_token", "prior")

    def __init__(self, prior: Prior) -> None:
        self.prior = prior
        self.per_token = prior.per_output_token
        self._overall = self._output = 1.0
        self._by_size = [1.0] * (len(SIZE_CLASSES) + 1)
        self._seen = [False] * len(self._by_size)

    def ttft(self, prompt_tokens: int) -> float:
        """Expected seconds to the first token."""
        prior = self.prior
        expected = prior.ttft + prompt_tokens * prior.per_prompt_token
        return expected * self._by_size[bisect_right(SIZE_CLASSES, prompt_tokens)]

    def per_output_token(self) -> float:
        """Expected seconds per token of the answer."""
        return self.per_token

    def total(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Expected seconds to the last byte."""
        return self.ttft(prompt_tokens) + completion_tokens * self.per_token

    def started(self, prompt_tokens: int, seconds: float) -> None:
        """A stream's first token came after so many seconds."""
        self._move(prompt_tokens, seconds / self.ttft(prompt_tokens))

    def streamed(self, completion_tokens: int, seconds: float) -> None:
        """So many tokens took so many seconds after the first."""
        if completion_tokens >= MIN_TOKENS_TIMED:
            self._move_output(_step(seconds / completion_tokens / self.per_token))

    def answered(self, prompt_tokens: int, completion_tokens: int, seconds: float) -> None:
        """A whole reply took so many seconds: both parts are scaled by what it was off."""
        step = self._move(prompt_tokens, seconds / self.total(prompt_tokens, completion_tokens))
        self._move_output(step)

    def _move(self, prompt_tokens: int, ratio: float) -> float:
        step = _step(ratio)
        size = bisect_right(SIZE_CLASSES, prompt_tokens)
        self._by_size[size] = _bounded(self._by_size[size] * step)
        self._seen[size] = True
        overall = self._overall = _bounded(self._overall * step)
        if not all(self._seen):
            # A class that has seen nothing follows the others.
            pairs = zip(self._by_size, self._seen, strict=True)
            self._by_size = [own if seen else overall for own, seen in pairs]
        return step

    def _move_output(self, step: float) -> None:
        self._output = _bounded(self._output * step)
        self.per_token = self.prior.per_output_token * self._output


def _step(ratio: float) -> float:
    """The factor by which one observation, so many times what was expected, moves an estimate."""
    if ratio < MIN_RATIO:
        ratio = MIN_RATIO
    elif ratio > MAX_RATIO:
        ratio = MAX_RATIO
    return math.pow(ratio, LEARNING_RATE)


def _bounded(factor: float) -> float:
    return max(MIN_FACTOR, min(MAX_FACTOR, factor))
