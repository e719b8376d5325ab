"""When allowances and quotas run: windows of time, and rates.

A calendar window starts with the minute, hour, day, Monday or month, in UTC, and is one bucket. A
rolling one is the period that ends now, kept as 60 buckets: the bucket that now lies in and the 59
before it, and the one that is only partly past counts whole, so that a rolling allowance errs to
the strict side by at most a sixtieth of its period. A rolling month is 30 days.

Rates follow the generic cell rate algorithm: one number, the theoretical arrival time, that each
request moves on by its share of a minute; a full minute's worth may come at once.

Times are epoch seconds, waits seconds.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from gateway.principal import Allowance, Period

BUCKETS = 60
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


class Window(NamedTuple):
    """Where an allowance is now: spend goes to bucket `bucket`, those from `oldest` on count.

    `elapsed` (0-1) of it is over; in `reset` seconds it begins anew, or lets its oldest bucket go.
    """

    bucket: int
    oldest: int
    elapsed: float
    reset: float


def window(allowance: Allowance, now: float) -> Window:
    """The window of an allowance at an instant."""
    length = SECONDS[allowance.period]
    if allowance.rolling:
        step = length / BUCKETS
        bucket = int(now // step)
        return Window(bucket, bucket - BUCKETS + 1, 1.0, (bucket + 1) * step - now)
    if allowance.period is Period.MONTH:
        start, end = _month(now)
    elif allowance.period is Period.WEEK:
        start = now - (now + _THURSDAY) % length
        end = start + length
    else:
        start = now - now % length
        end = start + length
    return Window(int(start), int(start), (now - start) / (end - start), end - now)


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
    """Claim units of a rate of `limit` a minute; `arrival` is its state, 0 when fresh."""
    moved = max(arrival, now) + units * MINUTE / limit
    wait = moved - now - MINUTE
    # Half a microsecond is what floats lose of an epoch.
    return Rate(wait if wait > 1e-6 else 0.0, moved)


def remaining(limit: int, arrival: float, now: float) -> int:
    """How many units of a rate may come at once now."""
    free = MINUTE - max(0.0, arrival - now)
    return max(0, min(limit, int(free * limit / MINUTE + 1e-6)))
