"""Records of spend as Redis keeps them: a hash a day, eight counts an account."""

from datetime import UTC, date, datetime
from typing import Any

from gateway.holds import Account, SpendQuery, Spent
from gateway.money import NanoUSD

DAY_SECONDS = 86_400
SEPARATOR = "\x1f"


def number_of(day: date) -> int:
    """A day as days since the epoch."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() // DAY_SECONDS)


def matches(account: Account, query: SpendQuery) -> bool:
    """Whether an account is asked for."""
    return (
        query.organisation in ("", account.organisation)
        and query.team in ("", account.team)
        and query.key in ("", account.key)
    )


def spent(day: int, said: Any) -> list[Spent]:  # noqa: ANN401 - a reply of Redis
    """The records of a day, out of its hash of counts."""
    pairs = said.items() if isinstance(said, dict) else zip(said[::2], said[1::2], strict=True)
    totals: dict[Account, list[int]] = {}
    for field, value in pairs:
        *account, number = field.decode().split(SEPARATOR)
        totals.setdefault(Account(*account), [0] * 8)[int(number) - 1] = int(value)
    when = datetime.fromtimestamp(day * DAY_SECONDS, UTC).date()
    return [
        Spent(when, account, calls, prompt, cached, completion, reasoning, *map(NanoUSD, money))
        for account, (calls, prompt, cached, completion, reasoning, *money) in totals.items()
    ]
