"""The law, through whole gateways: nobody ever spends more than the allowance, whatever dies.

Compared are the callers' own counts, the gateways' books, and the upstream's bill, which is the
truth. Slow, so not part of the suite: `make test-law`.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.redis.ledger import LEASE_SECONDS
from tests.law.places import CLOCK, Crowd, Place, place
from tests.store.redis_server import redis_server

# Callers that hang up leave sockets to the collector; what is proved is on the other side of them.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

CALLERS, CALLS = 200, 100


@pytest.fixture
def redis() -> Iterator[dict[str, str]]:
    with redis_server() as server:
        yield {"GATEWAY_REDIS_URL": server.url}


@pytest.fixture
def embedded(tmp_path: Path) -> dict[str, str]:
    return {"GATEWAY_STORE_DATA": str(tmp_path / "data")}


async def exactly_what_is_affordable_succeeds(there: Place) -> None:
    crowd = Crowd(there)
    await crowd.all_call(CALLERS, once=True)

    assert crowd.came == {"ok": CALLS, "insufficient_quota": CALLERS - CALLS}
    assert there.books.asked.total() == CALLS
    assert await there.stands() == (CALLS, 0)


async def quiet(there: Place, seconds: float) -> int:
    """What is settled when nothing is held any more."""
    due = CLOCK.now() + seconds
    settled, held = await there.stands()
    while held and CLOCK.now() < due:
        await CLOCK.sleep(0.5)
        settled, held = await there.stands()
    assert held == 0
    return settled


async def the_books_agree(there: Place, crowd: Crowd, seconds: float) -> None:
    """The bill, what was booked and what was allowed, in this order; nothing answered is lost."""
    settled = await quiet(there, seconds)
    asked = there.books.asked.total()

    assert crowd.came["ok"] <= asked <= settled <= there.calls
    assert set(crowd.came) <= {"ok", "insufficient_quota", "hung up", "gone", "store_unavailable"}
    # What is left after that is there for whoever comes next, to the last call.
    after = Crowd(there)
    await after.all_call(20, once=False)
    assert after.came["ok"] == there.calls - settled
    assert await there.stands() == (there.calls, 0)


async def killed_under_load(there: Place, who: list[int], seconds: float) -> None:
    """Gateways are killed one after the other and started again, and callers hang up meanwhile."""
    crowd = Crowd(there, hang_up=0.2)
    async with asyncio.TaskGroup() as group:
        group.create_task(crowd.all_call(CALLERS, once=False))
        for turn, number in enumerate(who):
            await spent(there, (turn + 1) / (len(who) + 2))
            there.gateways[number].kill()
            there.gateways[number].start()
    for gateway in there.gateways:
        await gateway.serves()

    await the_books_agree(there, crowd, seconds)
    assert crowd.came["gone"] > 0
    assert crowd.came["hung up"] > 0


async def spent(there: Place, share: float) -> None:
    while there.books.asked.total() < share * there.calls:
        await CLOCK.sleep(0.02)


async def test_200_callers_over_3_gateways_get_what_100_calls_cost(
    tmp_path: Path, redis: dict[str, str]
) -> None:
    async with place(tmp_path, redis, replicas=3, calls=CALLS) as there:
        await exactly_what_is_affordable_succeeds(there)


async def test_gateways_that_are_killed_and_callers_that_hang_up_overspend_nothing(
    tmp_path: Path, redis: dict[str, str]
) -> None:
    async with place(tmp_path, redis, replicas=3, calls=600) as there:
        await killed_under_load(there, [1, 2], LEASE_SECONDS + 10)


async def test_200_callers_of_one_gateway_get_what_100_calls_cost(
    tmp_path: Path, embedded: dict[str, str]
) -> None:
    async with place(tmp_path, embedded, replicas=1, calls=CALLS) as there:
        await exactly_what_is_affordable_succeeds(there)


async def test_a_gateway_that_is_killed_under_load_finds_its_books_again(
    tmp_path: Path, embedded: dict[str, str]
) -> None:
    async with place(tmp_path, embedded, replicas=1, calls=600) as there:
        await killed_under_load(there, [0, 0], 10)
