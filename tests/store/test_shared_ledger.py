"""The ledger in Redis: the law over several replicas, and what an outage does to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from random import Random

import pytest

from gateway.call import Usage
from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.holds import Account, Charge, Claim, Denial, Grant, Limited, SpendQuery
from gateway.money import NanoUSD
from gateway.principal import Allowance, Level, Period
from gateway.store.redis.link import Link
from gateway.store.redis.topology import topology
from gateway.store.shared.ledger import LEASE_SECONDS, RedisLedger
from tests.fakes import FakeClock
from tests.store.redis_server import RedisServer, redis_server

KEY = Level("key:a", (Allowance(NanoUSD(1_000), Period.DAY),))
ROLLING = Level("key:b", (Allowance(NanoUSD(1_000), Period.MINUTE, rolling=True),))
TEAM = Level("team:t", (Allowance(NanoUSD(1_500), Period.MONTH),))
ACCOUNT = Account("o", "t", "a", "gpt-4.1-nano", "nano")
EVER = SpendQuery(date(2000, 1, 1), date(2100, 1, 1))


def claim(name: str, amount: int, *levels: Level, tokens: int = 10) -> Claim:
    return Claim(name, "o", levels or (KEY,), NanoUSD(amount), NanoUSD(amount // 2), tokens)


def charge(cost: int, *, estimated: bool = False) -> Charge:
    return Charge(ACCOUNT, NanoUSD(cost), Usage(7, 3, 2, 1, estimated), NanoUSD(5))


@asynccontextmanager
async def replica(
    server: RedisServer, clock: FakeClock | None = None, *, budget: float = 2.0
) -> AsyncIterator[RedisLedger]:
    link = Link(topology(server.url), SystemClock(), budget=budget)
    ledger = RedisLedger(link, clock or FakeClock())
    await link.reach()
    async with asyncio.TaskGroup() as group:
        tending = [group.create_task(link.tend()), group.create_task(ledger.tend())]
        try:
            yield ledger
        finally:
            await ledger.close()
            await link.close()
            await asyncio.wait(tending)


async def stands(ledger: RedisLedger, *levels: Level) -> list[tuple[int, int]]:
    standing = await ledger.standing("o", levels or (KEY,))
    return [(stand.settled, stand.held) for stand in standing.allowances]


async def settled(ledger: RedisLedger, wanted: list[tuple[int, int]], *levels: Level) -> None:
    """Settling is not waited for; it must come about all the same."""
    async with asyncio.timeout(5):
        while await stands(ledger, *levels) != wanted:
            await asyncio.get_running_loop().run_in_executor(None, int)


async def nothing_waits(ledger: RedisLedger) -> None:
    async with asyncio.timeout(5):
        while ledger.pending():
            await asyncio.get_running_loop().run_in_executor(None, int)


async def held(ledger: RedisLedger, *args: object) -> Grant:
    answer = await ledger.hold(claim(*args))  # type: ignore[arg-type]  # as `claim`
    assert isinstance(answer, Grant), answer
    return answer


async def test_what_is_held_is_settled_once(redis: RedisServer) -> None:
    async with replica(redis) as ledger:
        grant = await held(ledger, "a", 900)
        assert await stands(ledger) == [(0, 900)]

        ledger.settle(grant, charge(60))
        ledger.settle(grant, charge(60))
        await settled(ledger, [(60, 0)])

        (row,) = await ledger.spend(EVER)
    assert (row.account, row.calls, row.cost, row.prompt, row.saved) == (ACCOUNT, 1, 60, 7, 5)


async def test_a_level_that_refuses_leaves_the_others_untouched(redis: RedisServer) -> None:
    poor = Level("org:o", (Allowance(NanoUSD(5), Period.DAY),))
    async with replica(redis) as ledger:
        refused = await ledger.hold(claim("c", 10, KEY, poor))

        assert isinstance(refused, Denial)
        assert (refused.level, refused.limited) == ("org:o", Limited.ALLOWANCE)
        assert refused.retry_after is None
        assert [s.remaining for s in refused.standing.allowances] == [1_000, 5]
        assert await stands(ledger, KEY, poor) == [(0, 0), (0, 0)]


async def test_quotas_count_requests_tokens_and_parallel_calls(redis: RedisServer) -> None:
    level = Level("key:q", requests_per_minute=2, tokens_per_minute=100, parallel=2)
    async with replica(redis) as ledger:
        first = await ledger.hold(claim("a", 0, level, tokens=40))
        large = await ledger.hold(claim("b", 0, level, tokens=101))
        more = await ledger.hold(claim("b", 0, level, tokens=80))
        second = await ledger.hold(claim("b", 0, level, tokens=40))
        third = await ledger.hold(claim("c", 0, level, tokens=1))

    assert isinstance(first, Grant)
    assert isinstance(second, Grant)
    assert second.standing.tokens is not None
    assert second.standing.tokens.remaining == 20
    told = [(d.limited, d.retry_after) for d in (large, more, third) if isinstance(d, Denial)]
    assert told == [
        (Limited.TOKENS, None),
        (Limited.TOKENS, pytest.approx(12.0, abs=1e-3)),
        (Limited.PARALLEL, 1.0),
    ]


async def test_windows_turn(redis: RedisServer) -> None:
    clock = FakeClock()
    async with replica(redis, clock) as ledger:
        for number in range(10):
            ledger.settle(await held(ledger, f"r{number}", 100, ROLLING), charge(100))
            clock.at += 1
        await settled(ledger, [(1_000, 0)], ROLLING)
        refused = await ledger.hold(claim("late", 100, ROLLING))
        assert isinstance(refused, Denial)
        clock.at += 51
        assert isinstance(await ledger.hold(claim("later", 100, ROLLING)), Grant)


async def test_a_hold_whose_process_died_is_charged_as_expected_and_then_corrected(
    redis: RedisServer,
) -> None:
    clock = FakeClock()
    async with replica(redis, clock) as dying, replica(redis, clock) as other:
        grant = await held(dying, "a", 900)
        dying._live.clear()
        clock.at += LEASE_SECONDS + 1

        assert await stands(other) == [(450, 0)]

        other.settle(grant, charge(60))
        await settled(other, [(60, 0)])


async def test_a_live_hold_is_renewed(redis: RedisServer) -> None:
    clock = FakeClock()
    async with replica(redis, clock) as ledger:
        await held(ledger, "a", 900)
        for _ in range(4):
            clock.at += LEASE_SECONDS / 2
            await ledger._renew()

        assert await stands(ledger) == [(0, 900)]


async def test_two_hundred_callers_over_three_replicas_get_what_is_there(
    redis: RedisServer,
) -> None:
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(replica(redis)) for _ in range(3)]

        answers = await asyncio.gather(
            *[replicas[n % 3].hold(claim(f"c{n}", 10)) for n in range(200)]
        )

    assert sum(isinstance(answer, Grant) for answer in answers) == 100


async def test_the_law_holds_over_replicas_and_cancellations(redis: RedisServer) -> None:
    spent = 0

    async def calls(ledger: RedisLedger, name: str, dice: Random) -> None:
        nonlocal spent
        for number in range(40):
            amount = dice.randrange(200)
            answer = await ledger.hold(claim(f"{name}-{number}", amount, KEY, TEAM))
            if isinstance(answer, Grant):
                cost = dice.randrange(amount + 1) if dice.random() < 0.7 else 0
                spent += cost
                ledger.settle(answer, charge(cost))

    async def watches(ledger: RedisLedger) -> None:
        while True:
            for stand in (await ledger.standing("o", (KEY, TEAM))).allowances:
                assert stand.settled + stand.held <= stand.amount

    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(replica(redis)) for _ in range(3)]
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watches(replicas[0]))
            callers = [
                group.create_task(calls(replicas[n % 3], f"c{n}", Random(n)))  # noqa: S311 - a test
                for n in range(12)
            ]
            await asyncio.wait(callers)
            watching.cancel()
        await settled(replicas[0], [(spent, 0), (spent, 0)], KEY, TEAM)
    assert 0 < spent <= 1_000


async def test_what_cannot_be_settled_now_is_settled_later_and_once() -> None:
    with redis_server() as server:
        async with replica(server, budget=0.05) as ledger:
            grant = await held(ledger, "a", 900)
            server.freeze()
            with pytest.raises(StoreUnavailable):
                await ledger.hold(claim("b", 10))
            ledger.settle(grant, charge(60))
            ledger.settle(Grant(claim("b", 10), 0.0), Charge(ACCOUNT, calls=0))
            server.thaw()
            await nothing_waits(ledger)

        async with replica(server) as ledger:
            await settled(ledger, [(60, 0)])


async def test_a_call_that_was_let_pass_is_charged(redis: RedisServer) -> None:
    clock = FakeClock()
    async with replica(redis, clock) as ledger:
        ledger.settle(Grant(claim("a", 100), clock.wall(), backed=False), charge(60))

        await settled(ledger, [(60, 0)])


async def test_a_server_that_forgot_the_scripts_is_told_them_again(redis: RedisServer) -> None:
    async with replica(redis) as ledger:
        grant = await held(ledger, "a", 100)
        redis.ask("SCRIPT", "FLUSH")
        ledger.settle(grant, charge(60))

        await settled(ledger, [(60, 0)])


async def test_spend_is_told_by_account(redis: RedisServer) -> None:
    async with replica(redis) as ledger:
        for team in ("one", "two"):
            account = ACCOUNT._replace(team=team)
            ledger.settle(None, Charge(account, NanoUSD(9), Usage(1, 1, estimated=True)))
        async with asyncio.timeout(5):
            while len(rows := await ledger.spend(EVER)) < 2:
                await asyncio.get_running_loop().run_in_executor(None, int)
        (one,) = await ledger.spend(EVER._replace(team="one"))

    assert len(rows) == 2
    assert {row.account.team for row in rows} == {"one", "two"}
    assert (one.cost, one.estimated, one.calls) == (9, 9, 1)


async def test_a_hold_of_nothing_is_settled_and_lapses_like_any_other(redis: RedisServer) -> None:
    clock = FakeClock()
    async with replica(redis, clock) as ledger:
        ledger.settle(await held(ledger, "free", 0), charge(0))
        await nothing_waits(ledger)
        await held(ledger, "left", 0)
        ledger._live.clear()
        clock.at += LEASE_SECONDS + 1

        assert isinstance(await ledger.hold(claim("next", 10)), Grant)
        assert await stands(ledger) == [(0, 10)]
