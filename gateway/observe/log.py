"""The log: one line a call, written by a thread of its own.

A log can stand still: a full disk, a pipe nobody reads, a terminal in selection mode. Then lines
are lost and counted, and calls go on. So the path of a call only puts its event into a bounded
queue; spelling and writing happen in a daemon thread, in batches small enough that the event loop
gets its turn between them.

Refused: waiting for room, growing, and telling the caller that something went wrong.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from gateway.ended import Ended
from gateway.observe.lines import Remark, Spelling
from gateway.ports import Clock

Write = Callable[[bytes], object]
"""Takes whole lines. May block, may raise OSError or ValueError (closed)."""

LIMIT: Final = 8192
"""Events that may wait, some 6 MB: more than a second of calls at full load."""

BATCH: Final = 64
"""Events spelled and written at once: about 0.3 ms between two chances for other threads."""

PERIOD: Final = 0.1
"""Seconds between two looks at the queue: soon enough for people, rare enough to cost nothing."""

PATIENCE: Final = 2.0
"""Seconds `close` waits for the last lines to be written."""


class CallLog:
    """Logs calls and remarks; used as a context manager it runs its own thread.

    `ended` and `remark` may be called from any thread and return at once.
    """

    __slots__ = ("_queue", "_spelling", "_stop", "_thread", "_torn", "_wall", "_write", "dropped")

    def __init__(self, write: Write, spelling: Spelling, clock: Clock) -> None:
        self._write = write
        self._spelling = spelling
        self._wall = clock.wall
        self._queue: deque[tuple[float, Ended] | Remark] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._torn = False
        self.dropped = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        # A thread stuck in a write is left behind: it is a daemon, and the process may end.
        self._thread.join(PATIENCE)

    def ended(self, ended: Ended) -> None:
        """Log a call that ended now."""
        if len(self._queue) < LIMIT:
            self._queue.append((self._wall(), ended))
        else:
            self.dropped += 1

    def remark(self, remark: Remark) -> None:
        """Log anything else."""
        if len(self._queue) < LIMIT:
            self._queue.append(remark)
        else:
            self.dropped += 1

    def waiting(self) -> int:
        """Events that are not written yet."""
        return len(self._queue)

    def flush(self) -> None:
        """Write what waits now, as long as the writer takes; for one thread at a time."""
        waiting = len(self._queue)
        for start in range(0, waiting, BATCH):
            self._write_batch(min(BATCH, waiting - start))

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            self.flush()
        self.flush()

    def _write_batch(self, size: int) -> None:
        batch = b"".join([self._spell(self._queue.popleft()) for _ in range(size)])
        try:
            # What was cut off by a failure must not run into the next line.
            self._write(b"\n" + batch if self._torn else batch)
            self._torn = False
        except (OSError, ValueError):
            self._torn = True
            self.dropped += size

    def _spell(self, event: tuple[float, Ended] | Remark) -> bytes:
        if isinstance(event, Remark):
            return self._spelling.remark(event)
        return self._spelling.call(*event)


def to_descriptor(descriptor: int) -> Write:
    """Writes straight to a file descriptor, whole, with no buffer that a failure could leave."""

    def write(data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    return write
