"""When allowances and quotas run: windows of time, and rates.

**Windows.** Time is parted into buckets; what is held and then settled counts in the bucket the
hold was made in, and only there.

| allowance | a bucket | which count at an instant |
|---|---|---|
| calendar | the minute, hour, day, week (from Monday) or month, in UTC | the one it lies in |
| rolling | a sixtieth of the period (of 30 days for a month) | that one and the 60 before it |

So a rolling allowance counts all of the period that ends now, and of what is older at most a
sixtieth of the period: it is never overspent in any stretch as long as its period. Buckets have
numbers: a calendar one that of its first second, a rolling one how many came before it.

**Rates** follow the generic cell rate algorithm: one number, the theoretical arrival, which each
unit moves on by its share of a minute, from now if it lies behind. What would move it beyond a
minute from now is refused. So a full minute's worth may come at once, and never more than that
and what has come free since.

Times are epoch seconds, waits seconds.
"""

from datetime import UTC, datetime, timedelta
from math import inf
from typing import NamedTuple

from gateway.principal import Allowance, Period

BUCKETS = 60
"""Buckets in a rolling period; one more counts, which is partly past."""

MINUTE = 60.0
SECONDS = {
    Period.MINUTE: 60,
    Period.HOUR: 3_600,
    Period.DAY: 86_400,
    Period.WEEK: 604_800,
    Period.MONTH: 2_592_000,
}
# The epoch began on a Thursday; weeks begin on Mondays.
_THURSDAY = 3 * 86_400

SLACK = 1e-6
"""What floats lose of an epoch, and then some; a rate is not told apart more finely."""


class Window(NamedTuple):
    """Where an allowance is now: spend goes to bucket `bucket`, those from `oldest` on count.

    `elapsed` (0–1) of it is over; in `reset` seconds it begins anew, or lets its oldest bucket go.
    The bucket lasts from `start` until `end`.
    """

    bucket: int
    oldest: int
    elapsed: float
    reset: float
    start: float
    end: float


def window(allowance: Allowance, now: float) -> Window:
    """The window of an allowance at an instant."""
    length = SECONDS[allowance.period]
    if allowance.rolling:
        step = length // BUCKETS
        bucket = int(now // step)
        start, end = float(bucket * step), float((bucket + 1) * step)
        return Window(bucket, bucket - BUCKETS, 1.0, end - now, start, end)
    if allowance.period is Period.MONTH:
        start, end = _month(now)
    else:
        shift = _THURSDAY if allowance.period is Period.WEEK else 0
        start = float((now + shift) // length * length - shift)
        end = start + length
    number = int(start)
    return Window(number, number, (now - start) / (end - start), end - now, start, end)


def let_go(allowance: Allowance, bucket: int) -> float:
    """When a bucket ceases to count."""
    if allowance.rolling:
        return float((bucket + BUCKETS + 1) * (SECONDS[allowance.period] // BUCKETS))
    return window(allowance, float(bucket)).end


def _month(now: float) -> tuple[float, float]:
    first = datetime.fromtimestamp(now, UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    following = (first + timedelta(days=32)).replace(day=1)
    return first.timestamp(), following.timestamp()


class Rate(NamedTuple):
    """What a rate says to a claim: how long it must wait (0: it may pass), and the next state."""

    wait: float
    arrival: float


def rated(limit: int, units: int, arrival: float, now: float) -> Rate:
    """Claim units of a rate of `limit` a minute; `arrival` is its state, 0 when fresh.

    More units than `limit` never pass, however long they wait.
    """
    moved = max(arrival, now) + (units * MINUTE / limit if limit else inf)
    wait = moved - now - MINUTE
    return Rate(wait if wait > SLACK else 0.0, moved)


def remaining(limit: int, arrival: float, now: float) -> int:
    """How many units of a rate may come at once now."""
    behind = arrival - now
    if behind <= 0:
        return limit
    return max(0, min(limit, int((MINUTE - behind + SLACK) * limit / MINUTE)))
