"""The embedded store: one journal, and the ports that stand on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.ports import Affinities, Clock
from gateway.store.embedded.journal import Journal
from gateway.store.embedded.keys import EmbeddedKeys
from gateway.store.embedded.ledger import EmbeddedLedger
from gateway.store.embedded.spending import SpendReader
from gateway.store.notes import MemoryAffinities


class EmbeddedStore:
    """Everything one process keeps."""

    def __init__(self, clock: Clock, journal: Journal | None) -> None:
        self.journal = journal
        self.ledger = EmbeddedLedger(clock, journal)
        self.keys = EmbeddedKeys(clock, journal)
        self.affinities: Affinities = MemoryAffinities(clock)

    def pending(self) -> int:
        """Rows that wait to be written."""
        return 0 if self.journal is None else self.journal.pending()

    def failing(self) -> bool:
        """Whether the disk refuses what is written; all goes on in memory meanwhile."""
        return self.journal is not None and self.journal.failing


@contextmanager
def open_store(directory: Path | None, clock: Clock) -> Iterator[EmbeddedStore]:
    """The store of a data directory; None keeps nothing beyond the process.

    Raises:
        StoreInUse: another process has the directory.
        StoreBroken: it cannot be used.
    """
    if directory is None:
        yield EmbeddedStore(clock, None)
        return
    journal = Journal(directory, exclusive=True)
    try:
        yield EmbeddedStore(clock, journal)
    finally:
        journal.close()


@dataclass(frozen=True, slots=True)
class Beside:
    """What may be had of a data directory while a gateway uses it."""

    keys: EmbeddedKeys
    ledger: SpendReader


@contextmanager
def open_beside(directory: Path, clock: Clock) -> Iterator[Beside]:
    """Keys and records of spend, beside a gateway that may be running.

    Raises:
        StoreBroken: it cannot be used.
    """
    journal = Journal(directory, exclusive=False)
    try:
        yield Beside(EmbeddedKeys(clock, journal), SpendReader(journal))
    finally:
        journal.close()
