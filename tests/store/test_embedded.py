"""The embedded store where the contracts say less: what it survives, and what it refuses."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Timer

import pytest

from gateway.budget.books import LOST_SECONDS
from gateway.errors import StoreUnavailable
from gateway.holds import Account, Grant, SpendQuery
from gateway.principal import Level, Period
from gateway.store.embedded import database, pending
from gateway.store.embedded.affinities import EmbeddedAffinities
from gateway.store.embedded.database import FILE, StoreInUse
from gateway.store.embedded.ledger import NAMES_TOLD_APART, Once
from gateway.store.embedded.store import EmbeddedStore, open_beside, open_store
from tests.fakes import FakeClock
from tests.store.keys_contract import RECORD
from tests.store.ledger_contract import ACCOUNT, EVER, KEY, TEAM, allowed, charge, claim, granted

QUOTAS = Level("key:q", requests_per_minute=60, tokens_per_minute=600, parallel=1)
DAY = 86_400


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedStore]:
    with open_store(tmp_path if request.param == "directory" else None, FakeClock()) as opened:
        yield opened


async def booked(store: EmbeddedStore, *levels: Level) -> list[tuple[int, int]]:
    stands = (await store.ledger.standing("o", levels or (KEY,))).allowances
    return [(stand.settled, stand.held) for stand in stands]


async def test_a_call_is_booked_wherever_it_is_kept(store: EmbeddedStore) -> None:
    grant = granted(await store.ledger.hold(claim("a", 100, KEY, TEAM)))
    assert store.ledger.live() == 1

    store.ledger.settle(grant, charge(60))
    store.ledger.settle(grant, charge(60))
    store.ledger.settle(None, charge(1))

    assert store.ledger.live() == 0
    assert await booked(store, KEY, TEAM) == [(60, 0), (60, 0)]
    (row,) = await store.ledger.spend(EVER)
    assert (row.calls, row.cost) == (2, 61)
    assert await store.ledger.spend(EVER._replace(team="other")) == []


async def test_keys_are_found_wherever_they_are_kept(store: EmbeddedStore) -> None:
    await store.keys.put(RECORD)

    assert await store.keys.find(RECORD.id) == RECORD
    assert await store.keys.every() == [RECORD]


async def test_a_hold_that_was_lost_is_charged_as_expected(tmp_path: Path) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store:
        grant = granted(await store.ledger.hold(claim("lost", 900)))
        clock.at += LOST_SECONDS + 1
        granted(await store.ledger.hold(claim("next", 10)))
        assert await booked(store) == [(450, 10)]
        (lost,) = await store.ledger.spend(EVER)

        store.ledger.settle(grant, charge(60))
        assert await booked(store) == [(60, 10)]
        rows = await store.ledger.spend(EVER)

    assert (lost.account, lost.cost, lost.estimated) == (Account("o", "", "a"), 450, 450)
    assert [(row.account, row.cost, row.calls) for row in rows] == [
        (ACCOUNT, 60, 1),
        (Account("o", "", "a"), 0, 0),
    ]


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    rolling = Level("key:r", (allowed(1_000, Period.HOUR, rolling=True),))
    levels = (KEY, TEAM, rolling)
    with open_store(tmp_path, clock) as store:
        grant = granted(await store.ledger.hold(claim("a", 100, *levels)))
        store.ledger.settle(grant, charge(60))
        granted(await store.ledger.hold(claim("left over", 100, *levels)))
        granted(await store.ledger.hold(claim("q", 0, QUOTAS, tokens=400)))
        await store.keys.put(RECORD)
        await store.affinities.put("reply", "resp_1", "full", 30)
        await store.affinities.put("reply", "resp_2", "full", 10)

    clock.at += 20
    with open_store(tmp_path, clock) as store:
        assert await booked(store, *levels) == [(60 + 50, 0)] * 3
        standing = await store.ledger.standing("o", (QUOTAS,))
        assert standing.tokens is not None
        assert standing.tokens.remaining == 400
        assert isinstance(await store.ledger.hold(claim("q2", 0, QUOTAS)), Grant)
        assert await store.keys.find(RECORD.id) == RECORD
        assert await store.affinities.get("reply", "resp_1") == "full"
        assert await store.affinities.get("reply", "resp_2") is None
        rows = await store.ledger.spend(EVER)

    assert sorted((row.account.key, row.cost, row.estimated) for row in rows) == [
        ("a", 60, 0),
        ("q", 0, 0),
        ("r", 50, 50),
    ]


async def test_windows_and_records_that_are_over_are_deleted(tmp_path: Path) -> None:
    clock = FakeClock()
    minute = Level("key:m", (allowed(1_000, Period.MINUTE), allowed(9, rolling=True)))
    with open_store(tmp_path, clock) as store:
        for _ in range(5):
            grant = Grant(claim(f"c{clock.at}", 1, minute), clock.wall(), backed=False)
            store.ledger.settle(grant, charge(1))
            await store.ledger.spend(EVER)
            clock.at += 61
    with sqlite3.connect(tmp_path / FILE) as db:
        kept = db.execute("SELECT period, settled FROM windows ORDER BY bucket").fetchall()

    clock.at += 401 * DAY
    with open_store(tmp_path, clock) as store:
        assert await store.ledger.spend(EVER) == []

    # One that is over may stay until the next sweep.
    assert [period for period, _ in kept].count("minute") <= 2
    assert kept[0] == ("month", 5)
    db.close()


async def test_records_of_spend_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "MAX_RECORDS", 3)
    with open_store(tmp_path, FakeClock()) as store:
        for number in range(10):
            account = ACCOUNT._replace(key=f"k{number % 8}")
            store.ledger.settle(None, charge(1, account=account))
            await store.ledger.spend(EVER)
        rows = await store.ledger.spend(EVER)

    assert rows[0].account == Account("o", "other", "other", "other", "nano")
    assert {row.account.key for row in rows} == {"other", "k0", "k1", "k2"}
    assert sum(row.calls for row in rows) == 10


async def test_keys_made_beside_a_running_gateway_are_seen_and_its_spend_is_told(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store, open_beside(tmp_path, clock) as beside:
        assert await store.keys.find(RECORD.id) is None
        store.ledger.settle(None, charge(9))
        await store.ledger.spend(EVER)

        await beside.keys.put(RECORD)
        (row,) = await beside.ledger.spend(SpendQuery(date(2026, 1, 1), date(2026, 12, 31)))
        assert await store.keys.find(RECORD.id) is None
        clock.at += 1.0
        assert await store.keys.find(RECORD.id) == RECORD

    assert row.cost == 9


async def test_a_key_that_cannot_be_read_is_no_unknown_key(tmp_path: Path) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store:
        await store.keys.put(RECORD)
        await store.keys.put(replace(RECORD, id="k2"))
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE keys SET record = '[]' WHERE id = 'k2'")
    db.close()

    with open_store(tmp_path, clock) as store:
        assert await store.keys.find("k1") == RECORD
        assert await store.keys.every() == [RECORD]
        with pytest.raises(StoreUnavailable):
            await store.keys.find("k2")


def test_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    with (
        open_store(tmp_path, FakeClock()),
        pytest.raises(StoreInUse, match=r"another gateway uses .* --data DIR.* Redis"),
        open_store(tmp_path, FakeClock()),
    ):
        pass

    with open_store(tmp_path, FakeClock()):
        pass


def test_a_lock_that_is_held_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    held = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)

    Timer(0.1, os.close, (held,)).start()

    with open_store(tmp_path, FakeClock()) as store:
        assert not store.failing()


async def test_a_note_is_bounded_in_size_time_and_number(tmp_path: Path) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store:
        journal = store.journal
        assert journal is not None
        notes = EmbeddedAffinities(clock, journal, max_notes=2)
        for name in ("a", "b"):
            await notes.put("reply", name, "full", 10)
        await notes.get("reply", "a")
        await notes.put("reply", "c", "full", 10)
        assert [await notes.get("reply", name) for name in "abc"] == ["full", None, "full"]

        await notes.put("reply", "a", "x" * 257, 10)
        await notes.put("reply", "c", "full", float("nan"))
        await notes.put("reply", "d", "full", -1)
        assert [await notes.get("reply", name) for name in "acd"] == [None, None, None]

        await notes.put("reply", "e", "full", 1)
        clock.at += 1
        await notes.put("reply", "f", "full", 10)
        assert await notes.get("reply", "e") is None
        await store.ledger.spend(EVER)

    with open_store(tmp_path, clock) as store:
        assert [await store.affinities.get("reply", name) for name in "abcdef"] == [
            *[None] * 5,
            "full",
        ]


async def test_levels_nobody_uses_are_forgotten_within_hours(tmp_path: Path) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store:
        for hour in range(30):
            grant = granted(await store.ledger.hold(claim(f"c{hour}", 1, a_key(hour))))
            store.ledger.settle(grant, charge(1))
            clock.at += 3_700
        assert len(store.ledger._books.rates()) < 5


def a_key(number: int) -> Level:
    return Level(f"key:{number}", (allowed(9, Period.HOUR),), requests_per_minute=5)


def test_who_was_let_pass_is_told_apart_by_the_last_ten_thousand() -> None:
    once = Once()

    first = [once.first(f"c{number}") for number in range(NAMES_TOLD_APART + 5)]

    assert all(first)
    assert not once.first("c0")
    assert not once.first(f"c{NAMES_TOLD_APART}")
    for number in range(NAMES_TOLD_APART):
        once.first(f"d{number}")
    assert once.first("c0")


async def test_who_made_an_object_is_not_crowded_out(tmp_path: Path) -> None:
    clock = FakeClock()
    with open_store(tmp_path, clock) as store:
        journal = store.journal
        assert journal is not None
        notes = EmbeddedAffinities(clock, journal, max_notes=2)
        await notes.put("object", "file-1", "alice", 99)
        for number in range(9):
            await notes.put("conversation", str(number), "full", 10)
        assert await notes.get("object", "file-1") == "alice"
        await store.ledger.spend(EVER)

    with open_store(tmp_path, clock) as store:
        assert await store.affinities.get("object", "file-1") == "alice"
