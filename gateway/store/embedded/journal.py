"""SQLite behind one writer thread: what changed is written in batches, and nothing is lost.

A step of the ledger is on the tape when `hold` or `post` returns, so a killed process loses none of
them; the thread brings it to the database a moment later. It takes all that waits, adds it up,
writes it in one transaction, and looks again. A write that fails is tried again, while all goes on
in memory: what waits is added up then, so that it stays small.

Whoever wants to read or write the database otherwise sends an errand, which is run in between, when
all that was done before it is written.
"""

import asyncio
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from math import inf
from typing import Any, Final, Protocol, TypeVar

from gateway.budget.books import Places
from gateway.budget.records import KEPT_DAYS, Record, day_of
from gateway.errors import StoreUnavailable
from gateway.holds import Account
from gateway.ports import Clock
from gateway.store.embedded.database import Connection, transaction
from gateway.store.embedded.pending import (
    HOLD,
    POST,
    Pending,
    Row,
    Step,
    spell_hold,
    spell_places,
    spell_post,
)
from gateway.store.embedded.tape import Tape

LOG = logging.getLogger("tiergate.store")

PERIOD: Final = 0.05
"""Seconds in which steps gather; the tape keeps them meanwhile."""

SLICE: Final = 64
"""Steps added up at once: a quarter of a millisecond between two turns of the event loop."""

BREATH: Final = 0.0005
"""Seconds the thread sleeps between two slices."""

CROWD: Final = 20_000
"""Steps that may wait one by one, some 10 MB; from then on each adds up two of them itself."""

RETRY_SECONDS: Final = 0.5
PATIENCE: Final = 5.0
"""Seconds an errand may take before whoever sent it is told that the store is unavailable."""

RATES_SECONDS: Final = 1.0
"""Between two writes of the rates, of which a killed process may lose as much."""

SWEEP_SECONDS: Final = 60.0

T = TypeVar("T")
Errand = Callable[[Connection], T]
Rates = Callable[[], Iterable[tuple[str, float, float]]]


class Desk(Protocol):
    """Where errands to the database are taken."""

    async def ask(self, errand: Errand[T]) -> T:
        """Run an errand, when all that was done before is written.

        Raises:
            StoreUnavailable: it failed, or did not come about in time.
        """
        ...


class Journal:
    """A `Desk`, and the writer of an open database. All but the thread is for one event loop."""

    def __init__(self, connection: Connection, tape: Tape, clock: Clock) -> None:
        self.connection = connection
        self._tape = tape
        self._now, self._wall = clock.now, clock.wall
        self._queue: deque[Step | Row] = deque()
        self._pending = Pending(tape.mark().number, tape.mark().at)
        self._writing: Pending | None = None
        self._guard = threading.Lock()
        self._wake, self._hurry, self._stop = (threading.Event() for _ in range(3))
        self._errands: deque[tuple[Errand[Any], Future[Any]]] = deque()
        self._rates: Rates = tuple
        self._rates_at = self._swept_at = -inf
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self.failing = False
        self.failures = 0

    def start(self, rates: Rates) -> None:
        """Begin to write; `rates` is asked now and then, in the thread."""
        self._rates = rates
        self._thread.start()

    def hold(self, claim: str, expected: int, places: Places, account: Account) -> None:
        """A hold was made; should this process die, it is charged to an account."""
        self._put(HOLD, claim, spell_hold(claim, expected, spell_places(places), account))

    def post(self, claim: str, cost: int, places: Places, records: Iterable[Record]) -> None:
        """A cost was settled in buckets; `claim` is the hold that ends with it, if any."""
        self._put(POST, claim, spell_post(claim, cost, spell_places(places), records))

    def row(self, row: object, statement: str, values: tuple[Any, ...]) -> None:
        """Write a row soon; a killed process may lose it."""
        self._queue.append(Row(row, statement, values))
        self._notify()

    async def ask(self, errand: Errand[T]) -> T:
        if not self._thread.is_alive():
            message = "The data directory is closed."
            raise StoreUnavailable(message)
        future: Future[T] = Future()
        self._errands.append((errand, future))
        self._hurry.set()
        self._wake.set()
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            message = "The data directory does not answer in time."
            raise StoreUnavailable(message) from None

    def pending(self) -> int:
        """Steps and rows that wait to be written."""
        writing = self._writing
        return len(self._queue) + len(self._pending) + (0 if writing is None else len(writing))

    def close(self) -> None:
        """Write the rest; what cannot be written now is on the tape."""
        self._stop.set()
        self._hurry.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _put(self, kind: str, claim: str, data: bytes) -> None:
        at = self._tape.write(data)
        queue = self._queue
        queue.append((kind, claim, data, self._tape.number, at))
        if len(queue) > CROWD:
            self._add_up(2)
        self._notify()

    def _notify(self) -> None:
        if not self._wake.is_set():
            self._wake.set()

    def _add_up(self, most: int) -> None:
        with self._guard, suppress(IndexError):
            for _ in range(most):
                self._pending.add(self._queue.popleft())

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._next_turn()
            self._rates_at = -inf
            self._turn()
        finally:
            # A thread that a defect of ours has ended must not look like one that has no work.
            self.failing = self.failing or not self._stop.is_set()

    def _next_turn(self) -> None:
        self._wake.wait()
        self._hurry.wait(PERIOD)
        self._wake.clear()
        self._hurry.clear()
        self._turn()
        if self.failing:
            self._stop.wait(RETRY_SECONDS)
            self._wake.set()

    def _turn(self) -> None:
        errands = [self._errands.popleft() for _ in range(len(self._errands))]
        written = self._writing is None or self._write(self._writing)
        for _ in range(0, len(self._queue), SLICE):
            self._add_up(SLICE)
            # Whoever waits for the interpreter gets it now, not in five milliseconds.
            self._stop.wait(BREATH)
        if written and (self._pending or self._rates_at == -inf):
            with self._guard:
                taken = self._pending
                self._writing, self._pending = taken, Pending(taken.number, taken.at)
            written = self._write(taken)
        for errand, future in errands:
            if future.set_running_or_notify_cancel():
                self._run_errand(errand, future, written=written)

    def _run_errand(self, errand: Errand[Any], future: "Future[Any]", *, written: bool) -> None:
        if not written:
            future.set_exception(StoreUnavailable("The data directory cannot be written."))
            return
        try:
            future.set_result(errand(self.connection))
        except sqlite3.Error as error:
            future.set_exception(StoreUnavailable(f"The data directory cannot be used: {error}."))

    def _write(self, batch: Pending) -> bool:
        try:
            with transaction(self.connection):
                batch.write(self.connection)
                self._write_rates()
                self._sweep()
        except sqlite3.Error as error:
            self._failed(error)
            return False
        self._tape.freed = batch.at
        self._writing = None
        if self.failing:
            LOG.warning("the data directory can be written again; nothing was lost")
        self.failing = False
        return True

    def _failed(self, error: sqlite3.Error) -> None:
        if not self.failing:
            LOG.error("the data directory cannot be written: %s; going on in memory", error)
        self.failing = True
        self.failures += 1

    def _write_rates(self) -> None:
        now, wall = self._now(), self._wall()
        if now >= self._rates_at + RATES_SECONDS:
            # Arrivals that lie behind say nothing.
            rates = [rate for rate in self._rates() if max(rate[1:]) > wall]
            self.connection.execute("DELETE FROM rates")
            self.connection.executemany("INSERT INTO rates VALUES (?, ?, ?)", rates)
            self._rates_at = now

    def _sweep(self) -> None:
        if self._now() >= self._swept_at + SWEEP_SECONDS:
            sweep(self.connection, self._wall())
            self._swept_at = self._now()


def sweep(connection: Connection, now: float) -> None:
    """Delete what does not count any more; in a transaction of the caller's."""
    connection.execute("DELETE FROM windows WHERE ends <= ?", (int(now),))
    connection.execute("DELETE FROM notes WHERE dies <= ?", (now,))
    connection.execute("DELETE FROM spend WHERE day <= ?", (day_of(now) - KEPT_DAYS,))
