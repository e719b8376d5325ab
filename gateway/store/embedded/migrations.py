"""The tables of the database, as they came about: what brings each version to the next.

A step that was released is never changed; what must change becomes a step of its own.
"""

import json
import sqlite3
from collections.abc import Callable

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE settled (
    level TEXT, period TEXT, rolling INTEGER, bucket INTEGER, sum INTEGER NOT NULL,
    PRIMARY KEY (level, period, rolling, bucket)) WITHOUT ROWID;
CREATE TABLE holds (
    id TEXT PRIMARY KEY, slots TEXT NOT NULL, expected INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE spend (
    day INTEGER, organisation TEXT, team TEXT, key TEXT, model TEXT, tier TEXT,
    calls INTEGER NOT NULL, prompt INTEGER NOT NULL, cached INTEGER NOT NULL,
    completion INTEGER NOT NULL, reasoning INTEGER NOT NULL, cost INTEGER NOT NULL,
    estimated INTEGER NOT NULL, saved INTEGER NOT NULL,
    PRIMARY KEY (day, organisation, team, key, model, tier)) WITHOUT ROWID;
CREATE TABLE keys (id TEXT PRIMARY KEY, created REAL NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE notes (
    kind TEXT, name TEXT, note TEXT NOT NULL, dies REAL NOT NULL,
    PRIMARY KEY (kind, name)) WITHOUT ROWID
"""

# Where a bucket of the first version ceases to count was not kept. A day or so too late is no harm:
# what is read does not count any longer than its window, only its row is kept.
_SECOND = """
CREATE TABLE windows (
    level TEXT, period TEXT, rolling INTEGER, bucket INTEGER, ends INTEGER NOT NULL,
    settled INTEGER NOT NULL, PRIMARY KEY (level, period, rolling, bucket)) WITHOUT ROWID;
CREATE INDEX windows_by_end ON windows (ends);
INSERT INTO windows
    SELECT level, period, rolling, bucket, CASE rolling WHEN 0 THEN bucket + 31 * 86400
    ELSE (bucket + 61) * CASE period WHEN 'minute' THEN 1 WHEN 'hour' THEN 60 WHEN 'day' THEN 1440
    WHEN 'week' THEN 10080 ELSE 43200 END END, sum FROM settled;
DROP TABLE settled;
DROP TABLE holds;
CREATE TABLE holds (id TEXT PRIMARY KEY, op BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE rates (
    level TEXT PRIMARY KEY, requests REAL NOT NULL, tokens REAL NOT NULL) WITHOUT ROWID;
DROP TABLE notes;
CREATE TABLE notes (
    name BLOB PRIMARY KEY, note TEXT NOT NULL, dies REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX notes_by_end ON notes (dies);
CREATE TABLE tape (salt INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL);
INSERT INTO tape VALUES (0, 0, 0)
"""

_CHARGE = (
    "INSERT INTO settled VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET sum = sum + excluded.sum"
)


def _first(connection: sqlite3.Connection) -> None:
    _run(connection, _FIRST)


def _second(connection: sqlite3.Connection) -> None:
    """Buckets know when they cease to count; holds are kept as written; the tape is known."""
    # Whoever made these holds is gone.
    for slots, expected in connection.execute("SELECT slots, expected FROM holds").fetchall():
        connection.executemany(_CHARGE, [(*slot, expected) for slot in json.loads(slots)])
    _run(connection, _SECOND)


def _run(connection: sqlite3.Connection, script: str) -> None:
    # Not `executescript`: that would end the transaction.
    for statement in script.split(";"):
        connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first, _second)
"""The first makes a new database."""
