"""A `Keys` on SQLite, read into memory whole; other processes may write the table too.

`tiergate keys` writes it while a gateway runs: the database's own version number tells when, and is
looked at once a second at most. Only records that have changed are read anew. When the database
does not answer, what is remembered is believed.
"""

from contextlib import suppress
from math import inf
from typing import Final

from gateway.errors import StoreUnavailable
from gateway.ports import Clock
from gateway.principal import KeyRecord
from gateway.store.embedded.database import Connection
from gateway.store.embedded.journal import Desk
from gateway.store.records import from_json, to_json

LOOK_SECONDS: Final = 1.0

_ALL = "SELECT id, record FROM keys"
_ONE = "SELECT record FROM keys WHERE id = ?"
_REPLACE = "UPDATE keys SET record = ? WHERE id = ? AND record = ?"
_PUT = "INSERT OR REPLACE INTO keys VALUES (?, ?, ?)"

Rows = list[tuple[str, str]]


class EmbeddedKeys:
    """Keys of one data directory; without a desk they are forgotten with the process."""

    def __init__(self, clock: Clock, desk: Desk | None) -> None:
        self._now = clock.now
        self._desk = desk
        self._texts: dict[str, str] = {}
        self._records: dict[str, KeyRecord | None] = {}
        self._version = -1
        self._looked = -inf

    async def find(self, key_id: str) -> KeyRecord | None:
        await self._look()
        if key_id not in self._records:
            return None
        record = self._records[key_id]
        if record is None:
            message = "What is kept of this key cannot be read."
            raise StoreUnavailable(message)
        return record

    async def put(self, record: KeyRecord, over: KeyRecord | None = None) -> bool:
        text = to_json(record)
        if self._desk is not None:
            row = (record.id, record.created, text)
            if not await self._desk.ask(lambda connection: _write(connection, row, over)):
                # What is kept there is not what is remembered here.
                self._version, self._looked = 0, -inf
                return False
        elif over is not None and self._records.get(record.id) != over:
            return False
        self._records[record.id] = record
        self._texts[record.id] = text
        return True

    async def every(self) -> list[KeyRecord]:
        await self._look()
        records = [record for record in self._records.values() if record is not None]
        return sorted(records, key=lambda record: (record.created, record.id))

    async def _look(self) -> None:
        desk, now = self._desk, self._now()
        if desk is None or now < self._looked + LOOK_SECONDS:
            return
        if self._version < 0:
            self._take(*await desk.ask(self._changed))
        else:
            with suppress(StoreUnavailable):
                self._take(*await desk.ask(self._changed))
        self._looked = now

    def _changed(self, connection: Connection) -> tuple[int, Rows | None]:
        """The database's version, and all rows if it is new; in another thread."""
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return version, None
        return version, connection.execute(_ALL).fetchall()

    def _take(self, version: int, rows: Rows | None) -> None:
        self._version = version
        if rows is None:
            return
        for key_id, text in rows:
            if self._texts.get(key_id) != text:
                self._texts[key_id] = text
                self._records[key_id] = _read(text)


def _write(connection: Connection, row: tuple[str, float, str], over: KeyRecord | None) -> bool:
    """Write a record, if what it replaces is still there."""
    if over is None:
        connection.execute(_PUT, row)
        return True
    key_id, _, text = row
    kept = connection.execute(_ONE, (key_id,)).fetchone()
    if kept is None or _read(kept[0]) != over:
        return False
    # Compared is the text: another process may have written in between.
    return connection.execute(_REPLACE, (text, key_id, kept[0])).rowcount == 1


def _read(text: str) -> KeyRecord | None:
    """A record, or None where it is none."""
    try:
        return from_json(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
