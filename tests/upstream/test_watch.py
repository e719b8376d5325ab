"""One timer for many deadlines."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.upstream.watch import GAP, LONGEST, Watch


class HandLoop:
    """An event loop's clock, moved by hand: the one piece of a loop that a watch uses."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.armed: list[tuple[float, Callable[[], None]]] = []
        self.arms = 0

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> "HandTimer":
        self.arms += 1
        entry = (when, callback)
        self.armed.append(entry)
        return HandTimer(self, entry)

    def run_until(self, then: float) -> None:
        while due := [entry for entry in self.armed if entry[0] <= then]:
            entry = min(due, key=lambda one: one[0])
            self.armed.remove(entry)
            self.now = entry[0]
            entry[1]()
        self.now = then


class HandTimer:
    def __init__(self, loop: HandLoop, entry: tuple[float, Callable[[], None]]) -> None:
        self.loop, self.entry = loop, entry

    def cancel(self) -> None:
        if self.entry in self.loop.armed:
            self.loop.armed.remove(self.entry)


class Patient:
    def __init__(self, watch: Watch, due: float, *later: float) -> None:
        self.watch, self.due, self.later = watch, due, list(later)
        self.checked: list[float] = []

    def check(self, now: float) -> None:
        self.checked.append(now)
        if self.later:
            self.due = self.later.pop(0)
        else:
            self.watch.discard(self)


@pytest.fixture
def loop() -> HandLoop:
    return HandLoop()


@pytest.fixture
def watch(loop: Any) -> Watch:
    return Watch(loop)


def test_each_is_looked_at_when_it_is_due(loop: HandLoop, watch: Watch) -> None:
    first, second = Patient(watch, 1005.0), Patient(watch, 1001.0)
    watch.add(first)
    watch.add(second)

    loop.run_until(1010)

    assert (first.checked, second.checked) == ([1005.0], [1001.0])
    assert loop.armed == []


def test_who_moved_on_is_looked_at_again(loop: HandLoop, watch: Watch) -> None:
    patient = Patient(watch, 1001.0, 1002.0, 1004.0)
    watch.add(patient)

    loop.run_until(1010)

    assert patient.checked == [1001.0, 1002.0, 1004.0]


def test_a_deadline_that_moves_forward_is_kept(loop: HandLoop, watch: Watch) -> None:
    patient = Patient(watch, 1050.0)
    watch.add(patient)
    patient.due = 1002.0
    watch.hasten(1002.0)
    watch.hasten(1030.0)

    loop.run_until(1003)

    assert patient.checked == [1002.0]


def test_who_is_done_is_not_looked_at(loop: HandLoop, watch: Watch) -> None:
    patient = Patient(watch, 1001.0)
    watch.add(patient)
    watch.discard(patient)

    loop.run_until(1100)

    assert patient.checked == []
    assert loop.armed == []


def test_many_with_the_same_patience_share_one_timer(loop: HandLoop, watch: Watch) -> None:
    for n in range(100):
        loop.now = 1000 + n / 1000
        patient = Patient(watch, loop.now + 30)
        watch.add(patient)
        watch.discard(patient)

    assert loop.arms == 1


def test_looks_are_far_enough_apart(loop: HandLoop, watch: Watch) -> None:
    for n in range(1000):
        watch.add(Patient(watch, 1001 + n / 1000))

    loop.run_until(1003)

    assert loop.arms <= 1 / GAP + 3


def test_a_deadline_far_away_is_within_what_a_timer_can_hold(loop: HandLoop, watch: Watch) -> None:
    patient = Patient(watch, 1e12)
    watch.add(patient)

    assert loop.armed[0][0] == 1000 + LONGEST
    loop.run_until(1000 + 3 * LONGEST)
    assert patient.checked == []


def test_a_watch_that_is_stopped_looks_no_more(loop: HandLoop, watch: Watch) -> None:
    patient = Patient(watch, 1001.0)
    watch.add(patient)
    watch.stop()
    watch.stop()

    loop.run_until(1010)

    assert patient.checked == []


async def test_a_real_loop_serves_as_well() -> None:
    watch = Watch(asyncio.get_running_loop())
    looked = asyncio.Event()

    class Alarm:
        due = asyncio.get_running_loop().time() + 0.01

        def check(self, now: float) -> None:
            watch.discard(self)
            looked.set()

    watch.add(Alarm())
    await asyncio.wait_for(looked.wait(), 5)
