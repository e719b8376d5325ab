"""Terms as people write them: `5usd/day`, `20usd/month rolling`, `100k`, `30d`, `2027-01-31`.

Read for settings, command line and admin API alike, and written back the same way. Messages never
quote what was written: a key may have slipped into the wrong place.
"""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

from gateway.money import FREE, NanoUSD, spell, usd
from gateway.principal import Allowance, Period

PERIODS = "|".join(period.value for period in Period)
_MONEY = r"(?:usd\s*|\$\s*)?(?P<sum>\d{1,12}(?:\.\d{1,9})?)\s*(?:usd|\$)?"
_ALLOWANCE = re.compile(
    rf"{_MONEY}\s*(?:/|per\s|a\s|an\s)\s*(?P<period>{PERIODS})(?:\s+calendar|(?P<rolling>\s+rolling))?",
    re.IGNORECASE | re.ASCII,
)
# For editors, which know no flags; what is read is decided above.
ALLOWANCE_PATTERN = rf"^\D*\d+(\.\d+)?\D*({PERIODS})( +rolling| +calendar)?$|\$\{{"
ALLOWANCE_MESSAGE = (
    "must be money per minute, hour, day, week or month, such as 5usd/day or 20usd/month rolling"
)

_COUNT = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([km]?)", re.IGNORECASE | re.ASCII)
COUNT_PATTERN = r"^\d[\d_]*(\.\d+)?\s*[kKmM]?$|\$\{"
COUNT_MESSAGE = "must be a whole number above 0, such as 60, 100k or 1.5m"
SCALES = {"": 1, "k": 1_000, "m": 1_000_000}
# More than any provider serves in a minute, and safe in every store's integers.
MAX_COUNT = 10**12
# Redis adds up in doubles: a little above this (2^53 nano-dollars) a cent could get lost.
MAX_ALLOWANCE = NanoUSD(9_000_000 * 10**9)

_LIFETIME = re.compile(r"(\d{1,6})\s*(m|h|d|w|y)", re.ASCII)
_UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}
EXPIRY_MESSAGE = "must be a time from now such as 12h, 30d or 1y, or a date such as 2027-01-31"
MOMENT_MESSAGE = "must be a date such as 2027-01-31 or a moment such as 2027-01-31T12:00:00Z"
# The year 2200: nobody plans longer, and every date library still counts.
LAST_MOMENT = 7_258_118_400.0


def allowance(text: str) -> Allowance:
    """Read money per window.

    Raises:
        ValueError: the text is no allowance, or one of nothing.
    """
    found = _ALLOWANCE.fullmatch(text.strip())
    amount = usd(found["sum"]) if found else FREE
    if found is None or amount == 0:
        raise ValueError(ALLOWANCE_MESSAGE)
    if amount > MAX_ALLOWANCE:
        message = "is more than nine million dollars, which is as far as every cent is counted"
        raise ValueError(message)
    return Allowance(amount, Period(found["period"].lower()), found["rolling"] is not None)


def spell_allowance(said: Allowance) -> str:
    """Write an allowance as one would: `5usd/day`."""
    return f"{spell(said.amount)}usd/{said.period.value}{' rolling' if said.rolling else ''}"


def count(value: object) -> int:
    """Read a number of requests or tokens.

    Raises:
        ValueError: it is no whole number above 0, or beyond all reason.
    """
    amount = Decimal(0)
    if isinstance(value, int) and not isinstance(value, bool):
        amount = Decimal(value)
    elif isinstance(value, str) and (found := _COUNT.fullmatch(value.strip().replace("_", ""))):
        amount = Decimal(found[1]) * SCALES[found[2].lower()]
    if amount != int(amount) or not 0 < amount <= MAX_COUNT:
        raise ValueError(COUNT_MESSAGE)
    return int(amount)


def expiry(value: object, now: float) -> float:
    """Read when something ends, as epoch seconds; `now` is where a time from now starts.

    Raises:
        ValueError: it is neither a time from now nor a moment.
    """
    if isinstance(value, str) and (found := _LIFETIME.fullmatch(value.strip())):
        return _within_reason(now + int(found[1]) * _UNITS[found[2]], EXPIRY_MESSAGE)
    return _within_reason(_moment(value), EXPIRY_MESSAGE)


def moment(value: object) -> float:
    """Read a date or a date with a time as epoch seconds; a date alone means its midnight, UTC.

    Raises:
        ValueError: it is none.
    """
    return _within_reason(_moment(value), MOMENT_MESSAGE)


def _within_reason(seconds: float | None, message: str) -> float:
    if seconds is None or not 0 <= seconds < LAST_MOMENT:
        raise ValueError(message)
    return seconds


def _moment(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC).timestamp()
    if not isinstance(value, str):
        return None
    try:
        return _moment(datetime.fromisoformat(value.strip()))
    except (ValueError, OverflowError):
        return None


def spell_moment(moment: float) -> str:
    """Write epoch seconds as a moment: `2027-01-31T00:00:00Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
