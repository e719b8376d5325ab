"""The ledger in Redis: claims, windows, rates and leases, on a real server."""

import asyncio

import pytest

from gateway.call import Usage
from gateway.errors import StoreUnavailable
from gateway.holds import Charge, Grant, Limited
from gateway.money import NanoUSD
from gateway.principal import Allowance, Level, Period
from gateway.store.redis.ledger import LEASE_SECONDS
from gateway.store.redis.link import Link
from gateway.store.redis.topology import topology
from tests.fakes import FakeClock
from tests.store.redis_ledgers import (
    ACCOUNT,
    EVER,
    KEY,
    REAL,
    ROLLING,
    ROOT,
    TEAM,
    charge,
    claim,
    comes_true,
    denied,
    held,
    ledger_on,
    stored,
    sums,
)
from tests.store.redis_server import RedisServer


async def test_what_is_held_is_settled_once(redis: RedisServer) -> None:
    async with ledger_on(redis) as ledger:
        grant = await held(ledger, claim("a", 900))
        assert await sums(ledger) == [(0, 900)]
        assert grant.standing.allowances[0].held == 900
        assert ledger.live() == 1

        ledger.settle(grant, charge(60))
        ledger.settle(grant, charge(60))

        assert await sums(ledger) == [(60, 0)]
        assert (ledger.live(), ledger.pending()) == (0, 0)
        (row,) = await ledger.spend(EVER)
    assert (row.account, row.calls, row.cost, row.prompt, row.saved) == (ACCOUNT, 1, 60, 7, 5)


async def test_a_hold_and_a_settling_are_one_round_trip_each(redis: RedisServer) -> None:
    async with ledger_on(redis) as ledger:
        ledger.settle(await held(ledger, claim("first", 1)), charge(1))
        await sums(ledger)
        before = redis.calls("evalsha")

        ledger.settle(await held(ledger, claim("a", 1)), charge(1))
        await comes_true(lambda: redis.calls("evalsha") == before + 2)


async def test_a_level_that_refuses_leaves_the_others_untouched(redis: RedisServer) -> None:
    poor = Level("org:o", (Allowance(NanoUSD(5), Period.DAY),), requests_per_minute=10)
    busy = Level("team:b", requests_per_minute=5, tokens_per_minute=100, parallel=3)
    async with ledger_on(redis) as ledger:
        refused = await denied(ledger, claim("c", 10, KEY, busy, poor))

        assert (refused.level, refused.limited, refused.retry_after) == (
            "org:o",
            Limited.ALLOWANCE,
            None,
        )
        assert [stand.remaining for stand in refused.standing.allowances] == [1_000, 5]
        assert redis.ask("KEYS", "tg1:*") == []


async def test_an_allowance_says_when_to_come_again(redis: RedisServer) -> None:
    clock = FakeClock()
    async with ledger_on(redis, clock) as ledger:
        await held(ledger, claim("a", 800))

        refused = await denied(ledger, claim("b", 300))

    assert refused.retry_after == pytest.approx(86_400 - clock.wall() % 86_400)


async def test_quotas_count_requests_tokens_and_parallel_calls(redis: RedisServer) -> None:
    level = Level("key:q", requests_per_minute=2, tokens_per_minute=100, parallel=2)
    async with ledger_on(redis, FakeClock()) as ledger:
        await held(ledger, claim("a", 0, level, tokens=40))
        large = await denied(ledger, claim("b", 0, level, tokens=101))
        more = await denied(ledger, claim("b", 0, level, tokens=80))
        second = await held(ledger, claim("b", 0, level, tokens=40))
        third = await denied(ledger, claim("c", 0, level, tokens=1))
        ledger.settle(second, Charge(ACCOUNT, usage=Usage(10, 0)))
        fourth = await denied(ledger, claim("c", 0, level, tokens=1))

    assert second.standing.tokens is not None
    assert second.standing.tokens.remaining == 20
    assert [(one.limited, one.retry_after) for one in (large, more, third, fourth)] == [
        (Limited.TOKENS, None),
        (Limited.TOKENS, pytest.approx(12.0, abs=1e-3)),
        (Limited.PARALLEL, 1.0),
        (Limited.REQUESTS, pytest.approx(30.0, abs=1e-3)),
    ]
    # Thirty tokens fewer than claimed were used.
    assert fourth.standing.tokens is not None
    assert fourth.standing.tokens.remaining == 50


async def test_a_quota_of_nothing_lets_nothing_through(redis: RedisServer) -> None:
    none = Level("key:n", requests_per_minute=0)
    async with ledger_on(redis) as ledger:
        refused = await denied(ledger, claim("a", 0, none))

    assert (refused.limited, refused.retry_after) == (Limited.REQUESTS, None)


async def test_settling_charges_the_window_of_the_hold(redis: RedisServer) -> None:
    clock = FakeClock()
    minute = Level("key:m", (Allowance(NanoUSD(1_000), Period.MINUTE),))
    async with ledger_on(redis, clock) as ledger:
        early = await held(ledger, claim("a", 900, minute))
        clock.at += 60
        late = await held(ledger, claim("b", 500, minute))

        ledger.settle(early, charge(800))
        assert await sums(ledger, minute) == [(0, 500)]
        ledger.settle(late, charge(70))
        assert await sums(ledger, minute) == [(70, 0)]


async def test_a_rolling_window_lets_go_bucket_by_bucket(redis: RedisServer) -> None:
    clock = FakeClock()
    async with ledger_on(redis, clock) as ledger:
        for number in range(10):
            ledger.settle(await held(ledger, claim(f"r{number}", 100, ROLLING)), charge(100))
            clock.at += 1
        assert await sums(ledger, ROLLING) == [(1_000, 0)]
        refused = await denied(ledger, claim("early", 100, ROLLING))
        assert refused.retry_after == pytest.approx(51.0)

        clock.at += 52
        await held(ledger, claim("later", 200, ROLLING))
        assert await sums(ledger, ROLLING) == [(800, 200)]


async def test_windows_do_not_go_back_with_a_clock(redis: RedisServer) -> None:
    clock = FakeClock()
    minute = Level("key:m", (Allowance(NanoUSD(1_000), Period.MINUTE),))
    async with ledger_on(redis, clock) as ledger:
        grant = await held(ledger, claim("a", 900, minute))
        clock.at -= 60
        assert (await denied(ledger, claim("b", 500, minute))).limited is Limited.ALLOWANCE
        ledger.settle(await held(ledger, claim("c", 100, minute)), charge(50))
        ledger.settle(grant, charge(60))
        assert await sums(ledger, minute) == [(110, 0)]

        clock.at -= 86_400
        # A clock that was a day ahead does not lock the allowance until that day.
        await held(ledger, claim("d", 900, minute))
        assert await sums(ledger, minute) == [(0, 900)]


async def test_a_claim_without_limits_asks_nobody() -> None:
    link = Link(topology("unix:///nowhere/redis.sock"), REAL)
    async with ledger_on(RedisServer(None, 0, {}), url="unix:///nowhere/redis.sock") as ledger:  # type: ignore[arg-type]  # no server
        grant = await held(ledger, claim("a", 100)._replace(levels=()))

        assert grant.backed
        with pytest.raises(StoreUnavailable):
            await ledger.hold(claim("b", 100))
    await link.close()


async def test_replicas_whose_clocks_differ_agree(redis: RedisServer) -> None:
    class Slow(FakeClock):
        pass

    hour = Level("key:h", (Allowance(NanoUSD(1_000), Period.HOUR),))
    async with ledger_on(redis) as one, ledger_on(redis) as two:
        two._clock = Slow()
        await held(one, claim("a", 900, hour))

        assert (await denied(two, claim("b", 900, hour))).limited is Limited.ALLOWANCE


async def test_the_same_claim_is_held_once(redis: RedisServer) -> None:
    async with ledger_on(redis) as ledger:
        await held(ledger, claim("a", 300))
        await held(ledger, claim("a", 300))

        assert await sums(ledger) == [(0, 300)]


async def test_a_caller_that_leaves_while_it_asks_holds_nothing(redis: RedisServer) -> None:
    async with ledger_on(redis) as ledger:
        await held(ledger, claim("a", 300))
        async with asyncio.TaskGroup() as group:
            asked = group.create_task(ledger.hold(claim("b", 300)))
            await asyncio.sleep(0)  # noqa: TID251 - one turn: it is asked and not answered
            asked.cancel()

        await comes_true(lambda: stored(redis) == (0, 300))
        assert ledger.live() == 1
        # Whichever the server sees first: what was given up is not held afterwards.
        with pytest.raises(StoreUnavailable):
            await ledger.hold(claim("b", 300))


async def test_a_call_that_was_let_pass_is_charged(redis: RedisServer) -> None:
    clock = FakeClock()
    async with ledger_on(redis, clock) as ledger:
        passed = Grant(claim("a", 100, KEY, ROLLING), clock.wall(), backed=False)

        ledger.settle(passed, charge(60))
        ledger.settle(passed, charge(60))
        clock.at += 62
        # Its minute is over; its day is not.
        ledger.settle(
            Grant(claim("b", 1, KEY, ROLLING), clock.wall() - 62, backed=False), charge(5)
        )

        assert await sums(ledger, KEY, ROLLING) == [(65, 0), (0, 0)]


async def test_a_charge_of_an_earlier_bucket_still_counts(redis: RedisServer) -> None:
    clock = FakeClock()
    async with ledger_on(redis, clock) as ledger:
        grant = await held(ledger, claim("a", 100, ROLLING))
        clock.at += 30
        ledger.settle(await held(ledger, claim("b", 10, ROLLING)), charge(10))
        ledger.settle(grant, charge(60))
        assert await sums(ledger, ROLLING) == [(70, 0)]

        clock.at += 31
        assert await sums(ledger, ROLLING) == [(10, 0)]


async def test_a_live_hold_is_renewed(redis: RedisServer) -> None:
    clock = FakeClock()
    async with ledger_on(redis, clock) as ledger:
        await held(ledger, claim("a", 900))
        for _ in range(4):
            clock.at += LEASE_SECONDS / 2
            await ledger._leases.renew()

        assert await sums(ledger) == [(0, 900)]


async def test_no_organisation_can_reach_into_another(redis: RedisServer) -> None:
    roots = ["", "-", "*", "}", "{a}", "a", "a}", "ä{}", "a:holds"]
    async with ledger_on(redis) as ledger:
        for number, root in enumerate(roots):
            await held(ledger, claim(f"c{number}", number + 1, root=root))

        found = [await sums(ledger, root=root) for root in roots]
    assert found == [[(0, number + 1)] for number in range(len(roots))]


async def test_everything_is_forgotten_by_itself(redis: RedisServer) -> None:
    async with ledger_on(redis) as ledger:
        quota = Level("org:o", requests_per_minute=100, parallel=9)
        await held(ledger, claim("a", 100, KEY, TEAM, ROLLING, quota))
        ledger.settle(await held(ledger, claim("b", 100, KEY, TEAM, ROLLING, quota)), charge(60))
        ledger.settle(None, charge(5))
        await ledger.spend(EVER)

    keys = redis.ask("KEYS", "*")
    assert isinstance(keys, list)
    ages = {key.decode(): redis.ask("TTL", key) for key in keys}
    assert len(ages) == 10
    assert [name for name, left in ages.items() if not isinstance(left, int) or left <= 0] == []
    assert ages[f"tg1:{{{ROOT}}}:level:key:a"] == 3 * 86_400
