"""Notes in memory: the contract, and the bound."""

import pytest

from gateway.store.notes import MemoryAffinities
from tests.fakes import FakeClock
from tests.store.affinities_contract import *  # noqa: F403 - the contract
from tests.store.affinities_contract import Notes


@pytest.fixture
def notes() -> Notes:
    clock = FakeClock()

    async def let_pass(seconds: float) -> None:
        await clock.sleep(seconds)

    return Notes(MemoryAffinities(clock), let_pass)


async def test_the_longest_unused_note_goes_first() -> None:
    kept = MemoryAffinities(FakeClock(), max_notes=2)
    for name in ("a", "b"):
        await kept.put("reply", name, "full", 10)
    await kept.get("reply", "a")

    await kept.put("reply", "c", "full", 10)

    assert await kept.get("reply", "a") == "full"
    assert await kept.get("reply", "b") is None


async def test_many_notes_of_one_kind_leave_another_its_room() -> None:
    kept = MemoryAffinities(FakeClock(), max_notes=2)
    await kept.put("object", "file-1", "alice", 10)

    for number in range(9):
        await kept.put("conversation", str(number), "full", 10)

    assert await kept.get("object", "file-1") == "alice"
