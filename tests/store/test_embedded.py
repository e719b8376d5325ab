"""The embedded store: what it remembers, and over what."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from gateway.call import Usage
from gateway.holds import Account, Charge, Claim, Denial, Grant, SpendQuery
from gateway.money import NanoUSD
from gateway.principal import Allowance, KeyRecord, Level, Period, Terms
from gateway.store.embedded import ledger as embedded_ledger
from gateway.store.embedded.journal import StoreBroken, StoreInUse
from gateway.store.embedded.store import EmbeddedStore, open_beside, open_store
from tests.fakes import FakeClock

LEVEL = Level("key:a", (Allowance(NanoUSD(1_000), Period.MONTH),), parallel=50)
ACCOUNT = Account("o", "t", "a", "gpt-4.1-nano", "nano")
EVER = SpendQuery(date(2000, 1, 1), date(2100, 1, 1))
RECORD = KeyRecord("abc", "alice", "t", b"salt", b"digest", 1.0, terms=Terms(parallel=3))


def claim(name: str, amount: int = 100) -> Claim:
    return Claim(name, "o", (LEVEL,), NanoUSD(amount), NanoUSD(amount // 2), 10)


def charge(cost: int, *, estimated: bool = False) -> Charge:
    return Charge(ACCOUNT, NanoUSD(cost), Usage(7, 3, 2, 1, estimated), NanoUSD(5))


async def held(store: EmbeddedStore, name: str, amount: int = 100) -> Grant:
    answer = await store.ledger.hold(claim(name, amount))
    assert isinstance(answer, Grant)
    return answer


async def settled(store: EmbeddedStore) -> tuple[int, int]:
    (stand,) = (await store.ledger.standing("o", (LEVEL,))).allowances
    return stand.settled, stand.held


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedStore]:
    with open_store(tmp_path if request.param == "directory" else None, FakeClock()) as opened:
        yield opened


async def test_what_is_held_is_settled_once(store: EmbeddedStore) -> None:
    grant = await held(store, "a")

    store.ledger.settle(grant, charge(60))
    store.ledger.settle(grant, charge(60))

    assert await settled(store) == (60, 0)
    assert store.ledger.live() == 0


async def test_no_more_is_granted_than_there_is(store: EmbeddedStore) -> None:
    answers = [await store.ledger.hold(claim(f"c{n}")) for n in range(20)]

    assert sum(isinstance(answer, Grant) for answer in answers) == 10
    assert isinstance(answers[-1], Denial)


async def test_what_was_not_held_is_charged_all_the_same(store: EmbeddedStore) -> None:
    unbacked = Grant(claim("a"), FakeClock().wall(), backed=False)

    store.ledger.settle(unbacked, charge(60))

    assert await settled(store) == (60, 0)


async def test_spend_is_told_by_account_and_day(store: EmbeddedStore) -> None:
    store.ledger.settle(None, charge(60))
    store.ledger.settle(None, charge(40, estimated=True))

    (row,) = await store.ledger.spend(EVER)

    assert row.account == ACCOUNT
    assert row.day == datetime.fromtimestamp(FakeClock().wall(), UTC).date()
    assert (row.calls, row.prompt, row.cached, row.completion, row.reasoning) == (2, 14, 4, 6, 2)
    assert (row.cost, row.estimated, row.saved) == (100, 40, 10)
    assert await store.ledger.spend(EVER._replace(team="t", key="a", organisation="o")) == [row]
    assert await store.ledger.spend(EVER._replace(team="other")) == []
    assert await store.ledger.spend(EVER._replace(until=date(2001, 1, 1))) == []


async def test_records_of_spend_are_bounded(
    store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_ledger, "MAX_ACCOUNTS", 3)
    for number in range(10):
        account = ACCOUNT._replace(key=f"k{number}")
        store.ledger.settle(None, Charge(account, NanoUSD(1)))

    rows = await store.ledger.spend(EVER)

    assert len(rows) == 4
    assert sum(row.calls for row in rows) == 10


async def test_keys_are_found_again(store: EmbeddedStore) -> None:
    await store.keys.put(RECORD)

    assert await store.keys.find("abc") == RECORD
    assert await store.keys.find("other") is None
    assert await store.keys.every() == [RECORD]


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store:
        store.ledger.settle(await held(store, "a"), charge(60))
        await held(store, "left over")
        await store.keys.put(RECORD)

    with open_store(tmp_path, clock) as store:
        assert await settled(store) == (60 + 50, 0)
        assert await store.keys.find("abc") == RECORD
        store.ledger.settle(None, charge(1))
        (row,) = await store.ledger.spend(EVER)
    assert (row.calls, row.cost) == (2, 61)


async def test_a_new_day_keeps_the_records_of_the_old(tmp_path: Path) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store:
        store.ledger.settle(None, charge(1))
        clock.at += 86_400
        store.ledger.settle(None, charge(2))
        rows = await store.ledger.spend(EVER)
        clock.at += 500 * 86_400
        store.ledger.settle(None, charge(3))
        left = await store.ledger.spend(EVER)

    assert [row.cost for row in rows] == [2, 1]
    assert [row.cost for row in left] == [3]


async def test_keys_made_beside_a_running_gateway_are_seen(tmp_path: Path) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store:
        assert await store.keys.find("abc") is None
        store.ledger.settle(None, charge(9))
        assert store.journal is not None
        store.journal.flush()
        with open_beside(tmp_path, clock) as beside:
            await beside.keys.put(RECORD)
            (row,) = await beside.ledger.spend(EVER)
        clock.at += 1.5
        assert await store.keys.find("abc") == RECORD
    assert row.cost == 9


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        open_store(tmp_path, FakeClock()),
        pytest.raises(StoreInUse, match="another gateway"),
        open_store(tmp_path, FakeClock()),
    ):
        pass


def test_a_broken_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "tiergate.db").write_bytes(b"no database" * 500)

    with pytest.raises(StoreBroken, match="cannot be used"), open_store(tmp_path, FakeClock()):
        pass


def test_data_of_a_newer_version_are_not_touched(tmp_path: Path) -> None:
    with open_store(tmp_path, FakeClock()):
        pass
    with sqlite3.connect(tmp_path / "tiergate.db") as db:
        db.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")
    db.close()

    with pytest.raises(StoreBroken, match="newer version"), open_store(tmp_path, FakeClock()):
        pass


async def test_a_disk_that_refuses_loses_nothing_once_it_takes_again(tmp_path: Path) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store:
        journal = store.journal
        assert journal is not None
        journal.put("broken", "INSERT INTO nowhere VALUES (1)", ())
        store.ledger.settle(await held(store, "a"), charge(60))
        journal.flush()
        assert store.failing()
        assert store.pending() > 0
        assert await settled(store) == (60, 0)
        journal.put("broken", "SELECT 1", ())
    with open_store(tmp_path, clock) as store:
        assert await settled(store) == (60, 0)


VICTIM = """
import asyncio, sys
from pathlib import Path
from gateway.holds import Grant
from gateway.store.embedded.store import open_store
from tests.store.test_embedded import FakeClock, charge, claim

async def work(store):
    for n in range(10**9):
        grant = await store.ledger.hold(claim(f"c{n}", 2))
        if isinstance(grant, Grant):
            store.ledger.settle(grant, charge(1))
            store.journal.flush()
            print(n, flush=True)

with open_store(Path(sys.argv[1]), FakeClock()) as store:
    asyncio.run(work(store))
"""


@contextmanager
def victim(directory: Path) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", VICTIM, str(directory)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own words
        yield process
        process.wait()


async def test_a_killed_process_loses_nothing_it_settled(tmp_path: Path) -> None:
    with victim(tmp_path) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(100)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()

    with open_store(tmp_path, FakeClock()) as store:
        spent, still_held = await settled(store)

    assert still_held == 0
    # The last one may have been settled without being told, and one may have been held.
    assert len(said) <= spent <= len(said) + 2
