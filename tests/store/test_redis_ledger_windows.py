"""The scripts' windows and rates are those of the pure books, whatever is asked of both."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from gateway.budget.books import Books
from gateway.budget.windows import window
from gateway.call import Usage
from gateway.holds import Charge, Claim, Denial, Grant, Standing
from gateway.money import NanoUSD
from gateway.principal import Allowance, Level, Period
from gateway.store.redis.ledger import RedisLedger
from gateway.store.redis.ledger_shape import Shape, Span
from tests.fakes import FakeClock
from tests.store.redis_ledgers import ACCOUNT, ROOT, comes_true, ledger_on
from tests.store.redis_server import RedisServer

START = (files("gateway.store.redis") / "ledger_windows.lua").read_text() + (
    "return start_of(ARGV[1] + 0, ARGV[2] + 0, ARGV[3] + 0)"
)
YEARS = 3e8
"""A lease that is never over, in seconds."""

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
PERIODS = st.sampled_from(list(Period))
ALLOWANCES = st.builds(Allowance, st.integers(1, 3_000).map(NanoUSD), PERIODS, st.booleans())
QUOTAS = st.none() | st.integers(1, 30)
LEVELS = st.builds(
    Level,
    st.just("key:a"),
    st.lists(ALLOWANCES, max_size=3, unique_by=lambda one: one[1:]).map(tuple),
    QUOTAS,
    st.none() | st.integers(1, 500),
    QUOTAS,
)
PAUSES = st.sampled_from([0.0, 0.25, 1.0, 17.5, 60.0, 1_440.0, 3_600.0, 86_400.0, 2_592_000.0])


approx = partial(pytest.approx, abs=1e-5)


class Step(NamedTuple):
    """A pause, a claim, and which of the holds to settle at what cost (None: none)."""

    pause: float
    amount: int
    tokens: int
    settles: tuple[int, int, int] | None


STEPS = st.lists(
    st.builds(
        Step,
        PAUSES,
        st.integers(0, 900),
        st.integers(0, 200),
        st.none() | st.tuples(st.integers(0, 5), st.integers(0, 900), st.integers(0, 200)),
    ),
    max_size=14,
)


@QUICK
@given(levels=st.tuples(LEVELS, LEVELS.map(lambda one: one._replace(id="team:t"))), steps=STEPS)
def test_redis_decides_as_the_books_do(
    shared_redis: RedisServer, levels: tuple[Level, ...], steps: list[Step]
) -> None:
    shared_redis.ask("FLUSHALL")
    asyncio.run(_alike(shared_redis, levels, steps))


async def _alike(server: RedisServer, levels: tuple[Level, ...], steps: list[Step]) -> None:
    clock, books = FakeClock(), Books()
    async with ledger_on(server, clock, lease=YEARS) as ledger:
        grants: list[Grant] = []
        for number, step in enumerate(steps):
            clock.at += step.pause
            asked = Claim(f"c{number}", ROOT, levels, NanoUSD(step.amount), NanoUSD(0), step.tokens)
            wanted = books.hold(asked, clock.wall())
            answer = await ledger.hold(asked)
            assert _plain(answer) == _plain(wanted)
            if isinstance(answer, Grant):
                grants.append(answer)
            if step.settles is not None and grants:
                which, cost, tokens = step.settles
                _settle(ledger, books, grants.pop(which % len(grants)), cost, tokens)
                # A server that does not know the script yet is told it while the next claim is.
                await comes_true(lambda: not ledger.pending())
        told = await ledger.standing(ROOT, levels)
        assert _standing(told) == _standing(books.standing(ROOT, levels, clock.wall()))


def _settle(ledger: RedisLedger, books: Books, grant: Grant, cost: int, tokens: int) -> None:
    ledger.settle(grant, Charge(ACCOUNT, NanoUSD(cost), Usage(tokens, 0)))
    books.settle(grant.claim.id, NanoUSD(cost), tokens or None)


def _plain(answer: Grant | Denial) -> Sequence[object]:
    if isinstance(answer, Grant):
        return [*_standing(answer.standing)]
    wait = None if answer.retry_after is None else approx(answer.retry_after)
    return [answer.level, answer.limited, wait, *_standing(answer.standing)]


def _standing(standing: Standing) -> Sequence[object]:
    # What floats lose of an epoch may be one unit of a rate.
    meters = [
        meter and (meter.limit, pytest.approx(meter.remaining, abs=1), approx(meter.reset))
        for meter in (standing.requests, standing.tokens)
    ]
    stands = [
        (*stand[:4], approx(stand.elapsed), approx(stand.reset)) for stand in standing.allowances
    ]
    return [*meters, *stands]


INSTANTS = st.integers(0, 4_102_444_800 * 4).map(lambda quarters: quarters / 4)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(instants=st.lists(INSTANTS, min_size=20, max_size=20))
def test_months_and_weeks_begin_where_the_calendar_says(
    shared_redis: RedisServer, instants: list[float]
) -> None:
    for now in instants:
        for period in Period:
            allowance = Allowance(NanoUSD(1), period)
            assert _start(shared_redis, allowance, now) == window(allowance, now).bucket


@pytest.mark.parametrize("day", ["1970-01-01", "2000-02-29", "2024-12-31", "2026-03-01"])
def test_the_ends_of_odd_months_are_known(shared_redis: RedisServer, day: str) -> None:
    begins = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    month = Allowance(NanoUSD(1), Period.MONTH)

    for now in (begins, begins + 86_399.75):
        assert _start(shared_redis, month, now) == window(month, now).bucket


def _start(server: RedisServer, allowance: Allowance, now: float) -> int:
    shape = Shape(ROOT, (Level("key:a", (allowance,)),))
    (level,) = json.loads(shape.described)
    (kept,) = level["windows"]
    found = server.ask("EVAL", START, 0, round(now * 1e6), kept["step"], kept["shift"])
    assert isinstance(found, int), found
    return found // 1_000_000


@given(instants=st.lists(INSTANTS, max_size=5), allowance=ALLOWANCES)
def test_a_span_tells_what_its_window_tells(instants: list[float], allowance: Allowance) -> None:
    span = Span(allowance)

    for now in instants:
        wanted = window(allowance, now)
        elapsed, reset = span.at(now)
        assert (elapsed, reset) == pytest.approx((wanted.elapsed, wanted.reset), abs=1e-5)
