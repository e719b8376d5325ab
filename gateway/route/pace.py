"""How fast a deployment answers, learnt online from a prior.

    TTFT(prompt)  = prior(prompt) × exp(level + size class + load)
    a token       = prior × exp(level)

What is tracked (`gateway.route.track`) is log(observed / expected): a slow outlier counts as one
doubling, not as its seconds, and a shift is followed within a few calls.

A slow deployment that deadlines keep calls away from is found again: every call passed over lets
the belief lean back to its prior, until one is sent; if that one is slow too, the next comes after
twice as many. What is overdue now counts before it has ended. Time is an argument in monotonic
seconds; nothing here draws a number.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import islice
from math import exp, log, log1p

from gateway.catalog import Tier
from gateway.route.latency import Speed
from gateway.route.track import LEAST_GAIN, Track, error_of


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

# Whatever is measured, an estimate stays within these multiples of its prior: a simulation answers
# a thousand times faster, a broken clock must not.
MIN_FACTOR, MAX_FACTOR = 1e-4, 1e3
_LOWEST, _HIGHEST = log(MIN_FACTOR), log(MAX_FACTOR)
# Size classes of prompts, in tokens; the last is open.
SIZE_CLASSES = (1_000, 8_000, 64_000)
# Too few tokens say nothing about the time per token.
MIN_TOKENS_TIMED = 8

# Answers of one deployment to calls of one size differ by this much from the middle.
FIRST_SPREAD = 0.35

# Calls passed over, and seconds without one, that halve the distance of a slow belief to its prior.
FIRST_PATIENCE, MOST_PATIENCE, PATIENCE_SECONDS = 6.0, 90.0, 300.0
# A belief not renewed grows vague: variance per second, up to its most.
VAGUER, VAGUEST = 2e-4, 0.06
# The load's slope is learnt slowly and never bends a prediction by more than this.
LOAD_RATE, STEEPEST = 0.03, 0.8
# How many of the oldest calls under way must be overdue before that counts.
OVERDUE = 3
# Answers seen after which a belief moves by its least gains.
SETTLED = 64
MOST_RUNNING = 4_096


class Pace:
    """One deployment's speed so far."""

    __slots__ = (
        "_by_size",
        "_factors",
        "_first",
        "_launched",
        "_load",
        "_output",
        "_passed",
        "_patience",
        "_probing",
        "_running",
        "_slope",
        "per_token",
        "prior",
    )

    def __init__(self, prior: Prior) -> None:
        self.prior = prior
        self.per_token = prior.per_output_token
        self._first = Track(FIRST_SPREAD, _HIGHEST)
        self._output = Track(FIRST_SPREAD, _HIGHEST)
        self._by_size = [0.0] * (len(SIZE_CLASSES) + 1)
        self._factors = [1.0] * len(self._by_size)
        self._load = self._slope = 0.0
        self._running: dict[float, tuple[float, float]] = {}
        self._launched = 0.0
        self._passed = 0
        self._patience = FIRST_PATIENCE
        self._probing = False

    def ttft(self, prompt_tokens: int) -> float:
        """Expected seconds to the first token."""
        prior = self.prior
        expected = prior.ttft + prompt_tokens * prior.per_prompt_token
        return expected * self._factors[bisect_right(SIZE_CLASSES, prompt_tokens)]

    def per_output_token(self) -> float:
        """Expected seconds per token of the answer."""
        return self.per_token

    def total(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Expected seconds to the last byte."""
        return self.ttft(prompt_tokens) + completion_tokens * self.per_token

    def speed(self, prompt_tokens: int, now: float, in_flight: int) -> Speed:
        """What a call of this size should expect now, `in_flight` others being under way."""
        ttft, per_token = self.ttft(prompt_tokens), self.per_token
        first, output = self._first, self._output
        if self._slope:
            ttft *= exp(self._slope * (log1p(in_flight) - self._load))
        if self._running and (slower := self._overdue(now)) > 1.0:
            ttft, per_token = ttft * slower, per_token * slower
        idle = now - self._launched
        if self._passed:
            ttft, per_token = self._forgiven(ttft, per_token, idle)
        vague = min(VAGUEST, VAGUER * idle) if idle > 1.0 else 0.0
        spread = first.spread * first.width
        if vague:
            spread = (spread * spread + vague) ** 0.5
        return Speed(ttft, per_token, spread, output.spread * output.width)

    def _overdue(self, now: float) -> float:
        """How much slower than believed it must be, if the oldest calls under way all are late."""
        running = self._running
        if len(running) < OVERDUE:
            return 1.0
        believed = exp(self._first.level)
        began, (usual, _) = next(iter(running.items()))
        if now - began <= usual * believed:
            # The least of all is no more than this one: mostly there is no need to look further.
            return 1.0
        oldest = islice(running.items(), OVERDUE)
        late = min([(now - began) / usual for began, (usual, _) in oldest])
        return late / believed if late > believed else 1.0

    def _forgiven(self, ttft: float, per_token: float, idle: float) -> tuple[float, float]:
        """What is slower than its prior, leaning back to it for each call passed over."""
        kept = 0.5 ** max(self._passed / self._patience, idle / PATIENCE_SECONDS)
        if (level := self._first.level) > 0.0:
            ttft *= exp(level * (kept - 1.0))
        if (level := self._output.level) > 0.0:
            per_token *= exp(level * (kept - 1.0))
        return ttft, per_token

    def passed(self) -> None:
        """A call would have come here, were it not for the time it would take."""
        self._passed += 1

    def launched(self, now: float, expected: float, in_flight: int) -> None:
        """An attempt begins that should take about `expected` seconds."""
        usual = expected * exp(-self._first.level)
        self._running[now] = (max(usual, 1e-6), log1p(in_flight))
        if len(self._running) > MOST_RUNNING:
            del self._running[next(iter(self._running))]
        self._launched = now
        self._probing = self._probing or self._passed > 0
        self._passed = 0

    def left(self, began: float) -> None:
        """The attempt that began then is over, whatever became of it."""
        self._running.pop(began, None)

    def started(self, prompt_tokens: int, seconds: float, *, began: float | None = None) -> None:
        """A stream's first token came after so many seconds."""
        self._move_first(prompt_tokens, error_of(seconds, self.ttft(prompt_tokens)), began)

    def streamed(self, completion_tokens: int, seconds: float) -> None:
        """So many tokens took so many seconds after the first."""
        if completion_tokens >= MIN_TOKENS_TIMED:
            self._move_output(error_of(seconds / completion_tokens, self.per_token))

    def answered(
        self,
        prompt_tokens: int,
        completion_tokens: int,
        seconds: float,
        *,
        began: float | None = None,
    ) -> None:
        """A whole reply took so many seconds: both parts move by what it was off."""
        error = error_of(seconds, self.total(prompt_tokens, completion_tokens))
        self._move_first(prompt_tokens, error, began)
        self._move_output(error)

    def late(self, prompt_tokens: int, completion_tokens: int, seconds: float) -> None:
        """An attempt was given up after so many seconds: it would have taken longer."""
        error = error_of(seconds, self.total(prompt_tokens, completion_tokens))
        # Nothing is learnt from patience that was shorter than what was expected anyway.
        if error > 0.0:
            self._move_first(prompt_tokens, error, None)
            self._move_output(error)

    def settled(self) -> bool:
        """Whether enough was seen that one more answer changes little."""
        return self._first.seen >= SETTLED and not self._probing

    def _move_first(self, prompt_tokens: int, error: float, began: float | None) -> None:
        running = self._running.get(began) if began is not None else None
        if running is not None:
            error = self._lean(error, running[1])
        if self._probing:
            self._probed(error)
        self._first.moved(error)
        size = bisect_right(SIZE_CLASSES, prompt_tokens)
        level = self._first.level
        own = self._by_size[size] + LEAST_GAIN * (error - self._by_size[size] * LEAST_GAIN)
        self._by_size[size] = max(-1.0, min(1.0, own))
        self._factors = [exp(_bounded(level + own)) for own in self._by_size]

    def _lean(self, error: float, load: float) -> float:
        """The error without what the load explains; the load's slope learns from it."""
        beyond = load - self._load
        error -= self._slope * beyond
        self._load += LOAD_RATE * beyond
        slope = self._slope + LOAD_RATE * error * beyond / (0.25 + beyond * beyond)
        self._slope = max(0.0, min(STEEPEST, slope))
        return error

    def _probed(self, error: float) -> None:
        """The call that a lenient belief sent here has told: was it right?"""
        self._probing = False
        recovered = self._first.level + error < self._first.level / 2
        self._patience = FIRST_PATIENCE if recovered else min(MOST_PATIENCE, 2 * self._patience)

    def _move_output(self, error: float) -> None:
        self._output.moved(error)
        self.per_token = self.prior.per_output_token * exp(self._output.level)


def _bounded(level: float) -> float:
    return max(_LOWEST, min(_HIGHEST, level))
