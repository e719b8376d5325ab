"""A replica as a process of its own: callers of one ledger, until it is told to end or is killed.

`python -m tests.store.redis_ledger_replica URL NAME CALLERS CALLS` has each caller make so many
calls (0: no end). A line on standard output says what became of each: `held`, then `settled` and
its cost, or `denied`, or `left`. The first line says `ready`, and a line on standard input begins.
"""

import asyncio
import os
import sys
from random import Random

from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.holds import Account, Charge, Claim, Grant
from gateway.money import NanoUSD
from gateway.principal import Allowance, Level, Period
from gateway.store.redis.ledger import RedisLedger
from gateway.store.redis.link import Link
from gateway.store.redis.topology import topology

AMOUNT, EXPECTED = 10, 10
LEASE = 0.6
TEAM = Level("team:t", (Allowance(NanoUSD(1_000), Period.MONTH),))


def say(*words: object) -> None:
    """One write, so that a kill loses no half of a line."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def call(ledger: RedisLedger, name: str, caller: str, dice: Random, *, last: bool) -> bool:
    """One call; whether it was granted."""
    key = Level(f"key:{name}", (Allowance(NanoUSD(100_000), Period.MONTH),))
    asked = Claim(caller, "o", (key, TEAM), NanoUSD(AMOUNT), NanoUSD(EXPECTED), 1)
    try:
        async with asyncio.timeout(None if last else dice.choice([None, None, 0.0005, 0.002])):
            answer = await ledger.hold(asked)
    except (TimeoutError, StoreUnavailable):
        say("left")
        return False
    if not isinstance(answer, Grant):
        say("denied")
        return False
    say("held")
    await asyncio.sleep(dice.random() * 0.02)  # noqa: TID251 - the upstream's time
    cost = AMOUNT if last else dice.randrange(AMOUNT + 1)
    if name == "doomed":
        cost = EXPECTED
    say("settled", cost)
    ledger.settle(answer, Charge(Account("o", "t", name, "m", "mini"), NanoUSD(cost)))
    return True


async def caller(ledger: RedisLedger, name: str, number: int, calls: int) -> None:
    dice = Random(f"{name}{number}")  # noqa: S311 - a test
    made = 0
    while not calls or made < calls:
        made += 1
        if not await call(ledger, name, f"{name}-{number}-{made}", dice, last=calls == 1):
            await asyncio.sleep(0.005)  # noqa: TID251 - a caller thinks before it tries again


async def main(url: str, name: str, callers: int, calls: int) -> None:
    clock = SystemClock()
    link = Link(topology(url), clock, budget=2.0)
    ledger = RedisLedger(link, clock, lease=LEASE)
    await link.reach()
    async with asyncio.TaskGroup() as tending:
        tending.create_task(link.tend())
        tending.create_task(ledger.tend())
        say("ready")
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        async with asyncio.TaskGroup() as group:
            for number in range(callers):
                group.create_task(caller(ledger, name, number, calls))
        await ledger.close()
        await link.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
