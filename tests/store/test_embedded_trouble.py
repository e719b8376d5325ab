"""The embedded store when the disk, the database or its owner is in trouble."""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.holds import Account
from gateway.principal import Level, Period
from gateway.store.embedded import database, journal as journal_module
from gateway.store.embedded.database import FILE, StoreBroken, StoreInUse, connected, locked
from gateway.store.embedded.migrations import MIGRATIONS
from gateway.store.embedded.store import EmbeddedStore, open_beside, open_store
from gateway.store.records import to_json
from tests.fakes import FakeClock
from tests.store.keys_contract import RECORD
from tests.store.ledger_contract import EVER, KEY, allowed, charge, claim, granted

BROKEN = "CREATE TRIGGER full BEFORE INSERT ON spend BEGIN SELECT RAISE(ABORT, 'disk full'); END"


@contextmanager
def beside(directory: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(directory / FILE, isolation_level=None)) as connection:
        yield connection


async def booked(store: EmbeddedStore, level: Level = KEY) -> tuple[int, int]:
    (stand,) = (await store.ledger.standing("o", (level,))).allowances
    return stand.settled, stand.held


async def a_call(store: EmbeddedStore, name: str, cost: int) -> None:
    store.ledger.settle(granted(await store.ledger.hold(claim(name, cost))), charge(cost))


async def test_a_disk_that_refuses_loses_nothing_once_it_takes_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store, beside(tmp_path) as other:
        other.execute(BROKEN)
        await a_call(store, "a", 60)
        with pytest.raises(StoreUnavailable):
            await store.ledger.spend(EVER)
        assert store.failing()
        assert store.failures() > 0
        await a_call(store, "b", 7)
        granted(await store.ledger.hold(claim("left", 100)))
        assert store.pending() > 0
        assert await booked(store) == (67, 100)

        other.execute("DROP TRIGGER full")
        (row,) = await store.ledger.spend(EVER)
        assert (row.calls, row.cost) == (2, 67)
        assert not store.failing()

    with open_store(tmp_path, clock) as store:
        assert await booked(store) == (67 + 50, 0)
    told = [record.message for record in caplog.records]
    assert len(told) == 2
    assert "disk full" in told[0]


async def test_what_cannot_be_written_at_the_end_is_there_at_the_next_start(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store:
        with beside(tmp_path) as other:
            other.execute(BROKEN)
        await a_call(store, "a", 60)
        granted(await store.ledger.hold(claim("left", 100)))
    with pytest.raises(StoreUnavailable):
        await store.ledger.spend(EVER)
    with beside(tmp_path) as other:
        assert other.execute("SELECT * FROM windows").fetchall() == []
        other.execute("DROP TRIGGER full")

    with open_store(tmp_path, clock) as store:
        assert await booked(store) == (60 + 50, 0)
        assert sum(row.cost for row in await store.ledger.spend(EVER)) == 110
    with open_store(tmp_path, clock) as store:
        assert await booked(store) == (60 + 50, 0)


async def test_a_disk_that_stalls_makes_nobody_wait_and_what_waits_is_added_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "CROWD", 20)
    with open_store(tmp_path, FakeClock()) as store, beside(tmp_path) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(400):
            await a_call(store, f"c{number}", 1)
        waiting = store.pending()
        other.execute("COMMIT")

        (row,) = await store.ledger.spend(EVER)

    assert waiting < 100
    assert (row.calls, row.cost) == (400, 400)


async def test_a_database_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "PATIENCE", 0.1)
    clock = FakeClock()
    with open_store(tmp_path, clock) as store, beside(tmp_path) as other:
        await store.keys.put(RECORD)
        await store.keys.find(RECORD.id)
        other.execute("BEGIN IMMEDIATE")
        await a_call(store, "a", 1)

        with pytest.raises(StoreUnavailable, match="in time"):
            await store.ledger.spend(EVER)
        with pytest.raises(StoreUnavailable):
            await store.keys.put(RECORD)
        clock.at += 10
        assert await store.keys.find(RECORD.id) == RECORD
        other.execute("COMMIT")


async def test_an_errand_that_fails_is_said_to_whoever_sent_it(tmp_path: Path) -> None:
    with open_store(tmp_path, FakeClock()) as store, beside(tmp_path) as other:
        other.execute("DROP TABLE keys")

        with pytest.raises(StoreUnavailable):
            await store.keys.find("a")
        assert await store.ledger.spend(EVER) == []


def test_a_broken_database_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 500)

    with (
        pytest.raises(StoreBroken, match=r"cannot be used: file is not a database.*move it away"),
        open_store(tmp_path, FakeClock()),
    ):
        pass


async def test_damage_in_the_middle_of_a_database_is_said_at_the_start(tmp_path: Path) -> None:
    with open_store(tmp_path, FakeClock()) as store:
        await store.keys.put(RECORD)
    with beside(tmp_path) as other:
        rows = [(f"{n:08d}" * 20, n, "x" * 200) for n in range(200)]
        other.executemany("INSERT INTO keys VALUES (?, ?, ?)", rows)
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = tmp_path / FILE
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(size // 2)
        opened.write(os.urandom(size // 4))

    with pytest.raises(StoreBroken, match="cannot be used"), open_store(tmp_path, FakeClock()):
        pass


def test_a_directory_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for opening in (open_store, open_beside):
        with (
            pytest.raises(StoreBroken, match="Not a directory"),
            opening(tmp_path / "file" / "data", FakeClock()),
        ):
            pass


@pytest.mark.parametrize("call", ["posix_fallocate"])
def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, refuse)

    with pytest.raises(StoreBroken, match="No space left"), open_store(tmp_path, FakeClock()):
        pass


def test_a_file_system_without_locks_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)

    with pytest.raises(StoreBroken, match="cannot be locked"), open_store(tmp_path, FakeClock()):
        pass


def test_data_of_a_newer_version_are_not_touched(tmp_path: Path) -> None:
    with open_store(tmp_path, FakeClock()):
        pass
    with beside(tmp_path) as other:
        other.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")

    for opening in (open_store, open_beside):
        with pytest.raises(StoreBroken, match="newer version"), opening(tmp_path, FakeClock()):
            pass


def data_of_the_first_version(directory: Path, now: float) -> None:
    with connected(directory, alone=True):
        pass
    (directory / FILE).unlink()
    with beside(directory) as db:
        MIGRATIONS[0](db)
        db.execute("INSERT INTO meta VALUES ('schema', '1')")
        month, hour = int(now // 86_400 * 86_400), int(now // 60)
        db.execute("INSERT INTO settled VALUES ('key:a', 'day', 0, ?, 60)", (month,))
        db.execute("INSERT INTO settled VALUES ('key:a', 'hour', 1, ?, 7)", (hour - 30,))
        slots = f'[["key:a", "day", false, {month}], ["key:a", "hour", true, {hour}]]'
        db.execute("INSERT INTO holds VALUES ('left', ?, 50)", (slots,))
        row = (int(now // 86_400), "o", "t", "a", "m", "mini", 1, 7, 2, 3, 1, 60, 0, 0)
        db.execute("INSERT INTO spend VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        db.execute("INSERT INTO keys VALUES (?, 1.0, ?)", (RECORD.id, to_json(RECORD)))


async def test_data_of_an_earlier_version_are_brought_up_to_ours(tmp_path: Path) -> None:
    clock = FakeClock()
    data_of_the_first_version(tmp_path, clock.wall())
    levels = (
        Level("key:a", (allowed(1_000, Period.DAY), allowed(1_000, Period.HOUR, rolling=True))),
    )

    with open_store(tmp_path, clock) as store:
        stands = (await store.ledger.standing("o", levels)).allowances
        assert [stand.settled for stand in stands] == [60 + 50, 7 + 50]
        assert await store.keys.find(RECORD.id) == RECORD
        (row,) = await store.ledger.spend(EVER)
    assert (row.account, row.cost) == (Account("o", "t", "a", "m", "mini"), 60)


async def test_data_of_an_earlier_version_are_left_alone_while_its_gateway_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    data_of_the_first_version(tmp_path, FakeClock().wall())

    with (
        locked(tmp_path),
        pytest.raises(StoreInUse),
        open_beside(tmp_path, FakeClock()),
    ):
        pass

    with open_beside(tmp_path, FakeClock()) as opened:
        assert await opened.keys.every() == [RECORD]
