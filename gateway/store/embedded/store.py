"""The embedded store: one data directory, and the ports that stand on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.budget.books import Books
from gateway.ports import Affinities, Clock
from gateway.store.embedded.affinities import EmbeddedAffinities
from gateway.store.embedded.database import Connection, connected, explained
from gateway.store.embedded.journal import Desk, Errand, Journal, T
from gateway.store.embedded.keys import EmbeddedKeys
from gateway.store.embedded.ledger import EmbeddedLedger
from gateway.store.embedded.recovery import recovered, restore
from gateway.store.embedded.spending import Spending
from gateway.store.notes import MemoryAffinities


@dataclass(frozen=True, slots=True)
class EmbeddedStore:
    """Everything one process keeps."""

    ledger: EmbeddedLedger
    keys: EmbeddedKeys
    affinities: Affinities
    journal: Journal | None = None

    def pending(self) -> int:
        """Steps and rows that wait to be written to the database."""
        return 0 if self.journal is None else self.journal.pending()

    def failing(self) -> bool:
        """Whether the disk refuses what is written; all goes on in memory meanwhile."""
        return self.journal is not None and self.journal.failing

    def failures(self) -> int:
        """How often the disk has refused."""
        return 0 if self.journal is None else self.journal.failures


@contextmanager
def open_store(directory: Path | None, clock: Clock) -> Iterator[EmbeddedStore]:
    """The store of a data directory; None keeps nothing beyond the process.

    Raises:
        StoreInUse: another process has the directory.
        StoreBroken: it cannot be used.
    """
    books = Books()
    if directory is None:
        ledger = EmbeddedLedger(clock, books, None)
        yield EmbeddedStore(ledger, EmbeddedKeys(clock, None), MemoryAffinities(clock))
        return
    with recovered(directory, clock) as found:
        journal = found.journal
        with explained(directory):
            restore(books, found, clock.wall())
            affinities = EmbeddedAffinities(clock, journal)
        journal.start(books.rates)
        try:
            ledger = EmbeddedLedger(clock, books, journal)
            yield EmbeddedStore(ledger, EmbeddedKeys(clock, journal), affinities, journal)
        finally:
            journal.close()


class Counter:
    """A `Desk` where errands are run at once: a command has nothing else to do meanwhile."""

    __slots__ = ("_connection", "_directory")

    def __init__(self, connection: Connection, directory: Path) -> None:
        self._connection = connection
        self._directory = directory

    async def ask(self, errand: Errand[T]) -> T:
        with explained(self._directory):
            return errand(self._connection)


@dataclass(frozen=True, slots=True)
class Beside:
    """What may be had of a data directory while a gateway uses it."""

    keys: EmbeddedKeys
    ledger: Spending


@contextmanager
def open_beside(directory: Path, clock: Clock) -> Iterator[Beside]:
    """Keys and records of spend, beside a gateway that may be running.

    Raises:
        StoreInUse: a gateway of an earlier version is running.
        StoreBroken: it cannot be used.
    """
    with connected(directory, alone=False) as connection:
        desk: Desk = Counter(connection, directory)
        yield Beside(EmbeddedKeys(clock, desk), Spending(desk))
