"""The plan of attempts: which deployments, in which order, each at most once.

the chosen tier's deployments, soonest first: expected seconds, by calls in flight for its weight
→ the tiers above it that fit (the answer is as good, the price is not)
→ for calls we route, the tiers below that fit (an answer beats none)
→ the caller's own list of further models
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from gateway.catalog import Catalog, Deployment, Tier
from gateway.route.reasons import Candidate, Choice
from gateway.route.target import Target


class Step(NamedTuple):
    """One planned attempt; `model` is the name to send upstream, `max_tokens` a cap's clamp."""

    tier: Tier
    deployment: Deployment
    model: str
    max_tokens: int | None = None


def order(
    deployments: tuple[Deployment, ...],
    in_flight: Mapping[str, int],
    seconds: Callable[[Deployment], float],
) -> list[Deployment]:
    """Those first that should be done soonest; full ones are left out.

    A deployment that takes so many seconds for a call and has others under way is taken to work
    on them side by side, as many as its weight says: of equals the least loaded comes first.
    """
    if len(deployments) == 1:
        only = deployments[0]
        full = only.max_parallel and in_flight.get(only.name, 0) >= only.max_parallel
        return [] if full else [only]
    free = [
        d for d in deployments if not d.max_parallel or in_flight.get(d.name, 0) < d.max_parallel
    ]
    return sorted(free, key=lambda d: seconds(d) * (in_flight.get(d.name, 0) + 1) / d.weight)


def steps(
    choice: Choice,
    target: Target,
    *,
    catalog: Catalog,
    admits: Callable[[Deployment], bool],
    in_flight: Mapping[str, int],
    seconds: Callable[[Deployment], float] = lambda _: 1.0,
) -> Iterator[Step]:
    """Lay out the attempts, each when it is asked for: nearly every call needs only the first.

    `admits` asks a deployment's breaker, `seconds` says how long it should take.
    """
    chosen = choice.chosen
    for deployment in order(catalog.tiers[chosen.tier], in_flight, seconds):
        if admits(deployment):
            model = target.model or deployment.model.name
            yield Step(chosen.tier, deployment, model, chosen.max_tokens)
    for candidate in _others(choice) if target.routed else ():
        for deployment in order(catalog.tiers[candidate.tier], in_flight, seconds):
            if admits(deployment):
                model = deployment.model.name
                yield Step(candidate.tier, deployment, model, candidate.max_tokens)
    further = [(other, tier) for other in target.then for tier in other.tiers]
    for other, tier in further:
        for deployment in order(catalog.tiers.get(tier, ()), in_flight, seconds):
            if admits(deployment):
                yield Step(tier, deployment, other.model or deployment.model.name)


def _others(choice: Choice) -> list[Candidate]:
    """The tiers above the chosen one, nearest first, then those below, nearest first."""
    chosen = choice.chosen
    fitting = [c for c in choice.candidates if not c.refused and c is not chosen]
    above = [c for c in fitting if c.tier > chosen.tier]
    return above + [c for c in reversed(fitting) if c.tier < chosen.tier]


class Next(Enum):
    """What an attempt's end means for the call."""

    DONE = "done"
    NEXT = "next"
    STOP = "stop"


# Statuses after which another deployment may do better.
RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
# Statuses that say the deployment's own key is dead.
KEY_IS_DEAD = frozenset({401, 403})


# OpenAI's code for a model that is not there, and Azure's for a deployment.
NO_SUCH_MODEL = frozenset({"model_not_found", "DeploymentNotFound"})


def after(status: int, code: str | None, *, named: bool) -> Next:
    """Read the error table.

    `code` is the upstream's error code; `named` says that the caller named the model, so that a
    missing one is the caller's mistake and not our catalog's.
    """
    if status < 400:
        return Next.DONE
    if status in KEY_IS_DEAD or (status in RETRIED and code != "insufficient_quota"):
        return Next.NEXT
    if code == "context_length_exceeded" or code == "insufficient_quota":
        return Next.NEXT
    if code in NO_SUCH_MODEL and not named:
        return Next.NEXT
    return Next.STOP


def upstream_outcome(status: int) -> str:
    """An upstream's error status as metrics name it."""
    if status in KEY_IS_DEAD:
        return "upstream_auth"
    if status == 429:
        return "upstream_rate_limited"
    return "upstream_5xx" if status >= 500 else "upstream_4xx"


@dataclass(slots=True)
class RetryBudget:
    """Retries are at most a fifth of the calls, plus a small floor: an outage is not amplified.

    Precedent: Finagle's and Envoy's retry budgets. Time is an argument in monotonic seconds.
    """

    per_call: float = 0.2
    per_second: float = 5.0
    cap: float = 20.0
    _credit: float = 20.0
    _at: float = 0.0

    def called(self) -> None:
        """A call came in: it earns its share of a retry."""
        self._credit = min(self.cap, self._credit + self.per_call)

    def withdraw(self, now: float) -> bool:
        """Take one retry, if there is one."""
        self._credit = min(self.cap, self._credit + (now - self._at) * self.per_second)
        self._at = now
        if self._credit < 1:
            return False
        self._credit -= 1
        return True
