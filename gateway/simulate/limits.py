"""Requests and tokens per minute, as OpenAI counts and reports them.

A bucket for each refills evenly; a request takes one of the one and its prompt plus what it may
answer of the other. Where no limit is configured, generous figures are reported and nothing is
ever refused.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.simulate.refusals import Refusal

MINUTE = 60.0
REPORTED_REQUESTS = 30_000
REPORTED_TOKENS = 150_000_000


@dataclass(slots=True)
class Bucket:
    """What is left of a minute's allowance; `limit` 0 means no limit."""

    limit: int
    left: float
    at: float

    @classmethod
    def full(cls, limit: int, now: float) -> "Bucket":
        """A bucket nothing was taken from."""
        return cls(limit, float(limit), now)

    def refill(self, now: float) -> None:
        """Add what came back since the last look."""
        self.left = min(self.limit, self.left + (now - self.at) * self.limit / MINUTE)
        self.at = now

    def seconds_until(self, amount: float) -> float:
        """How long until this much is there again."""
        return max(amount - self.left, 0.0) * MINUTE / self.limit if self.limit else 0.0


class Limiter:
    """The buckets of every model."""

    __slots__ = ("_models", "_now", "_requests", "_tokens")

    def __init__(self, requests: int, tokens: int, now: Callable[[], float]) -> None:
        self._requests = requests
        self._tokens = tokens
        self._now = now
        self._models: dict[str, tuple[Bucket, Bucket]] = {}

    def take(self, model: str, tokens: int) -> None:
        """Take one request and its tokens.

        Raises:
            Refusal: 429 with the wait, when either allowance is spent; nothing is taken then.
        """
        requests, texts = self._of(model)
        for bucket, amount, noun in ((requests, 1, "requests"), (texts, tokens, "tokens")):
            # A request larger than the whole allowance must wait for the whole allowance.
            wait = bucket.seconds_until(min(amount, bucket.limit))
            if wait > 0:
                raise _refused(model, noun, bucket, amount, wait)
        requests.left -= 1 if requests.limit else 0
        texts.left -= tokens if texts.limit else 0

    def headers(self, model: str) -> tuple[tuple[bytes, bytes], ...]:
        """`x-ratelimit-*` as they stand."""
        requests, texts = self._of(model)
        found: list[tuple[bytes, bytes]] = []
        named = ((requests, "requests", REPORTED_REQUESTS), (texts, "tokens", REPORTED_TOKENS))
        for bucket, noun, reported in named:
            limit = bucket.limit or reported
            left = max(int(bucket.left), 0) if bucket.limit else reported - 1
            reset = spell(bucket.seconds_until(bucket.limit))
            found.append((f"x-ratelimit-limit-{noun}".encode(), b"%d" % limit))
            found.append((f"x-ratelimit-remaining-{noun}".encode(), b"%d" % left))
            found.append((f"x-ratelimit-reset-{noun}".encode(), reset.encode()))
        return tuple(found)

    def _of(self, model: str) -> tuple[Bucket, Bucket]:
        now = self._now()
        if model not in self._models:
            full = (Bucket.full(self._requests, now), Bucket.full(self._tokens, now))
            self._models[model] = full
        for bucket in self._models[model]:
            bucket.refill(now)
        return self._models[model]


def _refused(model: str, noun: str, bucket: Bucket, amount: int, wait: float) -> Refusal:
    short = "RPM" if noun == "requests" else "TPM"
    used = bucket.limit - int(bucket.left)
    message = (
        f"Rate limit reached for {model} in organization org-simulated on {noun} per min "
        f"({short}): Limit {bucket.limit}, Used {used}, Requested {amount}. "
        f"Please try again in {spell(wait)}."
    )
    refusal = Refusal(429, message, kind=noun, code="rate_limit_exceeded")
    refusal.wait = wait
    return refusal


def spell(seconds: float) -> str:
    """A time as these headers spell it: `120ms`, `1.5s`, `6m0s`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < MINUTE:
        return f"{round(seconds, 3):g}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest}s"
