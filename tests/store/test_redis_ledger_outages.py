"""What an outage of Redis does to the ledger: nothing that was settled is lost or counted twice."""

from datetime import UTC, datetime

import pytest

from gateway.budget.records import OTHER
from gateway.errors import StoreUnavailable
from gateway.holds import Account, Grant
from gateway.store.redis.ledger_backlog import MAX_SUMS, Backlog, Names, Owed
from gateway.store.redis.ledger_records import MAX_ACCOUNTS, SUMS, spelled
from gateway.store.redis.ledger_shape import MICRO, Shape
from tests.processes import free_port
from tests.store.redis_ledgers import (
    ACCOUNT,
    EVER,
    KEY,
    REAL,
    ROOT,
    TEAM,
    charge,
    claim,
    comes_true,
    held,
    ledger_on,
    stored,
    sums,
)
from tests.store.redis_server import RedisServer, redis_server

BUDGET = 0.05


def let_pass(name: str, amount: int = 10) -> Grant:
    return Grant(claim(name, amount), REAL.wall(), backed=False)


async def test_what_was_frozen_between_hold_and_settling_is_settled_once() -> None:
    with redis_server() as server:
        async with ledger_on(server, budget=BUDGET, tend=True) as ledger:
            grant = await held(ledger, claim("a", 900))
            server.freeze()
            with pytest.raises(StoreUnavailable):
                await ledger.hold(claim("b", 10))
            ledger.settle(grant, charge(60))
            ledger.settle(let_pass("c"), charge(5))
            ledger.settle(let_pass("d"), charge(5))
            assert ledger.pending() > 0
            server.thaw()
            await comes_true(lambda: not ledger.pending())

            # The claim that nobody waits for holds nothing, whether it got there or not.
            assert stored(server) == (70, 0)
            assert [row.calls for row in await ledger.spend(EVER)] == [3]


async def test_a_settling_without_an_answer_is_sent_again_and_counted_once() -> None:
    with redis_server() as server:
        async with ledger_on(server, budget=BUDGET, tend=True) as ledger:
            grant = await held(ledger, claim("a", 900))
            server.freeze()
            ledger.settle(grant, charge(60))
            await comes_true(lambda: len(ledger._writer.backlog) == 1)
            server.thaw()
            await comes_true(lambda: not ledger.pending())

            assert stored(server) == (60, 0)


@pytest.mark.parametrize("kept", ["yes", "no"])
async def test_a_killed_server_is_told_when_it_is_back(kept: str) -> None:
    with redis_server(appendonly=kept, appendfsync="always") as server:
        async with ledger_on(server, budget=BUDGET, tend=True) as ledger:
            grant = await held(ledger, claim("a", 900))
            server.kill()
            ledger.settle(grant, charge(60))
            ledger.settle(let_pass("b"), charge(5))
            ledger.settle(None, charge(3))
            server.start()
            await comes_true(lambda: not ledger.pending())

            assert stored(server) == (65, 0)
            assert [row.cost for row in await ledger.spend(EVER)] == [68]


async def test_a_full_server_is_told_when_there_is_room() -> None:
    with redis_server() as server:
        async with ledger_on(server, tend=True) as ledger:
            grant = await held(ledger, claim("a", 900))
            server.ask("CONFIG", "SET", "maxmemory", "1")
            with pytest.raises(StoreUnavailable):
                await ledger.hold(claim("b", 10))
            ledger.settle(grant, charge(60))
            for number in range(50):
                ledger.settle(let_pass(f"c{number}"), charge(1))
            await comes_true(lambda: ledger.pending() == 2)
            server.ask("CONFIG", "SET", "maxmemory", "0")
            await comes_true(lambda: not ledger.pending())

            assert stored(server) == (110, 0)


async def test_a_server_that_forgets_the_scripts_under_load_is_told_them(
    redis: RedisServer,
) -> None:
    async with ledger_on(redis, tend=True) as ledger:
        for number in range(100):
            grant = await held(ledger, claim(f"c{number}", 10))
            if number % 7 == 0:
                redis.ask("SCRIPT", "FLUSH")
            ledger.settle(grant, charge(1))
        await comes_true(lambda: not ledger.pending())

        assert await sums(ledger) == [(100, 0)]


async def test_rubbish_in_the_place_of_a_key_is_removed(redis: RedisServer) -> None:
    day = int(REAL.wall() // 86_400)
    base = f"tg1:{{{ROOT}}}:"
    names = [f"{base}{name}" for name in ("holds", "leases", "level:key:a", f"spend:{day}")]
    async with ledger_on(redis) as ledger:
        for name in [*names, "tg1:roots"]:
            redis.ask("LPUSH", name, "rubbish")
        ledger.settle(await held(ledger, claim("a", 100)), charge(60))

        assert await sums(ledger) == [(60, 0)]
        redis.ask("HSET", names[0], "dead", "rubbish")
        redis.ask("ZADD", names[1], 1, "dead")
        redis.ask("HSET", names[3], "rubbish", "rubbish")
        assert await sums(ledger) == [(60, 0)]
        assert [row.cost for row in await ledger.spend(EVER)] == [60]
        assert redis.ask("EXISTS", names[1]) == 0


async def test_what_is_left_of_a_dead_process_is_found_without_asking(redis: RedisServer) -> None:
    # Several looks long, so that a busy machine renews what lives.
    async with ledger_on(redis, lease=1.5, tend=True) as ledger:
        for number in range(60):
            await held(ledger, claim(f"c{number}", 10))
        ledger._leases.live.clear()
        await held(ledger, claim("alive", 10))

        await comes_true(lambda: stored(redis) == (300, 10), 10)


async def test_a_denied_claim_first_ends_what_is_in_its_way(redis: RedisServer) -> None:
    async with ledger_on(redis, lease=0.01) as ledger:
        await held(ledger, claim("dead", 900))
        await REAL.sleep(0.02)

        assert isinstance(await ledger.hold(claim("a", 500)), Grant)


async def test_one_script_touches_one_slot_of_a_cluster() -> None:
    with redis_server(port=free_port(), cluster_enabled="yes", cluster_port=str(free_port())) as it:
        it.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16_383)
        await comes_true(
            lambda: b"cluster_state:ok" in bytes(str(it.ask("CLUSTER", "INFO")), "utf8")
        )
        async with ledger_on(it, url=f"redis+cluster://127.0.0.1:{it.port}", tend=True) as ledger:
            for root in ("", "-", "a}b"):
                grant = await held(ledger, claim(f"c{root}", 100, KEY, TEAM, root=root))
                ledger.settle(grant, charge(60))
                assert await sums(ledger, KEY, TEAM, root=root) == [(60, 0), (60, 0)]
            assert [row.cost for row in await ledger.spend(EVER)] == [180]


async def test_a_day_with_too_many_accounts_tells_the_rest_as_one(redis: RedisServer) -> None:
    day = int(REAL.wall() // 86_400)
    full = [
        word
        for number in range(MAX_ACCOUNTS)
        for word in (spelled(ACCOUNT._replace(key=f"k{number}")), SUMS.pack(*(1,) * 8))
    ]
    redis.ask("HSET", f"tg1:{{{ROOT}}}:spend:{day}", *full)
    async with ledger_on(redis) as ledger:
        ledger.settle(None, charge(7, account=ACCOUNT._replace(key="new")))
        ledger.settle(None, charge(7, account=ACCOUNT._replace(key="newer")))
        ledger.settle(None, charge(7, account=ACCOUNT._replace(key="k5")))

        rows = await ledger.spend(EVER._replace(limit=MAX_ACCOUNTS + 9))
    assert len(rows) == MAX_ACCOUNTS + 1
    assert rows[0].account == Account(ROOT, OTHER, OTHER, OTHER, "nano")
    assert (rows[0].cost, rows[0].calls) == (14, 2)
    assert rows[1].cost == 8
    assert rows[0].day == datetime.fromtimestamp(REAL.wall(), UTC).date()


def owed(number: int, at: float, *, cost: int = 1) -> Owed:
    account = ACCOUNT._replace(key=f"k{number}")
    return Owed(f"n{number}", "charge", SHAPE, int(at * MICRO), cost, account, (1,) * 8)


SHAPE = Shape(ROOT, (KEY,))


def test_what_waits_without_a_hold_is_added_up() -> None:
    backlog, names = Backlog(), Names("p")
    for second in (0, 59, 60):
        backlog.keep(owed(1, second))
    assert len(backlog) == 2

    first, last = backlog.take(9, names)

    assert (first.cost, first.sums, first.at) == (2, (2,) * 8, 59 * MICRO)
    assert (first.name, last.name) == ("p.1", "p.2")
    assert not backlog


def test_a_long_outage_is_added_up_more_coarsely_and_loses_nothing() -> None:
    backlog, names = Backlog(), Names("p")
    for minute in range(2 * MAX_SUMS):
        backlog.keep(owed(minute % 3, minute * 60))

    assert len(backlog) < MAX_SUMS / 2
    assert sum(one.cost for one in backlog.take(MAX_SUMS, names)) == 2 * MAX_SUMS
    for number in range(2 * MAX_SUMS):
        backlog.keep(owed(number, 0))
    assert len(backlog) == 2 * MAX_SUMS
