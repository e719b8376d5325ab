"""Starts workers, starts them again when they end, and ends with them.

A worker is a fork of this process, which therefore has no thread and no loop: it waits for signals
and for the lines to its workers. A line says three things. The worker writes a byte when it serves;
the line ends when the worker does; and it ends for the worker when this process does, so that no
worker outlives its supervisor.

The first worker is started alone: what keeps it from serving would keep the others from it too, and
is said once. After that a worker that ends is started again, at once if it had served for a while,
else after a pause that doubles.

Refused: deciding what a worker does. `run` returns in each worker as well, with its `Post`.
"""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from math import inf
from selectors import EVENT_READ, PollSelector
from typing import NamedTuple

from gateway.ports import Clock

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
STEADY_SECONDS = 10.0
"""Of serving, after which an end is not one of a row."""

MORE_SECONDS = 10.0
"""After the drain, for what a worker has to write down; then it is killed."""

SIGNALS = (signal.SIGTERM, signal.SIGINT)
FAILED = 1


class Post(NamedTuple):
    """What a worker is told: its number, its life (they count from 1), the line to here."""

    worker: int
    life: int
    line: socket.socket

    def serves(self) -> None:
        """It takes calls now."""
        self.line.send(b".")


class Living(NamedTuple):
    """A worker's process; `since` is when it was started, monotonic seconds."""

    pid: int
    life: int
    line: socket.socket
    since: float


@dataclass(slots=True)
class Place:
    """One worker, over its lives; `failures` in a row, `due` when it is to be started."""

    living: Living | None = None
    failures: int = 0
    due: float = 0.0


def pause(failures: int) -> float:
    """Seconds until a worker that ended so many times in a row is started again."""
    return min(FIRST_PAUSE * 2.0 ** min(failures - 1, 20), LONGEST_PAUSE) if failures else 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told what.

    `ready`: the first worker serves; `ended`: a worker's life is over, and its next one has not
    begun; `say`: what an operator should know; `stopping`: no worker is started any more.
    """

    ready: Callable[[], None]
    ended: Callable[[int, int], None]
    say: Callable[[str], None]
    stopping: Callable[[], None]


class Supervisor:
    """Keeps `workers` processes running until a signal; they may take `drain` seconds to end."""

    def __init__(self, workers: int, clock: Clock, told: Told, *, drain: float) -> None:
        self._places = [Place() for _ in range(workers)]
        self._now = clock.now
        self._told = told
        self._drain = drain
        self._lives = 0
        self._served = False
        self._stop_by = inf
        self._signals: list[int] = []
        self._code = 0

    def run(self) -> int | Post:
        """Supervise until told to stop; the exit code. In a worker: its post, at once."""
        with self._listening() as woken:
            while True:
                post = self._started()
                if post is not None:
                    return post
                if self._stop_by < inf and not any(self._living()):
                    return self._code
                self._wait(woken)
                self._obey()
                if self._now() >= self._stop_by:
                    self._code = FAILED
                    self._signal(signal.SIGKILL)

    @contextmanager
    def _listening(self) -> Iterator[socket.socket]:
        """Signals are noted, and wake who waits; as before at the end, also in a worker."""
        with ExitStack() as stack:
            woken, wakes = map(stack.enter_context, socket.socketpair())
            wakes.setblocking(False)
            for number in SIGNALS:
                before = signal.signal(number, lambda number, _: self._signals.append(number))
                stack.callback(signal.signal, number, before)
            fd = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
            stack.callback(signal.set_wakeup_fd, fd)
            yield woken

    def _started(self) -> Post | None:
        """Start whoever is due; in the process that was started, its post."""
        if self._stop_by < inf:
            return None
        now = self._now()
        for number, place in enumerate(self._places if self._served else self._places[:1]):
            if place.living is None and now >= place.due:
                post = self._fork(number, place)
                if post is not None:
                    return post
        return None

    def _fork(self, number: int, place: Place) -> Post | None:
        self._lives += 1
        ours, theirs = socket.socketpair()
        # A signal that came in between would be noted by a worker, and forgotten.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        pid = os.fork()
        if pid == 0:
            for one in SIGNALS:
                signal.signal(one, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            # A Ctrl-C is for the supervisor, which passes it on.
            os.setpgid(0, 0)
            ours.close()
            for living in self._living():
                living.line.close()
            return Post(number, self._lives, theirs)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        theirs.close()
        ours.setblocking(False)
        place.living = Living(pid, self._lives, ours, self._now())
        return None

    def _wait(self, woken: socket.socket) -> None:
        """Until a signal, a word or an end of a worker, or until somebody is due."""
        with PollSelector() as selector:
            selector.register(woken, EVENT_READ)
            for number, place in enumerate(self._places):
                if place.living is not None:
                    selector.register(place.living.line, EVENT_READ, number)
            for key, _ in selector.select(self._patience()):
                if key.fileobj is woken:
                    woken.recv(64)
                else:
                    self._heard(key.data)

    def _patience(self) -> float | None:
        due = [place.due for place in self._places if place.living is None and self._served]
        due = [self._stop_by] if self._stop_by < inf else due
        return max(0.0, min(due) - self._now()) if due else None

    def _heard(self, number: int) -> None:
        place = self._places[number]
        living = place.living
        if living is None:
            return
        try:
            said = living.line.recv(64)
        except ConnectionError:
            said = b""
        if not said:
            self._over(number, place, living)
        elif not self._served:
            self._served = True
            self._told.ready()

    def _over(self, number: int, place: Place, living: Living) -> None:
        """A worker has ended."""
        living.line.close()
        # It may have let go of its line and still be alive: nobody serves twice.
        _, status = os.waitpid(living.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        place.living = None
        self._told.ended(number, living.life)
        if self._stop_by < inf or not self._served:
            if code not in (0, -signal.SIGTERM):
                self._code = code if code > 0 else FAILED
            # What keeps the first from serving is no passing trouble.
            self._stop_by = min(self._stop_by, self._now() + self._drain + MORE_SECONDS)
            return
        steady = self._now() - living.since >= STEADY_SECONDS
        place.failures = 0 if steady else place.failures + 1
        place.due = self._now() + pause(place.failures)
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        again = f"it is started again in {pause(place.failures):.1f} s"
        self._told.say(f"worker {number + 1} (process {living.pid}) {how}; {again}")

    def _obey(self) -> None:
        """Pass on what was asked of this process; a second interrupt does not wait."""
        asked, self._signals = self._signals, []
        for number in asked:
            if self._stop_by == inf:
                self._stop_by = self._now() + self._drain + MORE_SECONDS
                self._told.stopping()
                self._signal(signal.SIGTERM)
            else:
                self._signal(number)

    def _signal(self, number: int) -> None:
        for living in self._living():
            # Nobody else waits for it, so its number is still its own.
            os.kill(living.pid, number)

    def _living(self) -> list[Living]:
        return [place.living for place in self._places if place.living is not None]
