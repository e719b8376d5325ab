"""SQLite behind one writer thread: what changed is written in batches, and nothing is lost.

Changes wait in memory, one value a row, so that however long the disk stalls they are bounded by
what there is, not by how often it changed. The thread takes all that waits, writes it in one
transaction, and looks again; a write that fails goes back and is tried again. The database is in
WAL mode with `synchronous=NORMAL`: a committed batch survives the process being killed.

One process only: an exclusive lock on a file beside the database. Reading needs no lock, and the
table of keys may be written by other processes too (`tiergate keys`).
"""

import fcntl
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from gateway.errors import StoreUnavailable

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settled (
    level TEXT, period TEXT, rolling INTEGER, bucket INTEGER, sum INTEGER NOT NULL,
    PRIMARY KEY (level, period, rolling, bucket)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holds (
    id TEXT PRIMARY KEY, slots TEXT NOT NULL, expected INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spend (
    day INTEGER, organisation TEXT, team TEXT, key TEXT, model TEXT, tier TEXT,
    calls INTEGER NOT NULL, prompt INTEGER NOT NULL, cached INTEGER NOT NULL,
    completion INTEGER NOT NULL, reasoning INTEGER NOT NULL, cost INTEGER NOT NULL,
    estimated INTEGER NOT NULL, saved INTEGER NOT NULL,
    PRIMARY KEY (day, organisation, team, key, model, tier)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, created REAL NOT NULL, record TEXT NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (
    kind TEXT, name TEXT, note TEXT NOT NULL, dies REAL NOT NULL, PRIMARY KEY (kind, name))
    WITHOUT ROWID;
"""
BUSY_MILLISECONDS = 5_000
RETRY_SECONDS = 0.5
# Records of spend are for looking at; a process that is killed may lose this much of them.
LAZY_SECONDS = 0.1

Write = tuple[str, tuple[Any, ...]]


class StoreInUse(StoreUnavailable):
    """Another process has the data directory."""


class StoreBroken(StoreUnavailable):
    """The database cannot be used; the message says why and what to do."""


class Journal:
    """An open database; `put` is for the event loop and waits for nothing."""

    def __init__(self, directory: Path, *, exclusive: bool) -> None:
        self._path = directory / "tiergate.db"
        with ExitStack() as opened:
            self._enter(directory, opened, exclusive=exclusive)
            self._opened = opened.pop_all()
        self._waiting: dict[object, Write] = {}
        self._guard = threading.Condition()
        self._stopping = False
        self._urgent = False
        self._busy = False
        self.failing = False
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    def _enter(self, directory: Path, opened: ExitStack, *, exclusive: bool) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if exclusive:
                lock = opened.enter_context((directory / "lock").open("a"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._reader = opened.enter_context(closing(self._open()))
            self._migrate()
        except BlockingIOError:
            message = (
                f"another gateway uses {directory}: stop it, choose another directory "
                "(store.data, --data DIR), or share state through Redis (GATEWAY_REDIS_URL)"
            )
            raise StoreInUse(message) from None
        except (OSError, sqlite3.Error) as error:
            message = f"the data in {directory} cannot be used: {error}"
            raise StoreBroken(message) from None

    def put(
        self, row: object, statement: str, values: tuple[Any, ...], *, urgent: bool = True
    ) -> None:
        """Write a row's newest values soon; `row` names it among all that wait.

        What is not `urgent` may wait for `LAZY_SECONDS`, so that it costs a busy gateway little.
        """
        with self._guard:
            wakes = urgent or not self._waiting
            self._waiting[row] = (statement, values)
            self._urgent = self._urgent or urgent
            if wakes:
                self._guard.notify_all()

    def pending(self) -> int:
        """Rows that wait to be written."""
        return len(self._waiting)

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows as they are written; blocks, so not for the event loop's hot path."""
        return self._reader.execute(statement, values).fetchall()

    def version(self) -> int:
        """A number that changes when another connection has written."""
        return int(self._reader.execute("PRAGMA data_version").fetchone()[0])

    def flush(self) -> None:
        """Wait until all that waited is written, or writing fails."""
        with self._guard:
            self._urgent = True
            self._guard.notify_all()
            self._guard.wait_for(
                lambda: (not self._waiting and not self._busy) or self.failing, timeout=10
            )

    def close(self) -> None:
        """Write the rest and let go."""
        with self._guard:
            self._stopping = True
            self._guard.notify_all()
        self._writer.join()
        self._opened.close()

    def _open(self) -> sqlite3.Connection:
        made = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            made.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
            made.execute("PRAGMA journal_mode=WAL")
            made.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.Error:
            made.close()
            raise
        return made

    def _migrate(self) -> None:
        reader = self._reader
        reader.executescript(SCHEMA)
        found = reader.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
        if found is None:
            reader.execute("INSERT INTO meta VALUES ('schema', ?)", (str(SCHEMA_VERSION),))
        elif int(found[0]) > SCHEMA_VERSION:
            message = f"{self._path} was written by a newer version of the gateway"
            raise StoreBroken(message)

    def _write(self) -> None:
        connection = self._open()
        while True:
            with self._guard:
                self._wait()
                last, self._urgent = self._stopping, False
                batch, self._waiting = self._waiting, {}
                self._busy = True
            written = self._commit(connection, list(batch.values()))
            with self._guard:
                self._busy = False
                self.failing = not written
                if not written:
                    # What came meanwhile is newer.
                    self._waiting = {**batch, **self._waiting}
                self._guard.notify_all()
            if last:
                break
        connection.close()

    def _wait(self) -> None:
        """Wait for something to write; the guard is held."""
        self._guard.wait_for(lambda: self._stopping or self._waiting)
        if self.failing:
            # A batch that failed is tried again after a pause, not at once.
            self._guard.wait_for(lambda: self._stopping, timeout=RETRY_SECONDS)
        else:
            self._guard.wait_for(lambda: self._stopping or self._urgent, timeout=LAZY_SECONDS)

    def _commit(self, connection: sqlite3.Connection, batch: list[Write]) -> bool:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for statement, values in batch:
                connection.execute(statement, values)
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.rollback()
            return False
        return True
