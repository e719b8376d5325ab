"""The law, over replicas: settled + held ≤ allowance at every instant, and after quiet the truth.

Replicas are processes of their own, and a reader that knows only Redis looks all the time.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from random import Random
from threading import Event, Thread

from gateway.holds import Grant
from gateway.store.redis.ledger import RedisLedger
from tests.store.redis_ledger_replica import AMOUNT, EXPECTED, LEASE, TEAM
from tests.store.redis_ledgers import (
    EVER,
    KEY,
    REAL,
    ROOT,
    charge,
    claim,
    comes_true,
    ledger_on,
    stored,
    sums,
)
from tests.store.redis_server import RedisServer

Process = subprocess.Popen[str]


@contextmanager
def replicas(server: RedisServer, *told: tuple[str, int, int]) -> Iterator[list[Process]]:
    """Processes that begin at the same time; each is told its name, callers and calls of each."""
    started = [
        subprocess.Popen(  # noqa: S603 - our own words
            [
                sys.executable,
                *("-m", "tests.store.redis_ledger_replica", server.url, name),
                *(str(callers), str(calls)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, callers, calls in told
    ]
    try:
        for one in started:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in started:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        yield started
    finally:
        for one in started:
            one.kill()
            one.communicate()


@contextmanager
def watched(server: RedisServer, allowance: int) -> Iterator[list[tuple[int, int]]]:
    """What an independent reader sees, again and again."""
    seen: list[tuple[int, int]] = []
    over = Event()

    def look() -> None:
        while not over.is_set():
            seen.append(stored(server, TEAM))

    reader = Thread(target=look)
    reader.start()
    try:
        yield seen
    finally:
        over.set()
        reader.join()
    assert len(seen) > 10
    assert max(settled + held for settled, held in seen) <= allowance
    assert min(min(pair) for pair in seen) >= 0


def test_two_hundred_callers_over_three_processes_get_what_is_there(redis: RedisServer) -> None:
    with (
        watched(redis, 1_000),
        replicas(redis, ("a", 67, 1), ("b", 67, 1), ("c", 66, 1)) as started,
    ):
        told = [one.communicate()[0].split("\n") for one in started]

    assert sum(lines.count("held") for lines in told) == 100
    assert sum(lines.count("denied") for lines in told) == 100
    assert stored(redis, TEAM) == (100 * AMOUNT, 0)


async def test_the_law_outlives_processes_that_are_killed(redis: RedisServer) -> None:
    with (
        watched(redis, 1_000) as seen,
        replicas(redis, ("doomed", 30, 0), ("a", 30, 30), ("b", 30, 30)) as started,
    ):
        doomed, *living = started
        await comes_true(lambda: seen and seen[-1][0] > 150)
        doomed.send_signal(signal.SIGKILL)
        told = [line.split() for one in living for line in one.communicate()[0].splitlines()]
        last_words = [line.split() for line in doomed.communicate()[0].splitlines()]
        await REAL.sleep(LEASE)
        async with ledger_on(redis, tend=True) as ledger:
            await sums(ledger, TEAM)
            rows = await ledger.spend(EVER)
            await comes_true(lambda: stored(redis, TEAM)[1] == 0)

    spent = sum(int(words[1]) for words in told if words[0] == "settled")
    assert spent > 0
    left = [row for row in rows if row.account.key == "doomed"]
    calls = sum(row.calls for row in left)
    assert stored(redis, TEAM) == (spent + calls * EXPECTED, 0)
    assert sum(row.cost for row in rows) == spent + calls * EXPECTED
    # What it told of as settled may not have left it; what it held may not have been told.
    held = sum(words == ["held"] for words in last_words)
    assert held <= calls <= held + 30
    assert redis.ask("ZCOUNT", f"tg1:{{{ROOT}}}:leases", "-inf", "+inf") == sum(
        row.calls for row in left if row.account.model == ""
    )


async def test_the_law_holds_over_links_and_cancellations(redis: RedisServer) -> None:
    spent = 0

    async def calls(ledger: RedisLedger, name: str, dice: Random) -> None:
        nonlocal spent
        for number in range(12):
            amount = dice.randrange(200)
            try:
                async with asyncio.timeout(dice.choice([None, None, 0.0, 0.001, 0.004])):
                    answer = await ledger.hold(claim(f"{name}-{number}", amount, KEY, TEAM))
            except TimeoutError:
                continue
            if isinstance(answer, Grant):
                await REAL.sleep(dice.random() / 500)
                cost = dice.randrange(amount + 1) if dice.random() < 0.3 else 0
                spent += cost
                ledger.settle(answer, charge(cost))

    with watched(redis, 1_500):
        async with three(redis) as links, asyncio.TaskGroup() as group:
            for n in range(150):
                group.create_task(calls(links[n % 3], f"c{n}", Random(n)))  # noqa: S311 - a test
    async with ledger_on(redis) as ledger:
        assert await sums(ledger, KEY, TEAM) == [(spent, 0), (spent, 0)]
        assert sum(row.cost for row in await ledger.spend(EVER)) == spent
    assert 0 < spent <= 1_000


@asynccontextmanager
async def three(server: RedisServer) -> AsyncIterator[list[RedisLedger]]:
    """Three replicas in this process, each on a link of its own."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(ledger_on(server, tend=True)) for _ in range(3)]
