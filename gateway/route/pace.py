"""How fast a deployment answers, learnt online from a prior.

    TTFT(prompt)  = prior(prompt) × exp(correction of its size class)
    total         = TTFT + completion × seconds per token

Corrections are exponentially weighted means of log(observed / prior), so a slow outlier counts as
one doubling, not as its seconds; a size class that has seen nothing follows the overall one.
Priors are the published speeds of the tier's role.
"""

import math
from dataclasses import dataclass, field

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
MAX_LOG_RATIO = math.log(8)
# Whatever is measured, an estimate stays within these multiples of its prior: a simulation answers
# a thousand times faster, a broken clock must not.
MIN_FACTOR, MAX_FACTOR = 1e-4, 1e3
# Size classes of prompts, in tokens; the last is open.
SIZE_CLASSES = (1_000, 8_000, 64_000)
# Too few tokens say nothing about the time per token.
MIN_TOKENS_TIMED = 8


def _size_class(prompt_tokens: int) -> int:
    for index, bound in enumerate(SIZE_CLASSES):
        if prompt_tokens < bound:
            return index
    return len(SIZE_CLASSES)


@dataclass(slots=True)
class Pace:
    """One deployment's speed so far.

    Factors multiply the prior; their logarithms are what is averaged.
    """

    prior: Prior
    _overall: float = 1.0
    _by_size: list[float | None] = field(default_factory=lambda: [None] * (len(SIZE_CLASSES) + 1))
    _output: float = 1.0

    def ttft(self, prompt_tokens: int) -> float:
        """Expected seconds to the first token."""
        factor = self._by_size[_size_class(prompt_tokens)]
        return self._prior_ttft(prompt_tokens) * (factor or self._overall)

    def per_output_token(self) -> float:
        """Expected seconds per token of the answer."""
        return self.prior.per_output_token * self._output

    def total(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Expected seconds to the last byte."""
        return self.ttft(prompt_tokens) + completion_tokens * self.per_output_token()

    def started(self, prompt_tokens: int, seconds: float) -> None:
        """A stream's first token came after so many seconds."""
        size = _size_class(prompt_tokens)
        expected = self._prior_ttft(prompt_tokens)
        before = self._by_size[size] or self._overall
        self._by_size[size] = _moved(before, seconds / expected)
        self._overall = _moved(self._overall, seconds / expected)

    def streamed(self, completion_tokens: int, seconds: float) -> None:
        """So many tokens took so many seconds after the first."""
        if completion_tokens >= MIN_TOKENS_TIMED:
            per_token = seconds / completion_tokens
            self._output = _moved(self._output, per_token / self.prior.per_output_token)

    def answered(self, prompt_tokens: int, completion_tokens: int, seconds: float) -> None:
        """A whole reply took so many seconds: both parts are scaled by what it was off."""
        ratio = seconds / self.total(prompt_tokens, completion_tokens)
        size = _size_class(prompt_tokens)
        before = self._by_size[size] or self._overall
        self._by_size[size] = _moved(before, before * ratio)
        self._overall = _moved(self._overall, self._overall * ratio)
        self._output = _moved(self._output, self._output * ratio)

    def _prior_ttft(self, prompt_tokens: int) -> float:
        return self.prior.ttft + prompt_tokens * self.prior.per_prompt_token


def _moved(factor: float, observed: float) -> float:
    """A factor after one more observation, both relative to the prior."""
    step = math.log(max(observed, MIN_FACTOR) / factor)
    step = max(-MAX_LOG_RATIO, min(MAX_LOG_RATIO, step))
    return max(MIN_FACTOR, min(MAX_FACTOR, factor * math.exp(LEARNING_RATE * step)))
