"""The contracts on the embedded store, in memory and in a directory."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.ports import Ledger
from gateway.store.embedded.store import open_beside, open_store
from tests.fakes import FakeClock
from tests.store.affinities_contract import *  # noqa: F403 - importing the suite is what runs it
from tests.store.affinities_contract import Notes
from tests.store.keys_contract import *  # noqa: F403 - likewise
from tests.store.keys_contract import Ring
from tests.store.ledger_contract import *  # noqa: F403 - likewise
from tests.store.ledger_contract import Bench
from tests.store.ledger_quota_contract import *  # noqa: F403 - likewise


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    clock = FakeClock()
    with ExitStack() as stack:
        opened = stack.enter_context(ExitStack())
        store = opened.enter_context(open_store(tmp_path, clock))

        async def replica() -> Ledger:
            return made.ledger

        async def quiet() -> None:
            """What is settled is settled at once."""

        async def kill() -> Ledger:
            # A process that ends well leaves its holds all the same; how one ends badly is tested
            # with processes (`test_embedded_killed`).
            opened.close()
            return stack.enter_context(open_store(tmp_path, clock)).ledger

        made = Bench(store.ledger, clock.sleep, clock.wall, quiet, replica, kill)
        yield made


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[Ring]:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store, open_beside(tmp_path, clock) as beside:
        yield Ring(store.keys, clock.sleep, beside.keys)


@pytest.fixture(params=["memory", "directory"])
def notes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Notes]:
    clock = FakeClock()
    directory = tmp_path if request.param == "directory" else None
    with open_store(directory, clock) as store:
        yield Notes(store.affinities, clock.sleep)
