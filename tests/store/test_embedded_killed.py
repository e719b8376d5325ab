"""Kill -9: whatever a process did before it was killed is there when the next one starts.

The victim tells of each step when it has returned, so at most one is done and not told.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.store.embedded.store import EmbeddedStore, open_store
from tests.fakes import FakeClock
from tests.store.keys_contract import RECORD
from tests.store.ledger_contract import EVER, KEY, TEAM, sums

AMOUNT, COST = 8, 1
EXPECTED = AMOUNT // 2

# Many callers at once, each holding and settling, one in five leaving without a word.
VICTIM = """
import asyncio, os, sys
from pathlib import Path
from random import Random
from gateway.holds import Grant
from gateway.store.embedded.store import open_store
from tests.store.keys_contract import RECORD
from tests.store.ledger_contract import KEY, TEAM, charge, claim
from tests.fakes import FakeClock

def tell(step, name):
    os.write(1, f"{step} {name}\\n".encode())

async def caller(store, number, dice):
    for n in range(10**9):
        name = f"{sys.argv[2]}-{number}-{n}"
        grant = await store.ledger.hold(claim(name, 8, KEY, TEAM))
        if isinstance(grant, Grant):
            tell("held", name)
            for _ in range(dice.randrange(3)):
                await asyncio.sleep(0)
            if dice.random() < 0.8:
                store.ledger.settle(grant, charge(1))
                tell("settled", name)
        await asyncio.sleep(0.001)

async def work(store):
    await store.keys.put(RECORD)
    tell("ready", "-")
    await asyncio.gather(*[caller(store, n, Random(n)) for n in range(50)])

with open_store(Path(sys.argv[1]), FakeClock()) as store:
    asyncio.run(work(store))
"""


@contextmanager
def victim(directory: Path, life: int) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", VICTIM, str(directory), str(life)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own words
        yield process
        process.wait()


def killed_after(directory: Path, life: int, steps: int) -> tuple[int, int]:
    """How many calls a victim settled, and how many it left."""
    with victim(directory, life) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(steps)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    names = {
        step: {line.split()[1] for line in told if line.startswith(step)}
        for step in ("held", "settled")
    }
    assert len(names["settled"]) > 5
    return len(names["settled"]), len(names["held"] - names["settled"])


async def spent(store: EmbeddedStore) -> int:
    return sum(row.cost for row in await store.ledger.spend(EVER))


async def test_a_killed_process_loses_nothing_of_what_it_did(tmp_path: Path) -> None:
    known = 0
    for life, steps in enumerate((40, 150, 400)):
        settled, left = killed_after(tmp_path, life, steps)
        told = settled * COST + left * EXPECTED

        with open_store(tmp_path, FakeClock()) as store:
            found = sums(await store.ledger.standing("o", (KEY, TEAM)))
            total = found[0][0]
            # What was done and not told: nothing, a hold, or the settling of one.
            assert total - known - told in {0, EXPECTED, COST - EXPECTED}
            assert found == [(total, 0), (total, 0)]
            assert await spent(store) == total
            assert await store.keys.find(RECORD.id) == RECORD
            known = total
