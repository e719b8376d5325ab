"""What every `Keys` must do, done by Redis: two replicas' views of one hash."""

from collections.abc import AsyncIterator

import pytest

from gateway.store.redis.keys import RedisKeys
from tests.fakes import FakeClock
from tests.store.keys_contract import *  # noqa: F403 - importing the suite is what runs it
from tests.store.keys_contract import RECORD, Ring
from tests.store.redis_server import RedisServer, linked


@pytest.fixture
async def ring(redis: RedisServer) -> AsyncIterator[Ring]:
    async with linked(redis.url) as mine, linked(redis.url) as theirs:
        clock = FakeClock()

        async def let_pass(seconds: float) -> None:
            clock.at += seconds

        yield Ring(RedisKeys(mine, clock), let_pass, RedisKeys(theirs, clock))


async def test_a_change_between_the_look_and_the_writing_is_not_undone(
    redis: RedisServer, ring: Ring
) -> None:
    await ring.keys.put(RECORD)
    redis.ask("HSET", "tg1:keys", RECORD.id, "{}")

    with pytest.raises(Exception, match="cannot be read"):
        await ring.keys.put(RECORD, over=RECORD)
