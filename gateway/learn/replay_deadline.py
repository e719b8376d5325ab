"""Deadlines, replayed: are calls in time that could be, and at which quality?

The choosing and the learning are those of the gateway, on a simulated upstream whose speed drifts
(`replay_latency`); what is learnt of a call is learnt when it ends, or when its deadline gives it
up. Judged are the calls that some tier would have answered in time. Beside the gateway's way stand
the rules that gateways ship, and one who knows every tier's true speed at every moment.
"""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from math import exp
from typing import Final, NamedTuple

from gateway.call import Assessment, Wishes
from gateway.catalog import Catalog, Tier
from gateway.errors import Infeasible
from gateway.learn.replay_latency import LENGTH_SPREAD, TIERS, Asked, Took, World
from gateway.route.choose import Chooser, Policy
from gateway.route.latency import total
from gateway.route.length import Lengths
from gateway.route.outlook import Outlook
from gateway.route.pace import PRIORS, Pace
from gateway.route.target import ROUTE_FREELY
from gateway.simulate.pace import PACES

BEST_DIAL: Final = 1.0
"""The highest quality that time allows."""


class Judged(NamedTuple):
    """Over the calls that some tier would have answered in time (`possible`, of all calls).

    `within` are in time, `refused` were not tried; `quality` counts what is late as nothing, `best`
    is that of the best tier that would have been in time.
    """

    possible: float
    within: float
    refused: float
    quality: float
    best: float


class Rule:
    """A way to pick a tier; the simplest sends every call to one."""

    def __init__(self, name: str, tier: Tier = Tier.NANO) -> None:
        self.name = name
        self._tier = tier

    def pick(self, world: World, asked: Asked, under_way: Sequence[int]) -> Tier | None:
        """The tier of a call; None refuses it."""
        del world, asked, under_way
        return self._tier

    def ended(self, asked: Asked, tier: Tier, took: Took) -> None:
        """A call ended, or was given up at its deadline."""


class Published(Rule):
    """The best tier whose published speed, with half as much again for safety, is fast enough."""

    def pick(self, world: World, asked: Asked, under_way: Sequence[int]) -> Tier | None:
        del world, under_way
        return _best([t for t in TIERS if 1.5 * published(asked, t) <= asked.deadline], asked)


class Averaged(Rule):
    """The best tier whose moving average is fast enough: latency routing as it is usually built."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._factors = dict.fromkeys(TIERS, 1.0)

    def pick(self, world: World, asked: Asked, under_way: Sequence[int]) -> Tier | None:
        del world, under_way
        times = {t: self._factors[t] * published(asked, t) for t in TIERS}
        fast = [t for t in TIERS if times[t] <= asked.deadline]
        return _best(fast, asked) if fast else min(TIERS, key=times.__getitem__)

    def ended(self, asked: Asked, tier: Tier, took: Took) -> None:
        seconds = min(took.total, asked.deadline)
        actual = seconds / published(asked, tier, asked.task.tokens)
        self._factors[tier] += 0.2 * (actual - self._factors[tier])


class Informed(Rule):
    """Knows every tier's true speed now, though no call's luck."""

    def pick(self, world: World, asked: Asked, under_way: Sequence[int]) -> Tier | None:
        seen = asked.task.seen
        median = seen.completion_tokens * exp(-LENGTH_SPREAD * LENGTH_SPREAD / 2)
        sure = {}
        for tier in TIERS:
            speed = world.speed(asked, tier, under_way[tier])
            sure[tier] = total(speed, median, LENGTH_SPREAD).within(asked.deadline)
        safe = [t for t in TIERS if sure[t] >= Policy().confidence]
        return _best(safe, asked) if safe else max(TIERS, key=sure.__getitem__)


class Routed(Rule):
    """The gateway's way."""

    def __init__(self, name: str, catalog: Catalog) -> None:
        super().__init__(name)
        self._chooser = Chooser(catalog, Policy(BEST_DIAL, frozenset()))
        self._paces = {tier: Pace(PRIORS[tier]) for tier in TIERS}
        self._lengths = Lengths()

    def pick(self, world: World, asked: Asked, under_way: Sequence[int]) -> Tier | None:
        del world
        seen, now = asked.task.seen, asked.task.at
        tokens = seen.text_tokens
        speeds = {t: self._paces[t].speed(tokens, now, under_way[t]) for t in TIERS}
        outlook = Outlook(speeds, self._lengths.predict(seen))
        wishes = Wishes(deadline=asked.deadline)
        try:
            choice = self._chooser.choose(seen, ROUTE_FREELY, wishes, outlook)
        except Infeasible:
            for pace in self._paces.values():
                pace.passed()
            return None
        chosen = choice.chosen
        for other in choice.candidates:
            if other.refused and other.tier is not chosen.tier:
                self._paces[other.tier].passed()
        self._paces[chosen.tier].launched(now, chosen.total, under_way[chosen.tier])
        return chosen.tier

    def ended(self, asked: Asked, tier: Tier, took: Took) -> None:
        (began, seen, tokens), pace = asked.task, self._paces[tier]
        prompt = seen.text_tokens
        if took.first >= asked.deadline:
            pace.late(prompt, 0, asked.deadline)
        else:
            pace.started(prompt, took.first, began=began)
            self._streamed(pace, asked, took, tokens)
            if took.total <= asked.deadline:
                self._lengths.learnt(seen, tier, tokens)
        pace.left(began)

    def _streamed(self, pace: Pace, asked: Asked, took: Took, tokens: int) -> None:
        """Of a stream that was given up, so much was seen."""
        seconds = min(took.total, asked.deadline) - took.first
        pace.streamed(int(tokens * seconds / (took.total - took.first)), seconds)


def published(asked: Asked, tier: Tier, tokens: int | None = None) -> float:
    """Seconds that a tier takes for a call by what is published of it."""
    seen: Assessment = asked.task.seen
    tokens = seen.completion_tokens if tokens is None else tokens
    return PACES[tier].first_token(seen.text_tokens) + tokens / PACES[tier].rate


def _best(tiers: Sequence[Tier], asked: Asked) -> Tier:
    """The tier of the highest predicted quality, or the smallest if there is none."""
    return max(tiers, key=lambda tier: asked.task.seen.quality[tier], default=Tier.NANO)


def rules(catalog: Catalog) -> list[Callable[[], Rule]]:
    """All that are compared, each made afresh."""
    return [
        lambda: Routed("tiergate", catalog),
        lambda: Rule("always nano", Tier.NANO),
        lambda: Rule("always mini", Tier.MINI),
        lambda: Rule("always full", Tier.FULL),
        lambda: Published("published speeds"),
        lambda: Averaged("moving average"),
        lambda: Informed("knows the true speeds"),
    ]


def judge(world: World, rule: Rule) -> Judged:
    """Send every call where a rule says, and count."""
    running: list[tuple[float, int, Tier, Asked, Took]] = []
    under_way = [0, 0, 0]
    possible = within = refused = 0
    quality = best = 0.0
    for number, asked in enumerate(world.asked):
        now = asked.task.at
        while running and running[0][0] <= now:
            _, _, tier, ended, took = heappop(running)
            under_way[tier] -= 1
            rule.ended(ended, tier, took)
        takes = [world.took(asked, tier, under_way[tier]) for tier in TIERS]
        able = [tier for tier in TIERS if takes[tier].total <= asked.deadline]
        picked = rule.pick(world, asked, under_way)
        if able:
            possible += 1
            best += max(asked.task.seen.quality[tier] for tier in able)
            within += picked in able
            refused += picked is None
            quality += asked.task.seen.quality[picked] if picked in able else 0.0
        if picked is None:
            continue
        under_way[picked] += 1
        end = now + min(takes[picked].total, asked.deadline)
        heappush(running, (end, number, picked, asked, takes[picked]))
    calls, some = len(world.asked), max(1, possible)
    return Judged(possible / calls, within / some, refused / some, quality / some, best / some)
