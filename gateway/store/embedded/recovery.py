"""What a process finds when it starts: the database, and on the tape what had not got there.

Holds that are still there were left by a process that is gone, as the lock is ours: each is charged
what was expected of it. Then the tape begins anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import randbits
from typing import NamedTuple

import orjson

from gateway.budget.books import Books, Lapsed, Places, Slot
from gateway.budget.records import day_of, lapsed
from gateway.holds import Account
from gateway.ports import Clock
from gateway.principal import Period
from gateway.store.embedded.database import Connection, connected, explained, locked, transaction
from gateway.store.embedded.journal import Journal, sweep
from gateway.store.embedded.pending import Pending
from gateway.store.embedded.tape import Mark, Tape

TAPE = "tape"


class Left(NamedTuple):
    """A hold that was left over: its claim, what was expected, where it counts, whose it is."""

    claim: str
    expected: int
    places: list[tuple[str, str, int, int, int]]
    account: Account


class Recovered(NamedTuple):
    """A journal that is yet to be started, and the holds that were charged on the way."""

    journal: Journal
    left: list[Left]


@contextmanager
def recovered(directory: Path, clock: Clock) -> Iterator[Recovered]:
    """Have a data directory, as the last process left it; close the journal before.

    Raises:
        StoreInUse: another process has it.
        StoreBroken: it cannot be used.
    """
    with locked(directory), connected(directory, alone=True) as connection:
        with explained(directory):
            tape = Tape(directory / TAPE, _mark(connection))
        try:
            with explained(directory):
                left = _recover(connection, tape, clock.wall())
            yield Recovered(Journal(connection, tape, clock), left)
        finally:
            tape.close()


def restore(books: Books, found: Recovered, now: float) -> None:
    """Tell new books what was kept."""
    connection = found.journal.connection
    for *slot, settled in connection.execute(
        "SELECT level, period, rolling, bucket, settled FROM windows WHERE ends > ?", (now,)
    ):
        books.restore(_slot(*slot), settled)
    books.restore_rates(connection.execute("SELECT level, requests, tokens FROM rates"))
    day = day_of(now)
    for claim, expected, places, account in found.left:
        buckets = tuple([books.restore(_slot(*place[:4]), 0) for place in places])
        books.lapse(Lapsed(claim, expected, account, day, Places(buckets, now, now)))


def _mark(connection: Connection) -> Mark:
    return Mark(*connection.execute("SELECT salt, number, at FROM tape").fetchone())


def _recover(connection: Connection, tape: Tape, now: float) -> list[Left]:
    _replay(connection, tape)
    left = _lapse(connection, tape, day_of(now))
    with transaction(connection):
        sweep(connection, now)
    return left


def _replay(connection: Connection, tape: Tape) -> None:
    number, at = tape.mark()[1:]
    pending = Pending(number, at)
    for data in tape.read():
        pending.replay(data, tape.mark())
    with transaction(connection):
        pending.write(connection)


def _lapse(connection: Connection, tape: Tape, day: int) -> list[Left]:
    left: list[Left] = []
    for (op,) in connection.execute("SELECT op FROM holds").fetchall():
        _, claim, expected, places, account = orjson.loads(op)
        left.append(Left(claim, expected, places, Account(*account)))
    # A number of its own, or the sums would be taken for written already.
    tape.renew(randbits(31))
    salt, number, at = tape.mark()
    pending = Pending(number, at)
    for one in left:
        charged = lapsed(day, one.account, one.expected)
        pending.post(one.claim, one.expected, one.places, charged)
    with transaction(connection):
        pending.write(connection)
        connection.execute("UPDATE tape SET salt = ?", (salt,))
    return left


def _slot(level: str, period: str, rolling: int, number: int) -> Slot:
    return Slot(level, Period(period), bool(rolling), number)
