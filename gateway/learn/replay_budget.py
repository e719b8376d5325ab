"""Budgets, replayed: does an allowance last its window, and what quality does it buy?

The choosing, the pacing and the ledger are those of the gateway; the calls are simulated
(`replay_traffic`), and end some seconds after they began. A call that is not held is refused and
worth nothing; an answer that its limit cuts is worth half. Beside the gateway's way stand the two
that gateways usually ship, and two other controllers that are told how many calls to expect.
"""

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from math import exp, log
from random import Random
from typing import Final, NamedTuple

from gateway.budget.books import Books
from gateway.call import NO_WISHES
from gateway.catalog import Catalog, Model, Tier
from gateway.holds import Claim, Denial, Grant, Stand
from gateway.learn.replay_traffic import CALLS, Task
from gateway.money import FREE, NanoUSD
from gateway.principal import Allowance, Level, Period
from gateway.route.choose import Chooser, Policy
from gateway.route.latency import Speed
from gateway.route.length import Lengths
from gateway.route.outlook import Outlook
from gateway.route.pace import PRIORS
from gateway.route.pacing import Pacers, Purse
from gateway.route.reasons import Candidate, Choice
from gateway.route.target import ROUTE_FREELY

LASTS: Final = (2.0, 10.0)
"""Calls take between so many seconds."""

DIAL, DOUBLING = 0.9, 0.042
"""The dial of the traffic, and what a doubling of cost must buy in its middle: there is something
to save. Fixed here, so that the tables stay comparable when the gateway's own default moves."""

SPEEDS: Final = {tier: Speed(prior.ttft, prior.per_output_token) for tier, prior in PRIORS.items()}


class Kept(NamedTuple):
    """One window's books.

    `spent` and `demanded` (by the dial alone) are shares of the allowance, `quality` is the mean
    over all calls.
    """

    spent: float
    demanded: float
    refused: float
    quality: float


class Steering:
    """A policy: what a nano-dollar must buy now, and which tier it insists on."""

    name = "reject at 100 %"
    yields = False
    """Whether a call that is not held goes to a smaller tier."""

    def purse(self, stand: Stand, now: float) -> Purse:
        """What a call should know of its allowance."""
        del now
        return Purse(0.0, stand.remaining)

    def insists(self, stand: Stand) -> Tier | None:
        """The tier that every call must take now, if any."""
        del stand
        return None

    def noted(self, choice: Choice, answer: Grant | Denial, now: float) -> None:
        """A call was held, or denied."""


class Stepping(Steering):
    """The dial until 85 % is gone, then always the cheapest."""

    name = "step at 85 %"

    def insists(self, stand: Stand) -> Tier | None:
        return Tier.NANO if stand.settled > 0.85 * stand.amount else None


class Paced(Steering):
    """The gateway's way."""

    name = "tiergate"
    yields = True

    def __init__(self, level: Level) -> None:
        self._levels = (level,)
        self._pacers = Pacers()

    def purse(self, stand: Stand, now: float) -> Purse:
        known = self._pacers.purse(self._levels, now)
        return known if known.left is not None else Purse(0.0, stand.remaining)

    def noted(self, choice: Choice, answer: Grant | Denial, now: float) -> None:
        granted = isinstance(answer, Grant)
        self._pacers.noted(self._levels, choice, answer.standing, now, granted=granted)


class Descending(Steering):
    """Dual descent: each call moves the logarithm of the price by what it was off its target."""

    name = "dual descent"
    yields = True
    rate = 0.05

    def __init__(self) -> None:
        self._log = log(1e-9)

    def purse(self, stand: Stand, now: float) -> Purse:
        del now
        return Purse(exp(self._log), stand.remaining)

    def noted(self, choice: Choice, answer: Grant | Denial, now: float) -> None:
        del now
        error = off_target(choice, answer) - 1.0
        self._log = _bounded(self._log + self.rate * max(-1.0, min(3.0, error)))


class Proportional(Descending):
    """PI: the price follows the latest error and the sum of all."""

    name = "PI controller"
    gain, rate = 0.6, 0.03

    def __init__(self) -> None:
        super().__init__()
        self._sum, self._ratio = self._log, 1.0

    def noted(self, choice: Choice, answer: Grant | Denial, now: float) -> None:
        del now
        self._ratio += (off_target(choice, answer) - self._ratio) / 20
        error = log(max(0.1, min(10.0, self._ratio)))
        self._sum = _bounded(self._sum + self.rate * error)
        self._log = _bounded(self._sum + self.gain * error)


def off_target(choice: Choice, answer: Grant | Denial) -> float:
    """A call's cost over what each of the calls to come may cost, if they come evenly."""
    stand = answer.standing.allowances[0]
    coming = max(1.0, CALLS * (1.0 - stand.elapsed))
    target = max(1.0, (stand.amount - stand.settled) / coming)
    return choice.chosen.cost / target if isinstance(answer, Grant) else 0.0


def _bounded(price: float) -> float:
    return max(log(1e-13), min(log(1e-4), price))


class Replay:
    """Replays windows of traffic under one allowance and one policy."""

    def __init__(self, catalog: Catalog, steering: Steering, level: Level) -> None:
        self._models = catalog.models_by_tier
        self._chooser = Chooser(catalog, Policy(DIAL, doubling=DOUBLING))
        self._steering = steering
        self._levels = (level,)
        self._books = Books()
        self._lengths = Lengths()
        self._random = Random(0)  # noqa: S311 - a simulation, not a secret
        self._running: list[tuple[float, str, NanoUSD]] = []
        self._numbers = count()

    def window(self, tasks: Sequence[Task], demanded: float) -> Kept:
        """Replay one window."""
        amount = self._levels[0].allowances[0].amount
        spent, worth, refused = 0, 0.0, 0
        for task in tasks:
            self._settle(task.at)
            if (ended := self._call(task)) is None:
                refused += 1
                continue
            spent += cost(self._models[ended.tier], task, ended.max_tokens)
            cut = ended.max_tokens is not None and task.tokens > ended.max_tokens
            worth += ended.quality / 2 if cut else ended.quality
        return Kept(spent / amount, demanded / amount, refused / len(tasks), worth / len(tasks))

    def _call(self, task: Task) -> Candidate | None:
        """The candidate that a call was held for."""
        seen, now = task.seen, task.at
        stand = self._stand(now)
        price, left = self._steering.purse(stand, now)
        outlook = Outlook(SPEEDS, self._lengths.predict(seen), price=price, left=left)
        choice = self._chooser.choose(seen, ROUTE_FREELY, NO_WISHES, outlook)
        if not self._steering.yields:
            # The dial's tier, whatever is left for it.
            insisted = self._steering.insists(stand)
            if insisted is None:
                free = outlook._replace(left=None)
                insisted = self._chooser.choose(seen, ROUTE_FREELY, NO_WISHES, free).chosen.tier
            choice = choice._replace(chosen=choice.candidates[insisted])
        return self._held(task, choice)

    def _stand(self, now: float) -> Stand:
        """Where the allowance stands: what a claim of nothing is told."""
        answer = self._books.hold(Claim("look", "root", self._levels, FREE, FREE, 0), now)
        self._books.settle("look", FREE, None)
        return answer.standing.allowances[0]

    def _held(self, task: Task, choice: Choice) -> Candidate | None:
        answer: Grant | Denial | None = None
        for candidate in _tries(choice, yields=self._steering.yields):
            name = str(next(self._numbers))
            claim = Claim(name, "root", self._levels, candidate.worst, candidate.cost, 0)
            answer = self._books.hold(claim, task.at)
            if isinstance(answer, Grant):
                choice = choice._replace(chosen=candidate)
                break
        if answer is None:
            return None
        self._steering.noted(choice, answer, task.at)
        if isinstance(answer, Denial):
            return None
        paid = cost(self._models[candidate.tier], task, candidate.max_tokens)
        heappush(self._running, (task.at + self._random.uniform(*LASTS), name, paid))
        self._lengths.learnt(task.seen, candidate.tier, task.tokens)
        return candidate

    def _settle(self, now: float) -> None:
        while self._running and self._running[0][0] <= now:
            _, name, paid = heappop(self._running)
            self._books.settle(name, paid, None)


def _tries(choice: Choice, *, yields: bool) -> Iterator[Candidate]:
    """The chosen candidate, then (`yields`) the smaller ones that fit."""
    if yields or not choice.chosen.refused:
        yield choice.chosen
    for candidate in reversed(choice.candidates) if yields else ():
        if candidate.tier < choice.chosen.tier and not candidate.refused:
            yield candidate


def cost(model: Model, task: Task, limit: int | None) -> NanoUSD:
    """What a call costs in truth."""
    tokens = task.tokens if limit is None else min(task.tokens, limit)
    prompt = task.seen.text_tokens * model.price.prompt
    return NanoUSD(prompt + tokens * model.price.completion)


class Trial(NamedTuple):
    """Windows of traffic, and what the dial alone would spend in each, in nano-dollars."""

    windows: Sequence[Sequence[Task]]
    demanded: Sequence[int]


def trial(catalog: Catalog, windows: Sequence[Sequence[Task]]) -> Trial:
    """Traffic with what it would cost if money were no matter."""
    chooser, models, outlook = (
        Chooser(catalog, Policy(DIAL, doubling=DOUBLING)),
        catalog.models_by_tier,
        Outlook(SPEEDS),
    )
    demanded = []
    for tasks in windows:
        sums = 0
        for task in tasks:
            free = chooser.choose(task.seen, ROUTE_FREELY, NO_WISHES, outlook)
            sums += cost(models[free.chosen.tier], task, None)
        demanded.append(sums)
    return Trial(windows, demanded)


def level_for(tried: Trial, share: float, *, rolling: bool = False) -> Level:
    """A level whose allowance is a share of what an average window demands."""
    amount = NanoUSD(int(sum(tried.demanded) / len(tried.demanded) * share))
    return Level("key:replayed", (Allowance(amount, Period.HOUR, rolling),))


POLICIES: Final[Sequence[Callable[[Level], Steering]]] = (
    Paced,
    lambda _: Stepping(),
    lambda _: Steering(),
    lambda _: Descending(),
    lambda _: Proportional(),
)


def replay(
    catalog: Catalog, tried: Trial, level: Level, steering: Callable[[Level], Steering]
) -> list[Kept]:
    """Every window's books under one policy."""
    run = Replay(catalog, steering(level), level)
    pairs = zip(tried.windows, tried.demanded, strict=True)
    return [run.window(tasks, demanded) for tasks, demanded in pairs]
