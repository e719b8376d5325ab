"""Money set aside and spent, as values: claims, grants, denials, charges.

Money is whole nano-dollars, times are epoch seconds, waits are seconds.
"""

from datetime import date
from enum import Enum
from typing import NamedTuple

from gateway.call import Usage
from gateway.money import FREE, NanoUSD
from gateway.principal import Level


class Limited(Enum):
    """Which limit a call ran into."""

    ALLOWANCE = "allowance"
    REQUESTS = "requests"
    TOKENS = "tokens"
    PARALLEL = "parallel"


class Claim(NamedTuple):
    """What a call asks of all its levels at once.

    `amount` is set aside from every allowance; `expected` is charged if this process dies before
    the call is settled. `tokens` counts against tokens per minute. `root` is what the levels share.
    """

    id: str
    root: str
    levels: tuple[Level, ...]
    amount: NanoUSD
    expected: NanoUSD
    tokens: int


class Meter(NamedTuple):
    """A quota as OpenAI's headers tell it; `reset` is seconds until it is full again."""

    limit: int
    remaining: int
    reset: float


class Stand(NamedTuple):
    """One allowance of one level now.

    `settled` and `held` are of its current window, of which `elapsed` (0–1) is over and which is
    whole again in `reset` seconds; a rolling window counts as all over, and `reset` is the time
    until something of it is let go.
    """

    level: str
    amount: NanoUSD
    settled: NanoUSD
    held: NanoUSD
    elapsed: float
    reset: float

    @property
    def remaining(self) -> NanoUSD:
        """What may still be claimed; never negative."""
        return NanoUSD(max(0, self.amount - self.settled - self.held))


class Standing(NamedTuple):
    """Where a claim's levels stand after it: the scarcest quotas, every allowance."""

    requests: Meter | None = None
    tokens: Meter | None = None
    allowances: tuple[Stand, ...] = ()


class Grant(NamedTuple):
    """A claim that was granted at `at`; `backed` is false where no ledger could be asked."""

    claim: Claim
    at: float
    standing: Standing = Standing()
    backed: bool = True


class Denial(NamedTuple):
    """A claim that a level refused; nothing was touched.

    `retry_after` is None where waiting does not help (the claim is over the whole limit).
    """

    level: str
    limited: Limited
    retry_after: float | None
    standing: Standing = Standing()


class Account(NamedTuple):
    """Whose spend it is, and on what: one row of the records."""

    organisation: str = ""
    team: str = ""
    key: str = ""
    model: str = ""
    tier: str = "none"


class Charge(NamedTuple):
    """What a call cost in truth (or, `usage.estimated`, by our count)."""

    account: Account
    cost: NanoUSD = FREE
    usage: Usage = Usage(0, 0)
    saved: NanoUSD = FREE


class Spent(NamedTuple):
    """Totals of one account on one day (UTC); `estimated` is the part of `cost` by our count."""

    day: date
    account: Account
    calls: int = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0
    reasoning: int = 0
    cost: NanoUSD = FREE
    estimated: NanoUSD = FREE
    saved: NanoUSD = FREE


class SpendQuery(NamedTuple):
    """Which rows: days from `since` to `until`, both included; empty names match all."""

    since: date
    until: date
    organisation: str = ""
    team: str = ""
    key: str = ""
    limit: int = 10_000
