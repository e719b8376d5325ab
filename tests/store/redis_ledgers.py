"""Ledgers on a real Redis for tests, what they are asked, and a reader that does not use them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from types import MappingProxyType

from gateway.call import Usage
from gateway.clock import SystemClock
from gateway.holds import Account, Charge, Claim, Denial, Grant, SpendQuery
from gateway.money import NanoUSD
from gateway.ports import Clock
from gateway.principal import Allowance, Level, Period
from gateway.store.redis.ledger import LEASE_SECONDS, RedisLedger
from tests.fakes import FakeClock
from tests.store.redis_server import NO_HURRY, RedisServer, linked

ROOT = "o"
KEY = Level("key:a", (Allowance(NanoUSD(1_000), Period.DAY),))
TEAM = Level("team:t", (Allowance(NanoUSD(1_500), Period.MONTH),))
ROLLING = Level("key:r", (Allowance(NanoUSD(1_000), Period.MINUTE, rolling=True),))
ACCOUNT = Account(ROOT, "t", "a", "gpt-4.1-nano", "nano")
EVER = SpendQuery(date(2000, 1, 1), date(2100, 1, 1))
REAL = SystemClock()
FIELDS = MappingProxyType({KEY.id: "calendar-day", TEAM.id: "calendar-month"})


def claim(name: str, amount: int, *levels: Level, tokens: int = 10, root: str = ROOT) -> Claim:
    """A claim of which half is expected to be spent."""
    return Claim(name, root, levels or (KEY,), NanoUSD(amount), NanoUSD(amount // 2), tokens)


def charge(cost: int, *, estimated: bool = False, account: Account = ACCOUNT) -> Charge:
    return Charge(account, NanoUSD(cost), Usage(7, 3, 2, 1, estimated), NanoUSD(5))


@asynccontextmanager
async def ledger_on(
    server: RedisServer,
    clock: Clock | None = None,
    *,
    url: str = "",
    budget: float = NO_HURRY,
    lease: float = LEASE_SECONDS,
    tend: bool = False,
) -> AsyncIterator[RedisLedger]:
    """A ledger that goes by a clock of ours, if there is one; `tend`: it is looked after."""
    wall = clock.wall if isinstance(clock, FakeClock) else None
    async with linked(url or server.url, budget, tend=tend) as link:
        ledger = RedisLedger(link, clock or REAL, wall=wall, lease=lease)
        async with asyncio.TaskGroup() as group:
            if tend:
                group.create_task(ledger.tend())
            try:
                yield ledger
            finally:
                await ledger.close()


async def held(ledger: RedisLedger, asked: Claim) -> Grant:
    answer = await ledger.hold(asked)
    assert isinstance(answer, Grant), answer
    return answer


async def denied(ledger: RedisLedger, asked: Claim) -> Denial:
    answer = await ledger.hold(asked)
    assert isinstance(answer, Denial), answer
    return answer


async def sums(ledger: RedisLedger, *levels: Level, root: str = ROOT) -> list[tuple[int, int]]:
    """What is settled and held of each allowance, as the ledger tells it."""
    standing = await ledger.standing(root, levels or (KEY,))
    return [(stand.settled, stand.held) for stand in standing.allowances]


def stored(server: RedisServer, level: Level = KEY, root: str = ROOT) -> tuple[int, int]:
    """What is settled and held of a level's one allowance, as the server has it."""
    name = FIELDS[level.id]
    found = server.ask("HMGET", f"tg1:{{{root}}}:level:{level.id}", f"{name}.s", f"{name}.h")
    assert isinstance(found, list)
    settled, holds = [int(value or 0) for value in found]
    return settled, holds


async def comes_true(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Let the loop and the server go on until it is so."""
    async with asyncio.timeout(seconds):
        while not true():
            await REAL.sleep(0.002)
