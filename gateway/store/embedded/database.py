"""The database of a data directory: how it is opened, what its tables are, who may have it.

One process keeps its ledger here, and says so by a lock on a file beside the database; it lasts as
long as the process, however that ends. Keys may be written by others meanwhile (`tiergate keys`).

A database of an earlier version is brought up to ours, one version after another, each in one
transaction. That of a later version is left alone.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

from gateway.errors import StoreUnavailable
from gateway.store.embedded.migrations import MIGRATIONS

Connection = sqlite3.Connection

FILE = "tiergate.db"
BUSY_MILLISECONDS = 5_000
LOCK_SECONDS, LOCK_STEP = 1.0, 0.05
"""How long a lock is waited for: `tiergate keys` may hold it for a moment, to migrate."""

OWN = 0o600
"""Nobody else reads what is spent, or the digests of keys."""


class StoreInUse(StoreUnavailable):
    """Another process has the data directory."""


class StoreBroken(StoreUnavailable):
    """The data directory cannot be used; the message says why and what to do."""


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Say what is wrong with a data directory.

    Raises:
        StoreBroken: something is.
    """
    try:
        yield
    except OSError as error:
        message = f"the data directory {directory} cannot be used: {error.strerror}"
        raise StoreBroken(message) from None
    except sqlite3.Error as error:
        message = (
            f"the database {directory / FILE} cannot be used: {error}. Free the disk, mend the "
            "file, or move it away (keys and spend are then lost) and start again"
        )
        raise StoreBroken(message) from None


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Have a data directory for this process alone.

    Raises:
        StoreInUse: another process has it.
        StoreBroken: there can be none.
    """
    with explained(directory):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, OWN)
    try:
        _lock(descriptor, directory)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, directory: Path) -> None:
    for _ in range(int(LOCK_SECONDS / LOCK_STEP)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            Event().wait(LOCK_STEP)
        except OSError as error:
            message = f"{directory} cannot be locked: {error.strerror}"
            raise StoreBroken(message) from None
        else:
            return
    message = (
        f"another gateway uses {directory}: stop it, choose another directory "
        "(store.data, --data DIR), or share state through Redis (GATEWAY_REDIS_URL)"
    )
    raise StoreInUse(message)


@contextmanager
def connected(directory: Path, *, alone: bool) -> Iterator[Connection]:
    """Open the database, made or migrated where need be; `alone`: we have the lock.

    Raises:
        StoreInUse: it must be migrated, and another process uses it.
        StoreBroken: it cannot be used.
    """
    with explained(directory):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = directory / FILE
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, OWN))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with closing(connection):
        with explained(directory):
            _prepare(connection, alone=alone)
            version = _version(connection)
        _check(version, path)
        if version < len(MIGRATIONS):
            with explained(directory):
                _migrate(connection, directory, alone=alone or version == 0)
        yield connection


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Write all or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield


def _prepare(connection: Connection, *, alone: bool) -> None:
    connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    if alone:
        # Damage must be told when the gateway starts, not when it comes to the damaged page.
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            message = str(found).splitlines()[-1]
            raise sqlite3.DatabaseError(message)


def _version(connection: Connection) -> int:
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
        return 0
    found = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    return int(found[0]) if found else 0


def _check(version: int, path: Path) -> None:
    if version > len(MIGRATIONS):
        message = (
            f"{path} was written by a newer version of the gateway (schema {version}, this one "
            f"knows {len(MIGRATIONS)}): run that version, or choose another directory"
        )
        raise StoreBroken(message)


def _migrate(connection: Connection, directory: Path, *, alone: bool) -> None:
    if not alone:
        # A gateway of an earlier version may be running on it.
        with locked(directory):
            _migrate(connection, directory, alone=True)
        return
    with transaction(connection):
        for number in range(_version(connection), len(MIGRATIONS)):
            MIGRATIONS[number](connection)
        connection.execute(
            "INSERT OR REPLACE INTO meta VALUES ('schema', ?)", (str(len(MIGRATIONS)),)
        )
