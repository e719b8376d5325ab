"""Runs a module as its own program would run, and notes where its CPU time goes.

    python -m tests.bench.sampler OUTPUT sample|calls MODULE ARGUMENT...

It begins on SIGUSR2, so that starting up is not counted, and writes what it saw when the program
ends. `sample`: a timer of the process's CPU time interrupts the main thread and the stack is
noted, at most once a millisecond and once a tick of the kernel's clock; the program is hardly
disturbed. `calls`: the standard library's cProfile counts every call, C functions too, and slows
the program severalfold.

Time that C code spends without calling Python (the event loop's own system calls) is noted where
Python goes on after it, most often in the function the loop calls next.
"""

import cProfile
import json
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

INTERVAL_SECONDS = 0.001
MAX_DEPTH = 60

Place = tuple[str, int, str]
"""File, first line and name of a function."""
Row = tuple[str, int, str, float, float, int]
"""A place, its own time, the time within it (both in any unit), and how often it was called."""


class Sampler:
    """Counts the functions seen on the stack: on top of it, and anywhere in it."""

    def __init__(self) -> None:
        self.own: Counter[Place] = Counter()
        self.within: Counter[Place] = Counter()

    def start(self, *_: object) -> None:
        """Let the samples come."""
        signal.signal(signal.SIGPROF, self._sample)
        # Without this, system calls that a sample interrupts would fail in careless C code.
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)

    def stop(self) -> None:
        """No more samples."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def rows(self) -> list[Row]:
        """Every function seen, with its counts."""
        return [(*place, self.own[place], seen, 0) for place, seen in self.within.items()]

    def _sample(self, number: int, frame: FrameType | None) -> None:
        seen: set[Place] = set()
        # Generated code (a dataclass's __init__) has no address: its caller says more.
        while frame is not None and frame.f_code.co_filename == "<string>":
            frame = frame.f_back
        while frame is not None and len(seen) < MAX_DEPTH:
            place = _place(frame.f_code)
            if not seen:
                self.own[place] += 1
            seen.add(place)
            frame = frame.f_back
        self.within.update(seen)


class CallCounter:
    """cProfile, with the same manners."""

    def __init__(self) -> None:
        self._profile = cProfile.Profile()

    def start(self, *_: object) -> None:
        """Count from here."""
        self._profile.enable()

    def stop(self) -> None:
        """Count no more."""
        self._profile.disable()

    def rows(self) -> list[Row]:
        """Every function called, with its times."""
        return [
            (*_place(entry.code), entry.inlinetime, entry.totaltime, entry.callcount)
            for entry in self._profile.getstats()
        ]


def _place(code: CodeType | str) -> Place:
    """Where a function is; C functions have only a name."""
    if isinstance(code, str):
        return "", 0, code
    return code.co_filename, code.co_firstlineno, code.co_qualname


def main() -> None:
    """Run the module named on the command line; write what was seen when it ends."""
    output, how, module, *arguments = sys.argv[1:]
    watcher = CallCounter() if how == "calls" else Sampler()
    signal.signal(signal.SIGUSR2, watcher.start)
    # A server may restore and raise the signal that ended it: it must unwind to be written down.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        watcher.stop()
        Path(output).write_text(json.dumps(watcher.rows()))


if __name__ == "__main__":
    main()
