"""A `Keys` on SQLite, read into memory whole; other processes may write the table too.

`tiergate keys` writes it while a gateway runs: the database's own version number tells when, and is
looked at once a second at most.
"""

from gateway.errors import StoreUnavailable
from gateway.ports import Clock
from gateway.principal import KeyRecord
from gateway.store.embedded.journal import Journal
from gateway.store.records import from_json, to_json

LOOK_SECONDS = 1.0
_PUT = "INSERT OR REPLACE INTO keys VALUES (?, ?, ?)"


class EmbeddedKeys:
    """Keys of one data directory; without a journal they are forgotten with the process."""

    def __init__(self, clock: Clock, journal: Journal | None) -> None:
        self._now = clock.now
        self._journal = journal
        self._records: dict[str, KeyRecord] = {}
        self._version = -1
        self._looked = float("-inf")

    async def find(self, key_id: str) -> KeyRecord | None:
        self._look()
        return self._records.get(key_id)

    async def put(self, record: KeyRecord) -> None:
        self._records[record.id] = record
        if self._journal is not None:
            row = (record.id, record.created, to_json(record))
            self._journal.put(("key", record.id), _PUT, row)
            self._journal.flush()
            if self._journal.failing:
                message = "The key could not be written to the data directory."
                raise StoreUnavailable(message)

    async def every(self) -> list[KeyRecord]:
        self._look()
        return sorted(self._records.values(), key=lambda record: record.created)

    def _look(self) -> None:
        journal, now = self._journal, self._now()
        if journal is None or now < self._looked + LOOK_SECONDS:
            return
        self._looked = now
        version = journal.version()
        if version == self._version:
            return
        self._version = version
        journal.flush()
        rows = journal.read("SELECT record FROM keys")
        self._records = {record.id: record for record in (from_json(text) for (text,) in rows)}
