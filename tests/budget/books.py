"""Levels, claims and answers for the tests of the books."""

from gateway.budget.books import Books
from gateway.holds import Claim, Denial, Grant
from gateway.money import NanoUSD
from gateway.principal import Allowance, Level, Period

NOW = 1_795_000_000.0


def allowed(amount: int, period: Period = Period.DAY, *, rolling: bool = False) -> Allowance:
    return Allowance(NanoUSD(amount), period, rolling)


KEY = Level("key:a", (allowed(1_000),))


def claim(name: str, amount: int, *levels: Level, tokens: int = 10) -> Claim:
    return Claim(name, "o", levels or (KEY,), NanoUSD(amount), NanoUSD(amount // 2), tokens)


def granted(answer: Grant | Denial) -> Grant:
    assert isinstance(answer, Grant), answer
    return answer


def denied(answer: Grant | Denial) -> Denial:
    assert isinstance(answer, Denial), answer
    return answer


def booked(books: Books, now: float, *levels: Level) -> list[tuple[int, int]]:
    stands = books.standing("o", levels or (KEY,), now).allowances
    return [(stand.settled, stand.held) for stand in stands]
