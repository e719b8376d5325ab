"""Records of spend in Redis: a hash for each root and day, a sum of eight for each account.

A root's hashes live beside its levels, so that a call's settling writes both at once; an index of
roots, which may live anywhere, says where to look. Reading goes in small steps: whoever asks for a
year must not keep a call waiting.

Refused: searching the server for keys.
"""

from collections.abc import Iterator
from contextlib import suppress
from struct import Struct
from typing import Final

from gateway.budget.records import (
    DAY_SECONDS,
    KEPT_DAYS,
    OTHER,
    date_of,
    day_number,
    day_of,
    told,
)
from gateway.errors import StoreUnavailable
from gateway.holds import Account, SpendQuery, Spent
from gateway.ports import Clock
from gateway.store.redis.faults import Refused
from gateway.store.redis.ledger_shape import SEPARATOR, base_of, tag
from gateway.store.redis.ledger_together import together
from gateway.store.redis.link import Link
from gateway.store.redis.wire import Answer, Word

MAX_ACCOUNTS = 5_000
"""Accounts told apart on one day of one root: a megabyte. What comes beyond is told as one."""

ROOTS: Final = b"tg1:roots"
ROWS = 250
"""Rows read in one round trip: half a millisecond of the server's time, and of ours."""

SIDE_BY_SIDE = 32
"""Roots asked at once."""

SUMS = Struct(">8d")
Sums = tuple[int, ...]
"""Calls, prompt, cached, completion, reasoning, cost, estimated, saved."""


def spend_key(base: str, day: int) -> bytes:
    """Where a day of a root is kept; `base` is what the root's keys begin with."""
    return f"{base}spend:{day}".encode()


def spelled(account: Account) -> str:
    """An account as the name of a field; names hold no control characters."""
    return SEPARATOR.join(account)


def other(account: Account) -> str:
    """Where an account goes on a day that is full."""
    return spelled(Account(account.organisation, OTHER, OTHER, OTHER, account.tier))


class Records:
    """The records of all roots."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._wall = clock.wall
        self._indexed: dict[str, int] = {}
        self._new: dict[str, int] = {}
        self._swept = 0

    def note(self, root: str, day: int) -> bool:
        """A record was written; whether the index must be told (`index`)."""
        if self._indexed.get(root, -1) >= day:
            return False
        self._new[root] = day
        return True

    async def index(self) -> None:
        """Tell the index of roots what it does not know yet.

        Raises:
            StoreUnavailable: it could not be told; it will be, the next time.
        """
        for root, day in list(self._new.items()):
            await self._run("ZADD", ROOTS, "GT", day, tag(root))
            self._indexed[root] = day
            if self._new.get(root) == day:
                del self._new[root]
            if day > self._swept:
                self._swept = day
                self._forget(day)
                await self._link.run("ZREMRANGEBYSCORE", ROOTS, "-inf", day - KEPT_DAYS)
                await self._link.run("EXPIRE", ROOTS, (KEPT_DAYS + 1) * DAY_SECONDS)

    async def read(self, query: SpendQuery) -> list[Spent]:
        """The records asked for, newest day first, and the dearest first in a day.

        Raises:
            StoreUnavailable: they cannot be read now.
        """
        found: list[Spent] = []
        today = day_of(self._wall())
        since = max(day_number(query.since), today - KEPT_DAYS)
        # A day is over at another time where a clock is wrong.
        day = min(day_number(query.until), today + 1)
        if since > day:
            return found
        last = await self._roots(since)
        while day >= since and len(found) < query.limit:
            here = [root for root, latest in last.items() if latest >= day]
            found += await self._read_day(here, day, query)
            day -= 1
        return found[: query.limit]

    async def _roots(self, since: int) -> dict[str, int]:
        with suppress(StoreUnavailable):
            await self.index()
        words = await self._run("ZRANGEBYSCORE", ROOTS, since, "+inf", "WITHSCORES")
        pairs = iter(words)
        return {root.decode(): int(score) for root, score in zip(pairs, pairs, strict=True)}

    async def _read_day(self, roots: list[str], day: int, query: SpendQuery) -> list[Spent]:
        totals: dict[Account, list[int]] = {}
        for start in range(0, len(roots), SIDE_BY_SIDE):
            keys = [spend_key(base_of(root), day) for root in roots[start : start + SIDE_BY_SIDE]]
            await together(self._read_root(key, totals, query) for key in keys)
        spelt = date_of(day)
        spent = [told(spelt, account, sums) for account, sums in totals.items()]
        return sorted(spent, key=lambda one: one.cost, reverse=True)

    async def _read_root(
        self, key: bytes, totals: dict[Account, list[int]], query: SpendQuery
    ) -> None:
        cursor = b"0"
        seen: dict[bytes, bytes] = {}
        while True:
            cursor, words = await self._run("HSCAN", key, cursor, "COUNT", ROWS)
            # A hash that grows meanwhile may show a field twice.
            pairs = iter(words)
            seen.update(zip(pairs, pairs, strict=True))
            if cursor == b"0":
                break
        for account, sums in _rows(seen):
            if matches(account, query):
                before = totals.setdefault(account, [0] * 8)
                totals[account] = [a + b for a, b in zip(before, sums, strict=True)]

    async def _run(self, command: str, key: bytes, *words: Word) -> Answer:
        """A command; a key that holds rubbish of another type is removed first."""
        try:
            return await self._link.run(command, key, *words)
        except Refused as error:
            if error.word != "WRONGTYPE":
                raise
        await self._link.run("DEL", key)
        return await self._link.run(command, key, *words)

    def _forget(self, day: int) -> None:
        """A new day: what was indexed before it says nothing any more."""
        self._indexed = {root: last for root, last in self._indexed.items() if last >= day}


def matches(account: Account, query: SpendQuery) -> bool:
    """Whether a query asks for an account."""
    return (
        query.organisation in ("", account.organisation)
        and query.team in ("", account.team)
        and query.key in ("", account.key)
    )


def _rows(fields: dict[bytes, bytes]) -> Iterator[tuple[Account, list[int]]]:
    for field, value in fields.items():
        names = field.decode(errors="replace").split(SEPARATOR)
        # What has another form was not written here.
        if len(names) == len(Account._fields) and len(value) == SUMS.size:
            yield Account(*names), [int(number) for number in SUMS.unpack(value)]
