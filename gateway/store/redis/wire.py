"""One connection: the commands of one loop tick leave in one write, replies come back in order.

The rule that keeps replies apart: whatever makes the order doubtful ends the connection. A reply
that is late, one that nobody asked for and one that cannot be read all do; a caller that gives up
does not, because its reply is still waited for and then dropped.

There is no task, no lock and no timer a command. One timer looks at the oldest write that is still
unanswered; when it is due the loop gets one more turn to read, because a loop that was held up is
not the store's fault.

Refused: reconnecting, retrying, and telling what an error reply means.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from hiredis import HiredisError, Reader, pack_command

from gateway.errors import StoreUnavailable
from gateway.store.redis.faults import FLOODED, GARBLED, LOST, TIMEOUT
from gateway.store.redis.posted import Posted, Told

Word = bytes | str | int | float
"""What a command is made of."""

Answer = Any
"""A reply as RESP has it: bytes, a whole number, None, a `ReplyError`, or a list of these."""

# hiredis types it for commands of one word.
pack: Callable[[tuple[Word, ...]], bytes] = pack_command  # type: ignore[assignment]

GRACE = 0.002
"""Seconds between a deadline and giving up, for replies that already wait in the socket."""

MAX_WAITING = 20_000
"""Commands unanswered at once: what a busy gateway asks in ten budgets, not a queue to live in."""

MAX_BUFFERED = 64 << 20
"""Bytes written and not yet taken by the socket."""


class Tally:
    """What went over the wires of one link, counted."""

    __slots__ = ("commands", "errors", "round_trips")

    def __init__(self) -> None:
        self.commands = 0
        self.round_trips = 0
        self.errors: dict[str, int] = {}

    def failed(self, kind: str) -> None:
        """Something went wrong."""
        self.errors[kind] = self.errors.get(kind, 0) + 1


class Wire(asyncio.Protocol):
    """A connection on which the handshake is over; `budget` is seconds from write to reply.

    `ended` is called once, with the reason (`""` when it ended with nothing asked). `keep` is what
    must live as long as the connection.
    """

    __slots__ = (
        "_budget",
        "_ended",
        "_gets",
        "_keep",
        "_loop",
        "_marks",
        "_out",
        "_overdue",
        "_read",
        "_reader",
        "_retired",
        "_sent",
        "_tally",
        "_timer",
        "_transport",
        "_waiting",
        "why",
    )

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        budget: float,
        tally: Tally,
        ended: Callable[["Wire", str], None],
        *,
        keep: object = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._budget = max(0.0, budget - GRACE)
        self._tally = tally
        self._ended = ended
        self._keep = keep
        self._reader = Reader()
        self._gets = self._reader.gets
        self._waiting: deque[asyncio.Future[Answer] | Posted] = deque()
        self._out: list[bytes] = []
        # Deadlines of writes, each with the number of commands sent up to it.
        self._marks: deque[tuple[float, int]] = deque()
        self._sent = 0
        self._read = 0
        self._timer: asyncio.TimerHandle | None = None
        self._overdue = False
        self._retired = False
        self.why: str | None = None
        transport.set_protocol(self)

    def send(self, packed: bytes) -> asyncio.Future[Answer]:
        """Write a packed command at the end of this tick; resolves to its reply or error reply.

        Raises:
            StoreUnavailable: in the future, when the connection ends first; here, when it has, or
                when too much is waiting already.
        """
        future = self._loop.create_future()
        self._send(packed, future)
        return future

    def post(self, packed: bytes, then: Told) -> Posted:
        """The same for a command that nobody awaits."""
        posted = Posted(then)
        self._send(packed, posted)
        return posted

    def _send(self, packed: bytes, reply: "asyncio.Future[Answer] | Posted") -> None:
        if self.why is not None or len(self._waiting) >= MAX_WAITING:
            raise self._refusal()
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(packed)
        self._waiting.append(reply)

    def waiting(self) -> int:
        """How many commands are unanswered."""
        return len(self._waiting)

    def retire(self) -> None:
        """Close once everything asked so far is answered."""
        self._retired = True
        if not self._waiting:
            self.end("")

    def end(self, why: str) -> None:
        """Close at once; whoever still waits is told."""
        if self.why is not None:
            return
        self.why = why
        if self._timer is not None:
            self._timer.cancel()
        # Not `close`, which would first write what a stopped server does not read.
        self._transport.abort()
        self._out.clear()
        waiting, self._waiting = self._waiting, deque()
        for future in waiting:
            if not future.done():
                future.set_exception(StoreUnavailable(f"the store did not answer ({why or LOST})"))
        self._ended(self, why)

    def data_received(self, data: bytes) -> None:
        waiting, gets = self._waiting, self._gets
        before = len(waiting)
        try:
            self._reader.feed(data)
            while (reply := gets()) is not False:
                future = waiting.popleft()
                if not future.done():
                    future.set_result(reply)
        except (HiredisError, IndexError):
            self.end(GARBLED)
            return
        self._read += before - len(waiting)
        if self._retired and not waiting:
            self.end("")

    def connection_lost(self, _exc: Exception | None) -> None:
        self.end(LOST if self._waiting else "")

    def _refusal(self) -> StoreUnavailable:
        if self.why is None:
            self._tally.failed(FLOODED)
            return StoreUnavailable("too many commands wait for the store")
        return StoreUnavailable("the connection to the store is gone")

    def _flush(self) -> None:
        out = self._out
        if self.why is not None:
            return
        if self._transport.get_write_buffer_size() > MAX_BUFFERED:
            self.end(FLOODED)
            return
        self._transport.write(out[0] if len(out) == 1 else b"".join(out))
        self._sent += len(out)
        self._tally.commands += len(out)
        self._tally.round_trips += 1
        out.clear()
        due = self._loop.time() + self._budget
        self._marks.append((due, self._sent))
        if self._timer is None:
            self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        """The oldest write may be due: give up on it, grant its grace, or look at the next."""
        marks, read, now = self._marks, self._read, self._loop.time()
        while marks and marks[0][1] <= read:
            marks.popleft()
            self._overdue = False
        if not marks:
            self._timer = None
        elif now < marks[0][0]:
            self._timer = self._loop.call_at(marks[0][0], self._look)
        elif self._overdue:
            self.end(TIMEOUT)
        else:
            self._overdue = True
            self._timer = self._loop.call_at(now + GRACE, self._look)


def forget(sent: "asyncio.Future[Answer]") -> None:
    """Nobody will look at a reply; not even at the error it may be."""
    sent.add_done_callback(_look_at)


def _look_at(sent: "asyncio.Future[Answer]") -> None:
    if not sent.cancelled():
        sent.exception()
