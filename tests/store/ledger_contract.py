"""What every `Ledger` must do, as tests: import them all where a fixture `bench` gives one.

A store's own test module says `from tests.store.ledger_contract import *`, the same of
`tests.store.ledger_quota_contract`, and defines `bench`, a fresh, empty ledger and what else may
befall it. Its time must be one that can be turned; where time also passes by itself, no test minds
a second.
"""

from asyncio import gather
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.call import Usage
from gateway.holds import (
    Account,
    Charge,
    Claim,
    Denial,
    Grant,
    Limited,
    SpendQuery,
    Spent,
    Stand,
    Standing,
)
from gateway.money import NanoUSD
from gateway.ports import Ledger
from gateway.principal import Allowance, Level, Period

__all__ = [
    "test_a_claim_made_twice_holds_once",
    "test_a_claim_that_is_more_than_the_whole_need_not_wait",
    "test_a_claim_without_levels_asks_nobody",
    "test_a_hold_is_settled_in_the_window_it_was_made_in",
    "test_a_level_that_refuses_leaves_the_others_untouched",
    "test_a_limit_that_changes_forgets_nothing",
    "test_a_rolling_allowance_counts_all_of_its_last_period",
    "test_all_callers_together_get_what_is_there",
    "test_levels_are_shared_by_whoever_has_them",
    "test_sums_are_exact_to_the_last_nano_dollar",
    "test_what_a_call_did_not_cost_is_there_again",
    "test_what_is_held_is_settled_once",
    "test_windows_begin_with_the_calendar",
]


@dataclass(slots=True)
class Bench:
    """A ledger under test.

    `let_pass` lets seconds pass, the leases of the living being renewed meanwhile; `now` is the
    ledger's time, epoch seconds. `quiet` waits until what was settled has got there. `replica`
    gives another ledger on the same store (where only one process can be, the same). `kill` has
    the process of `ledger` die without a word and its leases run out, and gives the ledger of
    whoever comes next.
    """

    ledger: Ledger
    let_pass: Callable[[float], Awaitable[None]]
    now: Callable[[], float]
    quiet: Callable[[], Awaitable[None]]
    replica: Callable[[], Awaitable[Ledger]]
    kill: Callable[[], Awaitable[Ledger]]


ACCOUNT = Account("o", "t", "a", "gpt-4.1-nano", "nano")
USAGE = Usage(7, 3, 2, 1)
EVER = SpendQuery(date(2000, 1, 1), date(2100, 1, 1))


def allowed(amount: int, period: Period = Period.MONTH, *, rolling: bool = False) -> Allowance:
    return Allowance(NanoUSD(amount), period, rolling)


KEY = Level("key:a", (allowed(1_000),))
OTHER_KEY = Level("key:b", (allowed(1_000),))
TEAM = Level("team:t", (allowed(1_500),))


def claim(name: str, amount: int, *levels: Level, tokens: int = 10) -> Claim:
    expected = NanoUSD(amount // 2)
    return Claim(name, "o", levels or (KEY,), NanoUSD(amount), expected, tokens)


def charge(cost: int, usage: Usage = USAGE, account: Account = ACCOUNT) -> Charge:
    return Charge(account, NanoUSD(cost), usage, NanoUSD(5))


def granted(answer: Grant | Denial) -> Grant:
    assert isinstance(answer, Grant), answer
    return answer


def denied(answer: Grant | Denial) -> Denial:
    assert isinstance(answer, Denial), answer
    return answer


def sums(standing: Standing) -> list[tuple[int, int]]:
    return [(stand.settled, stand.held) for stand in standing.allowances]


async def stands(bench: Bench, *levels: Level, ledger: Ledger | None = None) -> list[Stand]:
    await bench.quiet()
    standing = await (ledger or bench.ledger).standing("o", levels or (KEY,))
    return list(standing.allowances)


async def booked(
    bench: Bench, *levels: Level, ledger: Ledger | None = None
) -> list[tuple[int, int]]:
    return [(stand.settled, stand.held) for stand in await stands(bench, *levels, ledger=ledger)]


async def spend(bench: Bench, query: SpendQuery = EVER) -> list[Spent]:
    await bench.quiet()
    return await bench.ledger.spend(query)


async def turn_to(bench: Bench, moment: float) -> None:
    await bench.let_pass(moment - bench.now())


async def test_a_claim_without_levels_asks_nobody(bench: Bench) -> None:
    asked = claim("a", 100)._replace(levels=())

    grant = granted(await bench.ledger.hold(asked))
    bench.ledger.settle(grant, charge(60))
    bench.ledger.settle(grant, charge(60))

    assert grant.standing == Standing()
    assert [row.cost for row in await spend(bench)] == [60]


async def test_what_is_held_is_settled_once(bench: Bench) -> None:
    grant = granted(await bench.ledger.hold(claim("a", 900)))
    assert sums(grant.standing) == [(0, 900)]
    assert await booked(bench) == [(0, 900)]

    bench.ledger.settle(grant, charge(60))
    bench.ledger.settle(grant, charge(60))

    assert await booked(bench) == [(60, 0)]
    (row,) = await spend(bench)
    assert (row.calls, row.cost) == (1, 60)


async def test_what_a_call_did_not_cost_is_there_again(bench: Bench) -> None:
    granted(await bench.ledger.hold(claim("other", 100)))
    grant = granted(await bench.ledger.hold(claim("a", 900)))
    assert isinstance(await bench.ledger.hold(claim("b", 1)), Denial)

    bench.ledger.settle(grant, charge(0))
    await bench.quiet()

    assert isinstance(await bench.ledger.hold(claim("b", 900)), Grant)


async def test_a_claim_made_twice_holds_once(bench: Bench) -> None:
    first = granted(await bench.ledger.hold(claim("a", 300)))

    # As when the answer to the first was lost on the way.
    again = granted(await bench.ledger.hold(claim("a", 300)))

    assert await booked(bench) == [(0, 300)]
    bench.ledger.settle(again, charge(60))
    bench.ledger.settle(first, charge(60))
    assert await booked(bench) == [(60, 0)]


async def test_all_callers_together_get_what_is_there(bench: Bench) -> None:
    answers = await gather(*[bench.ledger.hold(claim(f"c{n}", 10)) for n in range(200)])

    assert sum(isinstance(answer, Grant) for answer in answers) == 100
    assert await booked(bench) == [(0, 1_000)]


async def test_a_level_that_refuses_leaves_the_others_untouched(bench: Bench) -> None:
    key = Level("key:a", (allowed(1_000),), requests_per_minute=5, tokens_per_minute=50, parallel=2)
    poor = Level("org:o", (allowed(5),))

    refused = denied(await bench.ledger.hold(claim("c", 10, key, poor)))

    assert (refused.level, refused.limited) == ("org:o", Limited.ALLOWANCE)
    assert [stand.remaining for stand in refused.standing.allowances] == [1_000, 5]
    standing = await bench.ledger.standing("o", (key, poor))
    assert sums(standing) == [(0, 0), (0, 0)]
    assert standing.requests is not None
    assert standing.tokens is not None
    assert (standing.requests.remaining, standing.tokens.remaining) == (5, 50)


async def test_levels_are_shared_by_whoever_has_them(bench: Bench) -> None:
    granted(await bench.ledger.hold(claim("a", 1_000, KEY, TEAM)))

    refused = denied(await bench.ledger.hold(claim("b", 501, OTHER_KEY, TEAM)))
    granted(await bench.ledger.hold(claim("c", 500, OTHER_KEY, TEAM)))

    assert refused.level == "team:t"
    assert await booked(bench, KEY, OTHER_KEY, TEAM) == [(0, 1_000), (0, 500), (0, 1_500)]


async def test_a_claim_that_is_more_than_the_whole_need_not_wait(bench: Bench) -> None:
    level = Level("key:a", (allowed(1_000),), tokens_per_minute=100)

    money = denied(await bench.ledger.hold(claim("a", 1_001, level)))
    tokens = denied(await bench.ledger.hold(claim("a", 10, level, tokens=101)))

    assert (money.limited, money.retry_after) == (Limited.ALLOWANCE, None)
    assert (tokens.limited, tokens.retry_after) == (Limited.TOKENS, None)


async def test_a_limit_that_changes_forgets_nothing(bench: Bench) -> None:
    bench.ledger.settle(granted(await bench.ledger.hold(claim("a", 900))), charge(900))
    await bench.quiet()
    larger = Level("key:a", (allowed(2_000),))

    assert isinstance(await bench.ledger.hold(claim("b", 200)), Denial)
    assert isinstance(await bench.ledger.hold(claim("b", 200, larger)), Grant)
    assert await booked(bench, larger) == [(900, 200)]


async def test_sums_are_exact_to_the_last_nano_dollar(bench: Bench) -> None:
    large = 2**52 + 1
    level = Level("key:a", (allowed(large),))

    grant = granted(await bench.ledger.hold(claim("a", large, level)))
    assert await booked(bench, level) == [(0, large)]
    bench.ledger.settle(grant, charge(large - 2))

    assert await booked(bench, level) == [(large - 2, 0)]
    assert isinstance(await bench.ledger.hold(claim("b", 3, level)), Denial)
    assert isinstance(await bench.ledger.hold(claim("b", 2, level)), Grant)
    assert [row.cost for row in await spend(bench)] == [large - 2]


async def test_windows_begin_with_the_calendar(bench: Bench) -> None:
    periods = (Period.MINUTE, Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH)
    levels = [Level(f"key:{period.value}", (allowed(100, period),)) for period in periods]
    # A Monday that is the first of a month: every window begins with it.
    first = datetime.fromtimestamp(bench.now() // 86_400 * 86_400, UTC).replace(day=1)
    while first.timestamp() < bench.now() + 120 or first.weekday():
        first = (first + timedelta(days=32)).replace(day=1)
    await turn_to(bench, first.timestamp() - 40)
    for level in levels:
        grant = granted(await bench.ledger.hold(claim(level.id, 60, level)))
        bench.ledger.settle(grant, charge(60))
        await bench.quiet()
        refused = denied(await bench.ledger.hold(claim("more", 60, level)))
        assert refused.retry_after == pytest.approx(first.timestamp() - bench.now(), abs=2)

    before = await stands(bench, *levels)
    await bench.let_pass(45)
    after = await stands(bench, *levels)

    assert [stand.settled for stand in before] == [60] * 5
    assert all(0.3 < stand.elapsed <= 1 and 0 < stand.reset <= 40 for stand in before)
    assert [stand.settled for stand in after] == [0] * 5
    assert all(0 < stand.elapsed < 0.2 and stand.reset > 40 for stand in after)


async def test_a_hold_is_settled_in_the_window_it_was_made_in(bench: Bench) -> None:
    level = Level("key:a", (allowed(100, Period.MINUTE),))
    await turn_to(bench, (bench.now() // 60 + 1) * 60 + 50)
    grant = granted(await bench.ledger.hold(claim("a", 100, level)))

    await bench.let_pass(20)
    assert await booked(bench, level) == [(0, 0)]
    bench.ledger.settle(grant, charge(100))

    assert await booked(bench, level) == [(0, 0)]
    (row,) = await spend(bench)
    assert row.cost == 100


async def test_a_rolling_allowance_counts_all_of_its_last_period(bench: Bench) -> None:
    level = Level("key:a", (allowed(100, Period.HOUR, rolling=True),))
    # The end of a bucket: the next but fifty-nine is the first that may let it go.
    await turn_to(bench, (bench.now() // 60 + 1) * 60 + 50)
    bench.ledger.settle(granted(await bench.ledger.hold(claim("a", 60, level))), charge(60))
    await bench.let_pass(600)
    bench.ledger.settle(granted(await bench.ledger.hold(claim("b", 40, level))), charge(40))
    await bench.quiet()

    refused = denied(await bench.ledger.hold(claim("c", 10, level)))
    (stand,) = await stands(bench, level)
    assert (stand.settled, stand.elapsed) == (100, 1.0)
    assert refused.retry_after is not None
    assert 0 < refused.retry_after <= 3_060

    await bench.let_pass(2_990)
    assert isinstance(await bench.ledger.hold(claim("d", 10, level)), Denial)
    await bench.let_pass(75)
    assert isinstance(await bench.ledger.hold(claim("e", 60, level)), Grant)
    assert isinstance(await bench.ledger.hold(claim("f", 1, level)), Denial)
