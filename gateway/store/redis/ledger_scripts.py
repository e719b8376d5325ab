"""The ledger's scripts and the order of their words; what they do stands in the Lua files."""

from collections.abc import Callable, Sequence
from importlib.resources import files

from gateway.budget.records import DAY_SECONDS, KEPT_DAYS, day_of
from gateway.holds import Account, Claim
from gateway.store.redis.ledger_backlog import Owed
from gateway.store.redis.ledger_records import (
    MAX_ACCOUNTS,
    SUMS,
    other,
    spelled,
    spend_key,
)
from gateway.store.redis.ledger_shape import MICRO, Lapsed, Shape, lapsed
from gateway.store.redis.link import Link, Script
from gateway.store.redis.posted import Posted
from gateway.store.redis.wire import Answer, Word

REMEMBERED_SECONDS = 600
"""How long a settling is known to be done: longer than whoever sent it may be without an answer.

Two hundred bytes each; a thousand calls a second take 120 MB.
"""

KEPT_SECONDS = KEPT_DAYS * DAY_SECONDS
DUE = 50
"""Holds ended at once whose lease is over: three milliseconds of the server's time."""

RENEWED = 200
"""Leases renewed at once; Lua passes at most some thousands of words."""

NOTHING = (0,) * 8
MAX_ACCOUNTS_SPELLED = 4_096
"""Remembered here; two hundred bytes each."""


class Scripts:
    """The scripts on a link; `wall` None: their instant is the server's."""

    __slots__ = ("_accounts", "_due", "_hold", "_link", "_renew", "_settle", "_standing", "_wall")

    def __init__(self, link: Link, wall: Callable[[], float] | None) -> None:
        self._link = link
        self._wall = wall
        self._accounts: dict[Account, tuple[bytes, bytes]] = {}
        shared = _source("windows")
        self._hold, self._settle, self._standing, self._due, self._renew = [
            Script(shared + _source(name))
            for name in ("hold", "settle", "standing", "due", "renew")
        ]

    def now(self) -> Word:
        """What the scripts take for now."""
        return "" if self._wall is None else round(self._wall() * MICRO)

    async def hold(self, shape: Shape, claim: Claim, lease: float) -> Answer:
        """Ask for a claim."""
        keys = (shape.holds, shape.leases, shape.mark(claim.id), *shape.keys)
        args = (
            self.now(),
            claim.id,
            claim.amount,
            claim.expected,
            claim.tokens,
            int(lease * MICRO),
            shape.account,
            shape.described,
        )
        return await self._link.script(self._hold, keys, args)

    async def standing(self, shape: Shape) -> Answer:
        """Ask where levels stand."""
        keys = (shape.leases, *shape.keys)
        return await self._link.script(self._standing, keys, (self.now(), shape.described))

    def post(self, owed: Owed, *, told: bool = True) -> Posted | None:
        """Send a settling that nobody waits for; `told`: the server knows the script."""
        keys, args = self._settling(owed)
        script = ("EVALSHA", self._settle.sha) if told else ("EVAL", self._settle.source)
        return self._link.post_script(keys[0], (*script, len(keys), *keys, *args))

    async def write(self, owed: Owed) -> None:
        """Write a settling."""
        await self._link.script(self._settle, *self._settling(owed))

    async def due(self, shape: Shape) -> list[Lapsed]:
        """Holds of a root whose leases are over, some at a time; rubbish among them is removed."""
        keys = (shape.leases, shape.holds)
        words = await self._link.script(self._due, keys, (self.now(), DUE))
        found = []
        for claim, kept in zip(words[::2], words[1::2], strict=True):
            try:
                found.append(lapsed(claim, kept))
            except (ValueError, TypeError, KeyError):
                await self._link.run("ZREM", shape.leases, claim)
                await self._link.run("HDEL", shape.holds, claim)
        return found

    async def lapse(self, shape: Shape, dead: Lapsed) -> None:
        """End a hold whose lease is over."""
        spend = spend_key(shape.base, day_of(dead.at / MICRO))
        keys = (shape.holds, shape.leases, shape.mark(dead.id), spend)
        args = (self.now(), 0, "lapse", dead.id, dead.at, dead.amount, dead.tokens, -1)
        rest = (
            dead.expected,
            REMEMBERED_SECONDS,
            KEPT_SECONDS,
            MAX_ACCOUNTS,
            "",
            other(dead.account),
        )
        levels = [shape.level_key(level) for level in dead.levels]
        await self._link.script(
            self._settle, (*keys, *levels), (*args, *rest, SUMS.pack(*NOTHING), dead.described)
        )

    async def renew(self, shape: Shape, claims: Sequence[str], lease: float) -> int:
        """Renew leases of a root; how many others of it are over."""
        keys = (shape.leases, shape.holds)
        over = 0
        for start in range(0, len(claims), RENEWED):
            some = claims[start : start + RENEWED]
            args = (self.now(), int(lease * MICRO), *some)
            over = int(await self._link.script(self._renew, keys, args))
        return over

    def _settling(self, owed: Owed) -> tuple[tuple[bytes, ...], tuple[Word, ...]]:
        shape, account = owed.shape, owed.account
        spend = spend_key(shape.base, day_of(owed.at / MICRO))
        keys = (shape.holds, shape.leases, shape.mark(owed.name), spend, *shape.keys)
        args = (
            self.now(),
            int(owed.sent),
            owed.how,
            owed.name,
            owed.at,
            owed.amount,
            owed.claimed,
            owed.used,
            owed.cost,
            REMEMBERED_SECONDS,
            KEPT_SECONDS,
            MAX_ACCOUNTS,
            *(self._accounts.get(account) or self._spelled(account)),
            SUMS.pack(*owed.sums),
            shape.described,
        )
        return keys, args

    def _spelled(self, account: Account) -> tuple[bytes, bytes]:
        """An account's field, and where it goes when the day is full."""
        if len(self._accounts) >= MAX_ACCOUNTS_SPELLED:
            self._accounts.clear()
        both = spelled(account).encode(), other(account).encode()
        self._accounts[account] = both
        return both


def _source(name: str) -> str:
    return files("gateway.store.redis").joinpath(f"ledger_{name}.lua").read_text()
