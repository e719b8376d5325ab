"""An upstream whose speed drifts: how long each tier would take for each call.

Times to the first token and tokens a second are those of the simulated upstream; what is added is
drift, load and outliers. What a tier would have taken is known for all of them, so that a policy
can be judged by what was possible. Deterministic by seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log, pi, sin
from random import Random
from typing import Final, NamedTuple

from gateway.catalog import Tier
from gateway.learn.replay_traffic import LENGTH_SPREAD, Draw, Task, synthetic, task
from gateway.route.latency import Speed
from gateway.simulate.pace import FIRST_SIGMA, PACES

RATE: Final = 4.0
"""Calls a second."""

DEADLINES: Final = (1.2, 15.0)
"""Deadlines lie between so many seconds, evenly by their logarithm."""

TOKEN_SIGMA: Final = 0.15
OUTLIERS: Final = 0.02
"""The share of calls that take three to seven times as long to begin."""

LOADED: Final = 0.09
"""What each call under way slows the others of its tier by, where load matters."""

TIERS: Final = (Tier.NANO, Tier.MINI, Tier.FULL)

Factor = Callable[[float], float]
"""How many times slower than usual a tier is, after so many seconds."""


class Asked(NamedTuple):
    """A call with a deadline, and the luck it would have on each tier."""

    task: Task
    deadline: float
    luck: tuple[tuple[float, float], ...]


class Took(NamedTuple):
    """Seconds to the first and to the last byte."""

    first: float
    total: float


def steady(random: Random, horizon: float) -> Factor:
    """No drift."""
    del random, horizon
    return lambda _: 1.0


def wandering(random: Random, horizon: float) -> Factor:
    """A random walk that is drawn back: half as fast now, twice as fast later."""
    steps, at = [], 0.0
    for _ in range(int(horizon / 5.0) + 2):
        steps.append(exp(at))
        at = at * 0.995 + random.gauss(0.0, 0.06)
    return lambda now: steps[min(int(now / 5.0), len(steps) - 1)]


def jumping(random: Random, horizon: float) -> Factor:
    """Two to eight times slower at once, for minutes, and as suddenly well again."""
    spells, at = [], random.uniform(50.0, 300.0)
    while at < horizon:
        length = random.uniform(40.0, 400.0)
        spells.append((at, at + length, exp(random.uniform(log(2.0), log(8.0)))))
        at += length + random.uniform(50.0, 500.0)
    return lambda now: next((by for begin, end, by in spells if begin <= now < end), 1.0)


def daily(random: Random, horizon: float) -> Factor:
    """Up to 2.2 times slower and faster, in waves of twenty minutes."""
    del horizon
    phase = random.uniform(0.0, 2 * pi)
    return lambda now: exp(0.8 * sin(2 * pi * now / 1_200.0 + phase))


DRIFTS: Final[dict[str, Callable[[Random, float], Factor]]] = {
    "steady": steady,
    "wandering": wandering,
    "jumping": jumping,
    "daily": daily,
    "loaded": steady,
}


@dataclass(frozen=True, slots=True)
class World:
    """Calls in order of time, and how slow each tier is when."""

    asked: Sequence[Asked]
    drifts: Sequence[Factor]
    load: float

    def took(self, asked: Asked, tier: Tier, under_way: int) -> Took:
        """What a call takes on a tier that has so many others under way."""
        slow, (first_luck, token_luck) = self._slow(asked, tier, under_way), asked.luck[tier]
        pace, (_, seen, tokens) = PACES[tier], asked.task
        first = pace.first_token(seen.text_tokens) * slow * exp(first_luck)
        return Took(first, first + tokens / pace.rate * slow * exp(token_luck))

    def speed(self, asked: Asked, tier: Tier, under_way: int) -> Speed:
        """The true speed of a tier at the moment, for who may know it."""
        slow, pace = self._slow(asked, tier, under_way), PACES[tier]
        first = pace.first_token(asked.task.seen.text_tokens) * slow
        return Speed(first, slow / pace.rate, FIRST_SIGMA, TOKEN_SIGMA)

    def _slow(self, asked: Asked, tier: Tier, under_way: int) -> float:
        return self.drifts[tier](asked.task.at) * (1.0 + self.load * under_way)


def world(drift: str, seed: int, *, calls: int = 4_000, draw: Draw = synthetic) -> World:
    """So many calls under a kind of drift."""
    random = Random(f"{drift} {seed}")  # noqa: S311 - a simulation, not a secret
    horizon = calls / RATE * 1.5
    drifts = [DRIFTS[drift](random, horizon) for _ in TIERS]
    asked, at = [], 0.0
    low, high = map(log, DEADLINES)
    for _ in range(calls):
        at += random.expovariate(RATE)
        luck = tuple([(_first_luck(random), random.gauss(0.0, TOKEN_SIGMA)) for _ in TIERS])
        asked.append(Asked(task(at, draw, random), exp(random.uniform(low, high)), luck))
    return World(asked, drifts, LOADED if drift == "loaded" else 0.0)


def _first_luck(random: Random) -> float:
    outlier = random.uniform(1.0, 2.0) if random.random() < OUTLIERS else 0.0
    return random.gauss(0.0, FIRST_SIGMA) + outlier


__all__ = ["DRIFTS", "LENGTH_SPREAD", "TIERS", "Asked", "Took", "World", "world"]
