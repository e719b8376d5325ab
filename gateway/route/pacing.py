"""Budgets steer before they stop: the price of money that makes an allowance last its window.

A sum is saved best where it buys least. So a short budget sets a *price* ν, in quality a
nano-dollar, that is taken off every candidate beside λ and μ: dear calls with little to gain step
down first. (Multiplying λ instead asks the same sacrifice of a call of a tenth of a cent and of one
of a dollar; at half the money that costs half a point of quality.)

    what may go out a call = what is left ÷ calls still to come
    ν = the least price at which calls like the latest would cost no more than that

*Calls like the latest* are those of `demand`: after a shift ν jumps to its new place within some
tens of calls instead of creeping there. *Calls still to come* are foretold by `arrivals`. *What is
left* is the ledger's word, for all processes together; how much leaves it for each dollar that is
expected to leave here (other processes, wrong estimates) is learnt.

Where the money lasts anyway ν is 0: a budget never spends worse than the dial asks. The ledger's
hold remains what stops; this only keeps it from having to. μ is left alone: no second saved makes
money last. Times are epoch seconds and arguments; nothing here draws a number.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from math import exp
from typing import NamedTuple

from gateway.budget.windows import SECONDS
from gateway.holds import Stand, Standing
from gateway.money import NanoUSD
from gateway.principal import Allowance, Level
from gateway.route.arrivals import Arrivals, Trailing
from gateway.route.demand import Demand
from gateway.route.reasons import Choice
from gateway.route.weights import Weights

# How fast it is learnt what leaves the ledger for a dollar expected here, and the bounds of that.
_SCALE_FADE, _LEAST_SCALE, _MOST_SCALE = 1 - 1 / 60, 0.25, 64.0
# Until something is learnt: a thousandth of the allowance has left as expected.
_TRUST = 1 / 1_000
# What is held should cost this share of it, until calls say otherwise; each moves it by 2 %.
_FIRST_SHARE, _SHARE_RATE = 0.25, 0.02
# The last of a rolling window's money is approached and never reached: this share of it, and more
# in the first period, of which nothing is known beforehand.
LANDING, FIRST_LANDING = 0.06, 0.15
# While much is left, so much more than its share may go out: the figures are not sure enough to
# save what may never be missing.
SLACK = 0.15
# The price is found anew after so many calls.
EVERY = 4
# What was held when last looked is let go like this: calls last some seconds.
LASTS = 8.0
MOST_PACERS = 20_000
# At a window's beginning a single call would look like a race: so much counts as over already.
LEAST_OVER = 1 / 20


class Purse(NamedTuple):
    """What a call should know of its allowances: what a nano-dollar must buy, what they hold."""

    price: float
    left: NanoUSD | None


NO_ALLOWANCE = Purse(0.0, None)


class Course(NamedTuple):
    """How an allowance of a level goes: what is left, and how fast it is spent.

    `pace` is the share spent divided by the share of the window that is over: above 1 it will not
    last. Of a rolling window all is over.
    """

    level: str
    left: NanoUSD
    pace: float


class Pacer:
    """One allowance: `price` is what a nano-dollar must buy, in quality."""

    __slots__ = (
        "_arrivals",
        "_before",
        "_calls",
        "_demand",
        "_expected",
        "_gone",
        "_rolling",
        "_seen",
        "_share",
        "allowance",
        "price",
    )

    def __init__(self, allowance: Allowance) -> None:
        seconds = SECONDS[allowance.period]
        self.allowance = allowance
        self.price = 0.0
        self._arrivals = Arrivals(seconds)
        self._rolling = Trailing(seconds) if allowance.rolling else None
        self._demand = Demand()
        self._before: tuple[float, float] | None = None
        self._seen: tuple[Stand, float] | None = None
        self._calls = 0
        self._share = _FIRST_SHARE
        # What left the ledger, and what was expected to, lately.
        self._gone = self._expected = 0.0

    def noted(self, choice: Choice, stand: Stand, now: float, *, granted: bool) -> None:
        """A call was chosen for; where its allowance stands with it."""
        chosen = choice.chosen
        self._demand.saw(*menu(choice))
        if chosen.worst:
            self._share += _SHARE_RATE * (chosen.cost / chosen.worst - self._share)
        spent = stand.settled + stand.held * self._share
        self._calls += 1
        self._seen = stand, now
        due = self._calls % EVERY == 1
        if self._rolling is not None:
            self._rolling.came(now)
        else:
            self._arrivals.came(stand.elapsed, now + stand.reset)
            due |= self._follow(spent, stand.elapsed, chosen.cost if granted else 0)
        if due:
            self.price = self._solved(stand, spent, now)

    def left(self, now: float) -> NanoUSD | None:
        """What the allowance should still hold; None while nothing is known."""
        if self._seen is None:
            return None
        stand, at = self._seen
        if not self.allowance.rolling and now >= at + stand.reset:
            return stand.amount
        held = stand.held * exp(min(0.0, at - now) / LASTS)
        return NanoUSD(max(0, int(stand.amount - stand.settled - held)))

    def pace(self, now: float) -> float:
        """The share spent divided by the share of the window that is over, at least a twentieth."""
        if self._seen is None:
            return 0.0
        stand, at = self._seen
        if not stand.amount or (not self.allowance.rolling and now >= at + stand.reset):
            return 0.0
        over = 1.0
        if not self.allowance.rolling and stand.reset:
            over = 1.0 - (1.0 - stand.elapsed) * (at + stand.reset - now) / stand.reset
        return stand.settled / stand.amount / max(over, LEAST_OVER)

    def _follow(self, spent: float, elapsed: float, cost: int) -> bool:
        """Learn what left the ledger since the last call; whether this is a new window."""
        before = self._before
        self._before = spent, elapsed
        if before is None or elapsed < before[1]:
            return True
        self._gone = self._gone * _SCALE_FADE + spent - before[0]
        self._expected = self._expected * _SCALE_FADE + cost
        return False

    def _solved(self, stand: Stand, spent: float, now: float) -> float:
        left = max(0.0, stand.amount - spent)
        if self._rolling is None:
            coming = self._arrivals.coming()
            trust = stand.amount * _TRUST + 1.0
            scale = (self._gone + trust) / (self._expected + trust)
            slack = 1.0 + SLACK * left / max(1, stand.amount)
            target = slack * left / coming if coming else None
        else:
            coming = self._rolling.coming(now)
            zone = LANDING if self._rolling.watched(now) >= 1.0 else FIRST_LANDING
            landing = min(1.0, left / (zone * stand.amount)) if stand.amount else 0.0
            scale = 1.0
            target = stand.amount * landing / coming if coming else None
        if target is None:
            return 0.0
        return self._demand.price_for(target / max(_LEAST_SCALE, min(_MOST_SCALE, scale)))


class Pacers:
    """The pacers of every level's allowances; bounded, the longest unused are forgotten."""

    __slots__ = ("_pacers", "limit")

    def __init__(self, limit: int = MOST_PACERS) -> None:
        self.limit = limit
        self._pacers: OrderedDict[tuple[str, int], Pacer] = OrderedDict()

    def purse(self, levels: Sequence[Level], now: float) -> Purse:
        """The highest price and the least money of some levels' allowances."""
        price, left = 0.0, None
        for level in levels:
            for place in range(len(level.allowances)):
                pacer = self._pacers.get((level.id, place))
                if pacer is None:
                    continue
                price = max(price, pacer.price)
                if (own := pacer.left(now)) is not None and (left is None or own < left):
                    left = own
        return Purse(price, left)

    def noted(
        self,
        levels: Sequence[Level],
        choice: Choice,
        standing: Standing,
        now: float,
        *,
        granted: bool,
    ) -> None:
        """A call was chosen for; where its allowances stand with it, held (`granted`) or denied."""
        for (key, allowance), stand in zip(_allowances(levels), standing.allowances, strict=False):
            pacer = self._pacers.pop(key, None)
            if pacer is None or pacer.allowance != allowance:
                pacer = Pacer(allowance)
            self._pacers[key] = pacer
            pacer.noted(choice, stand, now, granted=granted)
        while len(self._pacers) > self.limit:
            self._pacers.popitem(last=False)

    def courses(self, now: float) -> list[Course]:
        """Every allowance's; a copy is walked, so any thread may ask."""
        return [
            Course(level, left, pacer.pace(now))
            for (level, _), pacer in list(self._pacers.items())
            if (left := pacer.left(now)) is not None
        ]


def _allowances(levels: Sequence[Level]) -> Iterator[tuple[tuple[str, int], Allowance]]:
    """Every allowance with a key, in the order in which a standing lists them."""
    for level in levels:
        for place, allowance in enumerate(level.allowances):
            yield (level.id, place), allowance


def menu(choice: Choice) -> tuple[list[int], list[float]]:
    """What a call could cost and what each would be worth; only the chosen where none weighed."""
    if not choice.cost_weight and not choice.time_weight:
        return [choice.chosen.cost], [0.0]
    worth = Weights.of(choice)._replace(price=0.0).worth
    fitting = [c for c in choice.candidates if not c.refused]
    return [c.cost for c in fitting], [worth(c) for c in fitting]
