"""What is not in the database yet, added up.

However long the disk stalls, it takes as much room as there is to be told apart: live holds,
buckets, accounts of a day, notes. What is written is written once: each batch says up to where on
the tape it goes.

On the tape, and in the queue before it comes here, each step of the ledger is a line of JSON:

    ["h", claim, expected, places, account]             a hold was made
    ["p", claim, cost, places, [day, account…, sums…]…] it is settled (or, without a claim, spent)

where a place is a bucket: [level, period, rolling, number, when it ceases to count].
"""

from collections.abc import Iterable
from math import ceil
from operator import add
from typing import Any, NamedTuple

import orjson

from gateway.budget.books import Places
from gateway.budget.records import MAX_RECORDS, NAMED, Record, other
from gateway.budget.windows import let_go
from gateway.holds import Account
from gateway.money import FREE
from gateway.principal import Allowance
from gateway.store.embedded.database import Connection
from gateway.store.embedded.tape import Mark

HOLD, POST = "h", "p"

_WINDOW = (
    "INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
    "SET settled = max(0, settled + excluded.settled)"
)
_ADD = (
    "UPDATE spend SET calls = calls + ?, prompt = prompt + ?, cached = cached + ?, completion = "
    "completion + ?, reasoning = reasoning + ?, cost = cost + ?, estimated = estimated + ?, saved "
    "= saved + ? WHERE day = ? AND organisation = ? AND team = ? AND key = ? AND model = ? AND "
    "tier = ?"
)
_NEW = "INSERT INTO spend VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

NOWHERE = orjson.Fragment(b"[]")


class Row(NamedTuple):
    """A row's newest values; `row` names it among all that wait."""

    row: object
    statement: str
    values: tuple[Any, ...]


Step = tuple[str, str, bytes, int, int]
"""A step of the ledger: its kind, the hold it begins or ends, itself, where on the tape it ends."""


def spell_places(places: Places) -> orjson.Fragment:
    """Buckets as JSON, written once for all claims of a time."""
    spelt = places.spelt
    if not isinstance(spelt, orjson.Fragment):
        rows = [
            [bucket.level, period.value, int(rolling), bucket.number, ceil(ends)]
            for bucket in places.buckets
            for period, rolling in [bucket.runs_by]
            for ends in [let_go(Allowance(FREE, period, rolling), bucket.number)]
        ]
        spelt = places.spelt = orjson.Fragment(orjson.dumps(rows))
    return spelt


def spell_hold(claim: str, expected: int, places: orjson.Fragment, account: Account) -> bytes:
    """A hold that was made."""
    return orjson.dumps((HOLD, claim, expected, places, list(account)))


def spell_post(claim: str, cost: int, places: orjson.Fragment, records: Iterable[Record]) -> bytes:
    """What was spent."""
    return orjson.dumps((POST, claim, cost, places, *records))


class Pending:
    """A batch to be written, up to a mark."""

    __slots__ = ("_holds", "_records", "_released", "_rows", "_windows", "at", "number")

    def __init__(self, number: int, at: int) -> None:
        self.number = number
        self.at = at
        self._holds: dict[str, bytes] = {}
        self._released: set[str] = set()
        self._windows: dict[tuple[str, str, int, int], list[int]] = {}
        self._records: dict[Record, Record] = {}
        self._rows: dict[object, Row] = {}

    def __len__(self) -> int:
        sizes = (self._holds, self._released, self._windows, self._records, self._rows)
        return sum(map(len, sizes))

    def add(self, step: Step | Row) -> None:
        """Add what was done next."""
        if isinstance(step, Row):
            self._rows[step.row] = step
            return
        kind, claim, data, self.number, self.at = step
        if kind == HOLD:
            self._holds[claim] = data
        else:
            self.post(*orjson.loads(data)[1:])

    def replay(self, data: bytes, mark: Mark) -> None:
        """Add a step as it was found on the tape."""
        said = orjson.loads(data)
        self.add((said[0], said[1], data, mark.number, mark.at))

    def post(self, claim: str, cost: int, places: Iterable[Any], *records: Any) -> None:  # noqa: ANN401 - JSON
        """Add what was spent."""
        # A hold that the database never saw need not be deleted there.
        if claim and self._holds.pop(claim, None) is None:
            self._released.add(claim)
        for level, period, rolling, number, ends in places:
            row = (level, period, rolling, number)
            window = self._windows.get(row)
            if window is None:
                self._windows[row] = [ends, cost]
            else:
                window[1] += cost
        for record in records:
            named, sums = tuple(record[:NAMED]), record[NAMED:]
            before = self._records.get(named)
            self._records[named] = tuple(sums if before is None else map(add, before, sums))

    def write(self, connection: Connection) -> None:
        """Write it, in a transaction of the caller's; sums only if they are not there yet."""
        run = connection.executemany
        run("DELETE FROM holds WHERE id = ?", [(claim,) for claim in self._released])
        run("INSERT OR REPLACE INTO holds VALUES (?, ?)", self._holds.items())
        (known,) = connection.execute("SELECT number FROM tape").fetchone()
        if known < self.number:
            run(_WINDOW, [(*row, *window) for row, window in self._windows.items()])
            self._write_records(connection)
            mark = (self.number, self.at)
            connection.execute("UPDATE tape SET number = ?, at = ?", mark)
        for _, statement, values in self._rows.values():
            connection.execute(statement, values)

    def _write_records(self, connection: Connection) -> None:
        count: int | None = None
        for named, sums in self._records.items():
            if connection.execute(_ADD, (*sums, *named)).rowcount:
                continue
            if count is None:
                (count,) = connection.execute("SELECT count(*) FROM spend").fetchone()
            told = named
            if count >= MAX_RECORDS:
                told = other(named)
                if connection.execute(_ADD, (*sums, *told)).rowcount:
                    continue
            connection.execute(_NEW, (*told, *sums))
            count += 1
