"""The price of money: none where it lasts, enough where it would not, of the scarcest allowance."""

from dataclasses import dataclass, field

import pytest

from gateway.budget.books import Books
from gateway.call import NO_WISHES
from gateway.catalog import Tier
from gateway.holds import Claim, Denial, Grant
from gateway.money import NanoUSD
from gateway.principal import Allowance, Level, Period
from gateway.route.choose import Chooser, Policy, Speed
from gateway.route.outlook import Outlook
from gateway.route.pacing import Pacers, menu
from gateway.route.reasons import Choice
from gateway.route.target import ROUTE_FREELY, resolve
from tests.fakes import assessment, catalog
from tests.route.dice import dice

HOUR = 3_600.0
START = 1_795_000_000.0 - 1_795_000_000.0 % HOUR
CATALOG = catalog()
CHOOSER = Chooser(CATALOG, Policy(0.95, doubling=0.042))
SPEEDS = dict.fromkeys(Tier, Speed(0.5, 0.01))


def level(amount: int, *, rolling: bool = False, name: str = "key:k") -> Level:
    return Level(name, (Allowance(NanoUSD(amount), Period.HOUR, rolling),))


@dataclass
class Till:
    """Calls of a key, held and settled at once."""

    levels: tuple[Level, ...]
    pacers: Pacers = field(default_factory=Pacers)
    books: Books = field(default_factory=Books)
    number: int = 0
    denied: int = 0
    spent: int = 0

    def call(self, now: float, price: float | None = None, *, settles: bool = True) -> Choice:
        random = dice(self.number)
        self.number += 1
        gain = random.random() * 0.3
        seen = assessment(
            random.randint(50, 500), quality=(0.6, 0.6 + gain / 2, 0.6 + gain), max_completion=200
        )
        known, left = self.pacers.purse(self.levels, now)
        outlook = Outlook(SPEEDS, price=known if price is None else price, left=left)
        choice = CHOOSER.choose(seen, ROUTE_FREELY, NO_WISHES, outlook)
        chosen = choice.chosen
        claim = Claim(f"{self.number}", "r", self.levels, chosen.worst, chosen.cost, 0)
        answer: Grant | Denial = self.books.hold(claim, now)
        granted = isinstance(answer, Grant)
        self.pacers.noted(self.levels, choice, answer.standing, now, granted=granted)
        self.denied += not granted
        self.spent += chosen.cost if granted else 0
        if granted and settles:
            self.books.settle(claim.id, chosen.cost, None)
        return choice

    def hour(self, number: int = 0, calls: int = 400) -> float:
        """Calls evenly over an hour; what they cost."""
        step = HOUR / calls
        before = self.spent
        for n in range(calls):
            self.call(START + number * HOUR + (n + 0.5) * step)
        return float(self.spent - before)

    @property
    def price(self) -> float:
        return self.pacers.purse(self.levels, START).price


DEMANDED = Till((level(10**15),)).hour()
"""What an hour of calls costs when money is no matter."""


def test_money_that_lasts_has_no_price() -> None:
    till = Till((level(int(2 * DEMANDED)),))

    assert till.hour() == DEMANDED
    assert till.price == 0.0


@pytest.mark.parametrize("share", [0.8, 0.4, 0.2])
@pytest.mark.parametrize("rolling", [False, True])
def test_money_that_would_not_last_does(share: float, rolling: bool) -> None:
    amount = int(share * DEMANDED)
    till = Till((level(amount, rolling=rolling),))

    spent = [till.hour(number) / amount for number in range(3)]

    # The last call of a window may find too little left for its worst case.
    assert till.denied <= 20 if rolling else till.denied <= 4
    assert max(spent) <= (1.15 if rolling else 1.0)
    assert min(spent[1:]) > (0.8 if rolling else 0.95)


def test_the_price_rises_with_the_scarcity() -> None:
    prices = []
    for share in (0.9, 0.5, 0.2):
        till = Till((level(int(share * DEMANDED)),))
        till.hour()
        till.hour(1, calls=399)
        prices.append(till.pacers.purse(till.levels, START).price)

    assert prices == sorted(prices)
    assert prices[2] > 3 * prices[0]


def test_the_scarcest_of_several_allowances_steers() -> None:
    rich, poor = level(10**15), level(int(0.3 * DEMANDED), name="team:t")
    both, alone = Till((rich, poor)), Till((poor,))

    assert both.hour() == pytest.approx(alone.hour(), rel=0.02)


def test_a_new_window_is_priced_at_once() -> None:
    till = Till((level(int(0.3 * DEMANDED)),))
    for n in range(390):
        till.call(START + n * HOUR / 400, price=0.0)
    spent_out = till.price
    till.call(START + HOUR + 1.0)

    assert till.price < spent_out / 2


def test_what_is_left_is_known_from_the_last_call() -> None:
    till = Till((level(10**9),))
    assert till.pacers.purse(till.levels, START) == (0.0, None)

    held = till.call(START, settles=False).chosen.worst

    assert till.pacers.purse(till.levels, START).left == 10**9 - held
    # Calls end within seconds, and windows as well.
    assert till.pacers.purse(till.levels, START + 60.0).left == pytest.approx(10**9, rel=1e-5)
    assert till.pacers.purse(till.levels, START + HOUR).left == 10**9


def test_a_call_that_nothing_was_weighed_for_has_one_price() -> None:
    named = CHOOSER.choose(
        assessment(), resolve("full", NO_WISHES, CATALOG), NO_WISHES, Outlook(SPEEDS)
    )

    assert menu(named) == ([named.chosen.cost], [0.0])


def test_a_denied_call_has_spent_nothing() -> None:
    till = Till((level(1),))

    for n in range(50):
        till.call(START + n * 60.0)

    assert till.denied == 50
    assert till.price > 1e-5


def test_changed_terms_begin_anew_and_pacers_are_bounded() -> None:
    pacers = Pacers(limit=2)
    for name in ("a", "b", "c"):
        Till((level(int(0.1 * DEMANDED), name=name),), pacers).hour(calls=40)

    assert pacers.purse((level(1, name="a"),), START).left is None
    assert pacers.purse((level(1, name="c"),), START).price > 0.0
    Till((level(10**15, name="c"),), pacers).call(START + HOUR)
    assert pacers.purse((level(1, name="c"),), START).price == 0.0
