"""The contract of ledgers on a real Redis, with a clock that can be turned."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from gateway.ports import Ledger
from gateway.store.redis.ledger import LEASE_SECONDS, RedisLedger
from tests.fakes import FakeClock
from tests.store.ledger_contract import *  # noqa: F403 - importing the suite is what runs it
from tests.store.ledger_contract import Bench
from tests.store.ledger_quota_contract import *  # noqa: F403 - likewise
from tests.store.redis_ledgers import comes_true, ledger_on
from tests.store.redis_server import RedisServer


@pytest.fixture
async def bench(redis: RedisServer) -> AsyncIterator[Bench]:
    clock = FakeClock()
    async with AsyncExitStack() as stack:
        ledgers: list[RedisLedger] = []

        async def replica() -> RedisLedger:
            made = await stack.enter_async_context(ledger_on(redis, clock, tend=True))
            ledgers.append(made)
            return made

        async def quiet() -> None:
            await comes_true(lambda: not sum(ledger.pending() for ledger in ledgers))

        async def let_pass(seconds: float) -> None:
            await _let_pass(ledgers, clock, seconds)

        async def kill() -> Ledger:
            ledgers.pop(0)._leases.live.clear()
            clock.at += LEASE_SECONDS + 1
            return await replica()

        yield Bench(await replica(), let_pass, clock.wall, quiet, replica, kill)


async def _let_pass(ledgers: list[RedisLedger], clock: FakeClock, seconds: float) -> None:
    """In steps shorter than a lease where something is held, as the living renew theirs."""
    while seconds > 0:
        step = LEASE_SECONDS / 2 if any(ledger.live() for ledger in ledgers) else seconds
        clock.at += min(step, seconds)
        seconds -= step
        for ledger in ledgers:
            await ledger._leases.renew()
