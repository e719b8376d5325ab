"""What the levels of a claim are to the ledger's scripts: keys, words, and how their reply reads.

Keys of one root share its hash tag, so that a cluster keeps them side by side:

    tg1:{root}:holds             claim → what is held, until it is settled
    tg1:{root}:leases            claim → when its lease is over
    tg1:{root}:done:<claim>      it is settled; remembered for a while
    tg1:{root}:level:<level>     windows, rates and parallel calls of a level
    tg1:{root}:spend:<day>       account → eight sums, 400 days long

A shape is made once for a principal's levels and kept; all that is left to do for a call is to put
its own figures before the shape's words.
"""

import json
from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple
from urllib.parse import quote

from gateway.budget.books import account_of
from gateway.budget.windows import BUCKETS, SECONDS, remaining, window
from gateway.holds import Account, Denial, Limited, Meter, Stand, Standing
from gateway.money import NanoUSD
from gateway.principal import Allowance, Level, Period

MICRO = 1_000_000
# The epoch began on a Thursday; weeks begin on Mondays.
MONDAY_SHIFT = 3 * 86_400 * MICRO
# A level outlives its longest window by a day: longer than any call, and than what is kept of it.
SLACK_SECONDS = 2 * 86_400
LONGEST_MONTH = 31 * 86_400
SEPARATOR = "\x1f"
"""Between the names of an account, which hold no control characters."""

MAX_SHAPES = 4_096
"""About two kilobytes each."""

HEAD = 6
"""Numbers in a reply before those of the levels."""

LIMITS = (Limited.PARALLEL, Limited.REQUESTS, Limited.TOKENS, Limited.ALLOWANCE)


class Span:
    """An allowance's window or newest bucket, remembered until it is over."""

    __slots__ = ("_allowance", "_end", "_start")

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._start, self._end = inf, -inf

    def at(self, now: float) -> tuple[float, float]:
        """How much of it is over, and in how many seconds it begins anew or lets something go."""
        start, end = self._start, self._end
        if not start <= now < end:
            *_, start, end = window(self._allowance, now)
            self._start, self._end = start, end
        if self._allowance.rolling:
            return 1.0, end - now
        return (now - start) / (end - start), end - now


class Plan(NamedTuple):
    """One level as its part of a reply is read."""

    level: Level
    allowances: tuple[tuple[NanoUSD, Span], ...]


class Shape:
    """The levels of a claim below their root."""

    __slots__ = (
        "_plans",
        "account",
        "base",
        "described",
        "holds",
        "keys",
        "leases",
        "levels",
        "root",
    )

    def __init__(self, root: str, levels: tuple[Level, ...]) -> None:
        self.root = root
        self.levels = levels
        self.base = base_of(tag(root))
        self.holds = f"{self.base}holds".encode()
        self.leases = f"{self.base}leases".encode()
        self.keys = tuple(self.level_key(level.id) for level in levels)
        self.account = SEPARATOR.join(account_of(root, levels)).replace("\n", " ")
        described = [_described(level) for level in levels]
        self.described = json.dumps(described, separators=(",", ":")).encode()
        self._plans = tuple(
            Plan(level, tuple((one.amount, Span(one)) for one in level.allowances))
            for level in levels
        )

    def level_key(self, level: str) -> bytes:
        """Where a level is kept."""
        return f"{self.base}level:{level}".encode()

    def mark(self, name: str) -> bytes:
        """Where it is remembered that a settling of this name was done."""
        return f"{self.base}done:{name}".encode()

    def standing(self, reply: Sequence[int]) -> Standing:
        """Where the levels stand, as a script told it."""
        now = reply[1] / MICRO
        requests = tokens = None
        stands: list[Stand] = []
        n = HEAD
        for level, allowances in self._plans:
            if level.requests_per_minute is not None:
                requests = _scarcer(requests, level.requests_per_minute, reply[n], now)
            if level.tokens_per_minute is not None:
                tokens = _scarcer(tokens, level.tokens_per_minute, reply[n + 1], now)
            n += 2
            for amount, span in allowances:
                elapsed, reset = span.at(now)
                settled, held = NanoUSD(reply[n]), NanoUSD(reply[n + 1])
                stands.append(Stand(level.id, amount, settled, held, elapsed, reset))
                n += 2
        return Standing(requests, tokens, tuple(stands))

    def denial(self, reply: Sequence[int]) -> Denial:
        """Which level refused, and why."""
        number, limited, wait = reply[3:HEAD]
        level = self.levels[number - 1]
        why = LIMITS[limited - 1]
        retry_after = wait / MICRO if wait >= 0 else None
        return Denial(level.id, why, retry_after, self.standing(reply))


class Shapes:
    """Shapes made before; whoever gives the same tuple of levels again gets the same shape."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], Shape] = {}

    def of(self, root: str, levels: tuple[Level, ...]) -> Shape:
        """The shape of levels. The tuple itself is known again: to hash it would take longer."""
        place = (root, id(levels))
        shape = self._made.get(place)
        # A shape keeps its tuple alive, so another one cannot have its id.
        if shape is None:
            if len(self._made) >= MAX_SHAPES:
                del self._made[next(iter(self._made))]
            shape = self._made[place] = Shape(root, levels)
        return shape


class Lapsed(NamedTuple):
    """A hold whose lease is over, as it was kept."""

    id: str
    at: int
    amount: int
    expected: int
    tokens: int
    account: Account
    levels: tuple[str, ...]
    described: str


def lapsed(claim: bytes, kept: bytes) -> Lapsed:
    """Read what is kept of a hold.

    Raises:
        ValueError, TypeError, KeyError: it is rubbish.
    """
    head, account, described = kept.decode().removeprefix("L").split("\n", 2)
    at, amount, expected, tokens = map(int, head.split())
    names = account.split(SEPARATOR)
    levels = tuple(str(level["id"]) for level in json.loads(described))
    return Lapsed(claim.decode(), at, amount, expected, tokens, Account(*names), levels, described)


def tag(root: str) -> str:
    """What stands for a root in keys; nothing a root may be called can end the tag early."""
    return quote(root, safe="") or "*"


def base_of(tagged: str) -> str:
    """What the keys of a root begin with."""
    return f"tg1:{{{tagged}}}:"


def _described(level: Level) -> dict[str, Any]:
    """A level as the scripts read it; -1 is no limit."""
    quotas = (level.requests_per_minute, level.tokens_per_minute, level.parallel)
    requests, tokens, parallel = [-1 if quota is None else quota for quota in quotas]
    return {
        "id": level.id,
        "ttl": _ttl(level),
        "requests": requests,
        "tokens": tokens,
        "parallel": parallel,
        "windows": [_window(allowance) for allowance in level.allowances],
    }


def _window(allowance: Allowance) -> dict[str, Any]:
    """An allowance as the scripts read it; `step` is the microseconds of a bucket."""
    period, rolling = allowance.period, allowance.rolling
    name = f"{'rolling' if rolling else 'calendar'}-{period.value}"
    step = SECONDS[period] * MICRO
    if rolling:
        step //= BUCKETS
    elif period is Period.MONTH:
        step = 0
    return {
        "t_field": f"{name}.t",
        "s_field": f"{name}.s",
        "h_field": f"{name}.h",
        "rolling": rolling,
        "step": step,
        "shift": MONDAY_SHIFT if period is Period.WEEK and not rolling else 0,
        "amount": allowance.amount,
    }


def _ttl(level: Level) -> int:
    longest = max([SECONDS[allowance.period] for allowance in level.allowances], default=60)
    return (LONGEST_MONTH if longest == SECONDS[Period.MONTH] else longest) + SLACK_SECONDS


def _scarcer(before: Meter | None, limit: int, arrival: int, now: float) -> Meter:
    arrives = arrival / MICRO
    meter = Meter(limit, remaining(limit, arrives, now), max(0.0, arrives - now))
    return meter if before is None or meter.remaining < before.remaining else before
