"""The second half of what every `Ledger` must do: quotas, records of spend, life and death.

As `tests.store.ledger_contract`, with the same `bench`.
"""

from asyncio import gather
from datetime import UTC, date, datetime

import pytest

from gateway.call import Usage
from gateway.holds import Account, Claim, Denial, Grant, Limited, Meter, SpendQuery
from gateway.money import NanoUSD
from gateway.principal import Level, Period
from tests.store.ledger_contract import (
    ACCOUNT,
    EVER,
    KEY,
    TEAM,
    Bench,
    allowed,
    booked,
    charge,
    claim,
    denied,
    granted,
    spend,
)

__all__ = [
    "test_a_call_that_was_let_pass_is_charged_once",
    "test_a_dead_process_is_charged_what_was_expected_and_a_late_settling_corrects_it",
    "test_a_minutes_requests_may_come_at_once_and_then_one_by_one",
    "test_accounts_and_days_are_told_apart",
    "test_places_are_taken_until_a_call_is_settled",
    "test_replicas_share_what_there_is",
    "test_spend_is_found_by_name_and_day_and_no_more_than_asked_for",
    "test_spend_without_a_hold_is_recorded",
    "test_the_living_keep_what_they_hold",
    "test_the_scarcest_quota_is_told",
    "test_tokens_are_counted_as_claimed_and_then_as_used",
]


def told(meter: Meter | None) -> object:
    assert meter is not None
    return tuple(meter)


async def test_a_minutes_requests_may_come_at_once_and_then_one_by_one(bench: Bench) -> None:
    level = Level("key:q", requests_per_minute=12)

    async def asked(name: str) -> Grant | Denial:
        return await bench.ledger.hold(claim(name, 0, level))

    answers = [await asked(f"c{n}") for n in range(13)]
    await bench.let_pass(6.5)
    later = [await asked("d1"), await asked("d2")]
    await bench.let_pass(70)
    full = [await asked(f"e{n}") for n in range(13)]

    assert [isinstance(answer, Grant) for answer in answers] == [True] * 12 + [False]
    refused = denied(answers[-1])
    assert (refused.level, refused.limited) == ("key:q", Limited.REQUESTS)
    assert refused.retry_after == pytest.approx(5, abs=0.5)
    assert told(refused.standing.requests) == (12, 0, pytest.approx(60, abs=0.5))
    assert [isinstance(answer, Grant) for answer in later] == [True, False]
    assert [isinstance(answer, Grant) for answer in full] == [True] * 12 + [False]


async def test_tokens_are_counted_as_claimed_and_then_as_used(bench: Bench) -> None:
    level = Level("key:q", tokens_per_minute=6_000)
    first = granted(await bench.ledger.hold(claim("a", 0, level, tokens=5_000)))

    refused = denied(await bench.ledger.hold(claim("b", 0, level, tokens=2_000)))
    bench.ledger.settle(first, charge(0, Usage(400, 100)))
    await bench.quiet()
    second = granted(await bench.ledger.hold(claim("b", 0, level, tokens=2_000)))
    bench.ledger.settle(second, charge(0, Usage(4_000, 1_500)))
    await bench.quiet()
    third = denied(await bench.ledger.hold(claim("c", 0, level, tokens=1_000)))

    assert refused.limited is Limited.TOKENS
    assert refused.retry_after == pytest.approx(10, abs=1)
    assert second.standing.tokens is not None
    assert second.standing.tokens.remaining == pytest.approx(3_500, abs=150)
    assert third.retry_after == pytest.approx(10, abs=1.5)


async def test_places_are_taken_until_a_call_is_settled(bench: Bench) -> None:
    level = Level("key:q", parallel=2)
    first, _ = [granted(await bench.ledger.hold(claim(f"c{n}", 0, level))) for n in range(2)]

    refused = denied(await bench.ledger.hold(claim("more", 0, level)))
    bench.ledger.settle(first, charge(0))
    await bench.quiet()

    assert (refused.limited, refused.retry_after) == (Limited.PARALLEL, 1.0)
    assert isinstance(await bench.ledger.hold(claim("d", 0, level)), Grant)
    assert isinstance(await bench.ledger.hold(claim("e", 0, level)), Denial)


async def test_the_scarcest_quota_is_told(bench: Bench) -> None:
    key = Level("key:q", requests_per_minute=20, tokens_per_minute=900)
    team = Level("team:t", requests_per_minute=10, tokens_per_minute=9_000)

    grant = granted(await bench.ledger.hold(claim("a", 0, key, team, tokens=100)))

    assert told(grant.standing.requests) == (10, 9, pytest.approx(6, abs=0.5))
    assert told(grant.standing.tokens) == (900, 800, pytest.approx(60 / 9, abs=0.5))
    standing = await bench.ledger.standing("o", (key, team))
    assert standing.requests is not None
    assert standing.requests.limit == 10


async def test_a_call_that_was_let_pass_is_charged_once(bench: Bench) -> None:
    passed = Grant(claim("a", 100, KEY, TEAM), bench.now(), backed=False)

    bench.ledger.settle(passed, charge(60))
    bench.ledger.settle(passed, charge(60))

    assert await booked(bench, KEY, TEAM) == [(60, 0), (60, 0)]
    (row,) = await spend(bench)
    assert (row.calls, row.cost) == (1, 60)


async def test_spend_without_a_hold_is_recorded(bench: Bench) -> None:
    bench.ledger.settle(None, charge(60))
    bench.ledger.settle(None, charge(40, Usage(7, 3, 2, 1, estimated=True)))

    (row,) = await spend(bench)

    assert row.account == ACCOUNT
    assert row.day == datetime.fromtimestamp(bench.now(), UTC).date()
    assert (row.calls, row.prompt, row.cached, row.completion, row.reasoning) == (2, 14, 4, 6, 2)
    assert (row.cost, row.estimated, row.saved) == (100, 40, 10)


async def test_accounts_and_days_are_told_apart(bench: Bench) -> None:
    await bench.let_pass((bench.now() // 86_400 + 1) * 86_400 + 60 - bench.now())
    for cost, model in ((1, "small"), (5, "large"), (2, "small")):
        bench.ledger.settle(None, charge(cost, account=ACCOUNT._replace(model=model)))
    await bench.quiet()
    await bench.let_pass(86_400)
    bench.ledger.settle(None, charge(2, account=ACCOUNT._replace(model="small")))

    rows = await spend(bench)

    assert [(row.account.model, row.cost, row.calls) for row in rows] == [
        ("small", 2, 1),
        ("large", 5, 1),
        ("small", 3, 2),
    ]
    assert (rows[0].day - rows[1].day).days == 1


async def test_spend_is_found_by_name_and_day_and_no_more_than_asked_for(bench: Bench) -> None:
    for number, name in enumerate(("x", "y", "z")):
        account = Account(f"org-{name}", f"team-{name}", f"key-{name}", "m", "mini")
        bench.ledger.settle(None, charge(number, account=account))
    today = datetime.fromtimestamp(bench.now(), UTC).date()

    async def found(query: SpendQuery) -> str:
        return "".join([row.account.key[-1] for row in await spend(bench, query)])

    assert await found(EVER) == "zyx"
    assert await found(EVER._replace(organisation="org-x")) == "x"
    assert await found(EVER._replace(team="team-y")) == "y"
    assert await found(EVER._replace(key="key-z")) == "z"
    assert await found(EVER._replace(key="key-z", team="team-x")) == ""
    assert await found(EVER._replace(limit=2)) == "zy"
    assert await found(SpendQuery(today, today)) == "zyx"
    assert await found(EVER._replace(until=date(2001, 1, 1))) == ""


async def test_replicas_share_what_there_is(bench: Bench) -> None:
    ledgers = [bench.ledger, await bench.replica(), await bench.replica()]

    answers = await gather(
        *[ledgers[n % 3].hold(claim(f"c{n}", 10, KEY, TEAM)) for n in range(200)]
    )
    grants = [answer for answer in answers if isinstance(answer, Grant)]
    for number, grant in enumerate(grants):
        ledgers[number % 3].settle(grant, charge(4))

    assert len(grants) == 100
    assert await booked(bench, KEY, TEAM, ledger=ledgers[2]) == [(400, 0), (400, 0)]


async def test_a_dead_process_is_charged_what_was_expected_and_a_late_settling_corrects_it(
    bench: Bench,
) -> None:
    level = Level("key:a", (allowed(1_000),), parallel=2)
    settled = granted(await bench.ledger.hold(claim("settled", 100, level)))
    bench.ledger.settle(settled, charge(10))
    left = granted(await bench.ledger.hold(claim("left", 900, level)))
    await bench.quiet()

    heir = await bench.kill()

    assert await booked(bench, level, ledger=heir) == [(460, 0)]
    assert isinstance(await heir.hold(claim("more", 500, level)), Grant)
    heir.settle(left, charge(60))
    heir.settle(left, charge(60))
    heir.settle(settled, charge(10))
    await bench.quiet()
    assert await booked(bench, level, ledger=heir) == [(70, 500)]
    rows = await heir.spend(EVER)
    assert sum(row.cost for row in rows) == 70
    assert sum(row.estimated for row in rows) == 0


async def test_the_living_keep_what_they_hold(bench: Bench) -> None:
    level = Level("key:a", (allowed(1_000, Period.MONTH),), parallel=1)
    held = granted(await bench.ledger.hold(Claim("a", "o", (level,), NanoUSD(900), NanoUSD(1), 9)))

    await bench.let_pass(120)

    other = await bench.replica()
    assert await booked(bench, level, ledger=other) == [(0, 900)]
    bench.ledger.settle(held, charge(60))
    assert await booked(bench, level, ledger=other) == [(60, 0)]
