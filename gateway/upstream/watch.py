"""Deadlines of many calls on one timer.

A timer armed and cancelled for every call costs more than all else a deadline needs. So calls only
say when they next want to be looked at (`due`), and one timer stands at the earliest of these
moments. Progress is not reported here: a call that moved on says so when it is looked at, by
moving its `due`. With no call in flight the timer lapses.
"""

import asyncio
import math
from operator import attrgetter
from typing import Protocol

# Two looks are at least this far apart, so that thousands of streams with as many different
# deadlines cost fifty looks a second and no more.
GAP = 0.02
# A look at least this often keeps the timer within what every event loop can hold.
LONGEST = 60.0
# Event loops round timers to a millisecond; a deadline this close has passed.
ROUNDING = 0.001

_due = attrgetter("due")


class Watched(Protocol):
    """Something with a deadline."""

    due: float

    def check(self, now: float) -> None:
        """Fail, or move `due` on: the moment has come."""
        ...


class Watch:
    """Looks at calls in flight when their time has come."""

    __slots__ = ("_at", "_loop", "_timer", "_watched")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._at = math.inf

    def add(self, watched: Watched) -> None:
        """Look at this one from now on."""
        self._watched.add(watched)
        if watched.due < self._at:
            self._arm(watched.due)

    def discard(self, watched: Watched) -> None:
        """Look at this one no more."""
        self._watched.discard(watched)

    def hasten(self, due: float) -> None:
        """Look at `due` at the latest: something in flight moved its deadline forward."""
        if due < self._at:
            self._arm(due)

    def stop(self) -> None:
        """Forget everything."""
        self._watched.clear()
        self._disarm()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._at = math.inf

    def _arm(self, due: float) -> None:
        self._disarm()
        self._at = min(due, self._loop.time() + LONGEST)
        self._timer = self._loop.call_at(self._at, self._look)

    def _look(self) -> None:
        self._disarm()
        now = self._loop.time()
        for watched in [one for one in self._watched if one.due <= now + ROUNDING]:
            watched.check(now)
        if self._watched:
            self.hasten(max(min(map(_due, self._watched)), now + GAP))
