"""The law of the ledger: settled + held ≤ allowance, whoever claims in whatever order."""

from hypothesis import settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from gateway.budget.books import LOST_SECONDS, Books
from gateway.budget.windows import window
from gateway.holds import Grant
from gateway.principal import Allowance, Level, Period
from tests.budget.books import NOW, allowed, claim

KEYS = (
    Level("key:a", (allowed(1_000), allowed(700, Period.MINUTE, rolling=True)), parallel=20),
    Level("key:b", (allowed(800, Period.HOUR, rolling=True),)),
    Level("key:c", (allowed(300, Period.MINUTE), allowed(2_000, Period.MONTH))),
)
TEAM = Level("team:t", (allowed(1_500), allowed(4_000, Period.MONTH, rolling=True)))
LEVELS = (*KEYS, TEAM)


class Ledger(RuleBasedStateMachine):
    """Callers who claim, settle, leave and are lost, against a list of what was truly spent."""

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.books = Books()
        self.now = NOW
        self.made = 0
        self.live: dict[str, Grant] = {}
        self.spent: dict[str, tuple[Grant, int]] = {}

    @rule(target=calls, key=st.sampled_from(KEYS), amount=st.integers(0, 400))
    def claim(self, key: Level, amount: int) -> str:
        self.made += 1
        asked = claim(f"c{self.made}", amount, key, TEAM)
        answer = self.books.hold(asked, self.now)
        if isinstance(answer, Grant):
            self.live[asked.id] = answer
        return asked.id

    @rule(name=consumes(calls), share=st.floats(0, 1))
    def settle(self, name: str, share: float) -> None:
        grant = self.live.pop(name, None)
        if grant is None:
            assert self.books.settle(name, 10_000, None) is None
            return
        cost = int(grant.claim.amount * share)
        self.spent[name] = (grant, cost)
        if self.books.settle(name, cost, 10) is None:
            assert self.books.correct(name, cost) is not None

    @rule(name=calls)
    def settle_again(self, name: str) -> None:
        if name in self.spent and name not in self.live:
            assert self.books.settle(name, 10_000, None) is None
            assert self.books.correct(name, 10_000) is None

    @rule(seconds=st.sampled_from((0.5, 1, 7, 59, 61, 3_600, 86_400, 40 * 86_400)))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def put_the_clock_back(self) -> None:
        self.now -= 3

    @rule()
    def sweep(self) -> None:
        self.books.sweep(self.now)

    @rule()
    def lose(self) -> None:
        for lapsed in self.books.lose(self.now):
            assert self.live[lapsed.id].at < self.now - LOST_SECONDS
            self.spent[lapsed.id] = (self.live[lapsed.id], lapsed.expected)

    @invariant()
    def no_allowance_is_overspent(self) -> None:
        for stand in self.books.standing("o", LEVELS, self.now).allowances:
            assert stand.settled >= 0
            assert stand.held >= 0
            assert stand.settled + stand.held <= stand.amount

    @invariant()
    def books_and_truth_agree(self) -> None:
        self.now = max(self.now, self.books._latest)
        stands = iter(self.books.standing("o", LEVELS, self.now).allowances)
        for level in LEVELS:
            for allowance in level.allowances:
                stand = next(stands)
                settled = [
                    cost for grant, cost in self.spent.values() if self._in(grant, level, allowance)
                ]
                held = [
                    grant.claim.amount
                    for name, grant in self.live.items()
                    if name not in self.spent and self._in(grant, level, allowance)
                ]
                assert (stand.settled, stand.held) == (sum(settled), sum(held))

    def _in(self, grant: Grant, level: Level, allowance: Allowance) -> bool:
        bucket = window(allowance, grant.at).bucket
        return level in grant.claim.levels and bucket >= window(allowance, self.now).oldest


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
