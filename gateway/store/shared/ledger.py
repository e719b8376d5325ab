"""A `Ledger` in Redis: one atomic script for a claim, one for its end; one round trip each.

All keys of an organisation carry its hash tag, so a claim over key, team and organisation is one
script in a cluster too. Windows and rates run by the caller's clock: replicas whose clocks agree to
a second agree on windows to a second, and a rate's arrival never runs backwards.

A claim whose answer was lost may have been granted all the same; settling it releases it, whichever
of the two Redis sees first.

A hold is leased for 30 seconds and renewed while its process lives; once its lease is over any
claim of the same organisation reaps it. What cannot be settled now waits here and is settled by
`tend`; scripts remember what they settled for an hour, so trying again charges nothing twice.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib.resources import files
from typing import Any, NamedTuple

from hiredis import ReplyError

from gateway.budget.books import PARALLEL_WAIT
from gateway.budget.windows import SECONDS, rated, remaining, window
from gateway.errors import StoreUnavailable
from gateway.holds import (
    Charge,
    Claim,
    Denial,
    Grant,
    Limited,
    Meter,
    SpendQuery,
    Spent,
    Stand,
    Standing,
)
from gateway.money import FREE, NanoUSD
from gateway.ports import Clock
from gateway.principal import Allowance, Level
from gateway.store.redis.link import Link, Script
from gateway.store.redis.wire import Word
from gateway.store.shared.spending import DAY_SECONDS, SEPARATOR, matches, number_of, spent

LEASE_SECONDS = 30
RENEW_SECONDS = 10.0
KEPT_DAYS = 400
MAX_ACCOUNTS = 5_000
# What waits while Redis is away; a settling takes about a kilobyte.
MAX_BACKLOG = 100_000
DRAIN_SECONDS = 0.25
# Above this a double, which scripts reckon in, is not exact: nine million dollars.
EXACT = 2**53 - 1
ROOTS = "tg1:roots"


class Settling(NamedTuple):
    """A call's end that may have to wait: the script's keys and arguments."""

    keys: tuple[str, ...]
    args: tuple[Word, ...]


class RedisLedger:
    """The ledger of all replicas that share a Redis."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._now = clock.now
        self._wall = clock.wall
        self._hold = _script("hold.lua")
        self._settle = _script("settle.lua")
        self._live: dict[str, str] = {}
        self._backlog: deque[Settling] = deque(maxlen=MAX_BACKLOG)
        self._roots: set[str] = set()
        self._renewed = self._now()
        self._stopping = asyncio.Event()

    async def hold(self, claim: Claim) -> Grant | Denial:
        now = self._wall()
        keys, args = _asked(claim, now)
        said: Any = await self._link.script(self._hold, keys, args)
        standing = _standing(claim.levels, said[2:], now)
        if said[0]:
            return _denial(claim, said, standing, now)
        self._live[claim.id] = claim.root
        return Grant(claim, now, standing)

    def settle(self, grant: Grant | None, charge: Charge) -> None:
        if grant is not None:
            self._live.pop(grant.claim.id, None)
        settling = _settling(grant, charge, self._wall())
        root = (grant.claim.root if grant is not None else charge.account.organisation) or "-"
        if root not in self._roots:
            self._roots.add(root)
            self._link.post("SADD", ROOTS, root)
        command = ("EVALSHA", self._settle.sha, len(settling.keys), *settling.keys, *settling.args)
        posted = self._link.post_script(settling.keys[0], command)
        if posted is None:
            self._backlog.append(settling)
        else:
            posted.add_done_callback(partial(self._posted, settling))

    async def standing(self, root: str, levels: Sequence[Level]) -> Standing:
        now = self._wall()
        keys, args = _asked(Claim("", root, tuple(levels), FREE, FREE, 0), now)
        said: Any = await self._link.script(self._hold, keys, args)
        return _standing(levels, said[2:], now)

    async def spend(self, query: SpendQuery) -> list[Spent]:
        found: list[Spent] = []
        roots: Any = await self._link.run("SMEMBERS", ROOTS)
        today = int(self._wall() // DAY_SECONDS)
        last = min(number_of(query.until), today)
        for day in range(last, max(number_of(query.since), today - KEPT_DAYS) - 1, -1):
            of_day: list[Spent] = []
            for root in roots:
                said: Any = await self._link.run("HGETALL", _key(root.decode(), f"spend:{day}"))
                of_day += spent(day, said)
            of_day.sort(key=lambda one: one.cost, reverse=True)
            found += [one for one in of_day if matches(one.account, query)]
            if len(found) >= query.limit:
                break
        return found[: query.limit]

    def pending(self) -> int:
        """Calls that wait to be settled."""
        return len(self._backlog)

    async def tend(self) -> None:
        """Renew the leases and settle what waits, until `close`."""
        while not self._stopping.is_set():
            with suppress(StoreUnavailable):
                await self._drain()
                if self._now() >= self._renewed + RENEW_SECONDS:
                    self._renewed = self._now()
                    await self._renew()
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._stopping.wait()

    async def close(self) -> None:
        """Settle what waits, if Redis takes it."""
        self._stopping.set()
        with suppress(StoreUnavailable):
            await self._drain()

    async def _drain(self) -> None:
        backlog = self._backlog
        while backlog:
            settling = backlog[0]
            await self._link.script(self._settle, settling.keys, settling.args)
            # Nobody else takes from the left.
            backlog.popleft()

    async def _renew(self) -> None:
        until, by_root = self._wall() + LEASE_SECONDS, dict[str, list[Word]]()
        for claim_id, root in self._live.items():
            by_root.setdefault(root, []).extend((f"{until:.3f}", claim_id))
        for root, renewed in by_root.items():
            await self._link.run("ZADD", _key(root, "leases"), "XX", *renewed)

    def _posted(self, settling: Settling, posted: "asyncio.Future[Any]") -> None:
        failed = posted.cancelled() or posted.exception() is not None
        if failed or type(posted.result()) is ReplyError:
            self._backlog.append(settling)


def _script(name: str) -> Script:
    return Script(files("gateway.store.shared").joinpath(name).read_text())


def _key(root: str, name: str) -> str:
    return f"tg1:{{{root or '-'}}}:{name}"


def _window_key(root: str, level: Level, allowance: Allowance) -> str:
    rolling = "r" if allowance.rolling else "c"
    return _key(root, f"window:{level.id}:{allowance.period.value}:{rolling}")


def _asked(claim: Claim, now: float) -> tuple[list[str], list[Word]]:
    root = claim.root
    keys: list[str] = [_key(root, name) for name in ("holds", "leases", "lapsed", "done")]
    args: list[Word] = [f"{now:.6f}", LEASE_SECONDS, claim.id, min(claim.amount, EXACT)]
    args += [min(claim.expected, EXACT), claim.tokens, len(claim.levels)]
    for level in claim.levels:
        keys.append(_key(root, f"rates:{level.id}"))
        args += [level.requests_per_minute or 0, level.tokens_per_minute or 0]
        args += [level.parallel or 0, len(level.allowances)]
        for allowance in level.allowances:
            current = window(allowance, now)
            keys.append(_window_key(root, level, allowance))
            args += [min(allowance.amount, EXACT), current.bucket, current.oldest]
            args.append(_kept(allowance))
    return keys, args


def _kept(allowance: Allowance) -> int:
    # A hold of the last instant of a window is settled long after it.
    return 2 * SECONDS[allowance.period] + DAY_SECONDS


def _standing(levels: Sequence[Level], said: Sequence[Any], now: float) -> Standing:
    at = 0
    requests: list[Meter] = []
    tokens: list[Meter] = []
    stands: list[Stand] = []
    for level in levels:
        arrivals = float(said[at]), float(said[at + 1])
        for limit, arrival, meters in (
            (level.requests_per_minute, arrivals[0], requests),
            (level.tokens_per_minute, arrivals[1], tokens),
        ):
            if limit is not None:
                free = remaining(limit, arrival, now)
                meters.append(Meter(limit, free, max(0.0, arrival - now)))
        at += 3
        for allowance in level.allowances:
            current = window(allowance, now)
            settled, held = NanoUSD(int(said[at])), NanoUSD(int(said[at + 1]))
            stand = (level.id, allowance.amount, settled, held, current.elapsed, current.reset)
            stands.append(Stand(*stand))
            at += 2
    return Standing(_scarcest(requests), _scarcest(tokens), tuple(stands))


def _scarcest(meters: list[Meter]) -> Meter | None:
    return min(meters, key=lambda meter: meter.remaining, default=None)


def _denial(claim: Claim, said: Sequence[Any], standing: Standing, now: float) -> Denial:
    level = claim.levels[int(said[0]) - 1]
    limited = Limited(said[1].decode())
    at = 2 + sum(3 + 2 * len(above.allowances) for above in claim.levels[: int(said[0]) - 1])
    wait: float | None = PARALLEL_WAIT
    if limited is Limited.REQUESTS:
        wait = rated(level.requests_per_minute or 1, 1, float(said[at]), now).wait
    elif limited is Limited.TOKENS:
        limit = level.tokens_per_minute or 1
        more = claim.tokens > limit
        wait = None if more else rated(limit, claim.tokens, float(said[at + 1]), now).wait
    elif limited is Limited.ALLOWANCE:
        full = [
            stand
            for stand in standing.allowances
            if stand.level == level.id and stand.remaining < claim.amount
        ]
        never = any(claim.amount > stand.amount for stand in full)
        wait = None if never else max((stand.reset for stand in full), default=1.0)
    return Denial(level.id, limited, wait, standing)


def _settling(grant: Grant | None, charge: Charge, now: float) -> Settling:
    account, usage = charge.account, charge.usage
    claim = grant.claim if grant is not None else None
    root = claim.root if claim is not None else account.organisation
    day = int(now // DAY_SECONDS)
    keys: list[str] = [_key(root, name) for name in ("holds", "leases", "lapsed", "done")]
    keys.append(_key(root, f"spend:{day}"))
    used = usage.prompt + usage.completion
    named = "".join(f"{part}{SEPARATOR}" for part in account)
    args: list[Word] = [f"{now:.6f}", claim.id if claim is not None else "", charge.cost]
    args += [used or -1, named, MAX_ACCOUNTS, KEPT_DAYS * DAY_SECONDS]
    args += [
        charge.calls,
        usage.prompt,
        usage.cached,
        usage.completion,
        usage.reasoning,
        charge.cost,
    ]
    args += [charge.cost if usage.estimated else 0, charge.saved]
    if grant is not None and not grant.backed:
        for level in grant.claim.levels:
            for allowance in level.allowances:
                keys.append(_window_key(root, level, allowance))
                args += [window(allowance, grant.at).bucket, _kept(allowance)]
    return Settling(tuple(keys), tuple(args))
