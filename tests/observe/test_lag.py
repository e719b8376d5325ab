"""How late the loop is: the worst of the latest beats, no stall missed between two scrapes."""

import asyncio

import pytest

from gateway.observe.lag import BEAT_SECONDS, SPAN_SECONDS, LoopLag
from tests.observe.events import HandClock


class LateClock(HandClock):
    """A pause that ends late by as much as it is told, a few times."""

    def __init__(self, *late: float) -> None:
        super().__init__()
        self.late = list(late)

    async def pause(self, seconds: float) -> None:
        if not self.late:
            raise asyncio.CancelledError
        self.seconds += seconds + self.late.pop(0)


async def test_a_beat_tells_by_how_much_it_came_late() -> None:
    clock = LateClock(0.0, 0.3, 0.01)
    lag = LoopLag(clock, clock.pause)

    with pytest.raises(asyncio.CancelledError):
        await lag.beat()

    assert lag.worst() == pytest.approx(0.3)


async def test_a_stall_is_told_for_at_least_a_span_and_then_forgotten() -> None:
    beats = round(SPAN_SECONDS / BEAT_SECONDS)
    told = []
    for after in (beats - 2, beats + 2, 3 * beats):
        clock = LateClock(0.5, *[0.0] * after)
        lag = LoopLag(clock, clock.pause)
        with pytest.raises(asyncio.CancelledError):
            await lag.beat()
        told.append(lag.worst())

    assert told == [pytest.approx(0.5), pytest.approx(0.5), pytest.approx(0.0, abs=1e-9)]
