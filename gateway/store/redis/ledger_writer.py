"""Writes settlings: at once where Redis takes them, from the backlog where it did not.

What was sent and not answered may have been written: it is sent again under its name, which the
script knows. What was refused was not written, and neither was what had no connection.

Refused: dropping anything.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from hiredis import ReplyError

from gateway.errors import StoreUnavailable
from gateway.store.redis.dial import NotReached
from gateway.store.redis.faults import Refused, word_of
from gateway.store.redis.ledger_backlog import Backlog, Names, Owed
from gateway.store.redis.ledger_scripts import Scripts
from gateway.store.redis.ledger_together import together
from gateway.store.redis.posted import Posted

FLUSHED = 64
"""Settlings written at once: some milliseconds of the server's time."""

RETRY_SECONDS = 0.1
"""Between two tries of what has to be written before the end."""


class Writer:
    """Settlings on their way; `late` is called when one could not be written."""

    def __init__(self, scripts: Scripts, names: Names, late: Callable[[], None]) -> None:
        self._scripts = scripts
        self._names = names
        self._late = late
        self._flying = 0
        self._again = 0
        self._landed = asyncio.Event()
        self.backlog = Backlog()

    def pending(self) -> int:
        """Settlings that are not known to be written."""
        return len(self.backlog) + self._flying

    def late(self) -> int:
        """Those of them that were sent in vain: whoever asks after them may be answered before."""
        return len(self.backlog) + self._again

    def send(self, owed: Owed) -> None:
        """Send a settling with what else is sent in this tick; nothing is waited for."""
        posted = self._scripts.post(owed)
        if posted is None:
            self._keep(owed)
        else:
            self._flying += 1
            posted.then(partial(self._answered, owed))

    async def flush(self) -> None:
        """Write what waits, as long as some of it can be written."""
        while await self.flush_some():
            pass

    async def flush_some(self) -> bool:
        """Write the first that wait; whether any of them could be written."""
        taken = self.backlog.take(FLUSHED, self._names)
        left = {owed.name: owed for owed in taken}
        self._flying += len(taken)
        self._again += len(taken)
        try:
            await together(self._write(owed, left) for owed in taken)
        finally:
            # Also when whoever flushes is cancelled, even before anything was sent.
            self._flying -= len(taken)
            self._again -= len(taken)
            for owed in left.values():
                self.backlog.keep(owed)
        return len(left) < len(taken)

    async def write_all(self) -> None:
        """Write everything, what is under way included; takes as long as Redis is away."""
        while self.pending():
            self._landed.clear()
            if self.backlog and await self.flush_some():
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_SECONDS):
                    await self._landed.wait()

    async def _write(self, owed: Owed, left: dict[str, Owed]) -> None:
        left[owed.name] = owed._replace(sent=True)
        try:
            await self._scripts.write(owed)
        except (NotReached, Refused):
            left[owed.name] = owed
        except StoreUnavailable:
            pass
        else:
            del left[owed.name]

    def _answered(self, owed: Owed, posted: Posted) -> None:
        self._flying -= 1
        self._landed.set()
        if not posted.came:
            self._keep(owed._replace(sent=True))
        elif type(reply := posted.reply) is ReplyError:
            if word_of(reply) == "NOSCRIPT":
                self._tell(owed)
            else:
                self._keep(owed)

    def _tell(self, owed: Owed) -> None:
        """The server has forgotten the script: send all of it."""
        posted = self._scripts.post(owed, told=False)
        if posted is None:
            self._keep(owed)
            return
        self._flying += 1
        self._again += 1
        posted.then(partial(self._told, owed))

    def _told(self, owed: Owed, posted: Posted) -> None:
        self._again -= 1
        self._answered(owed, posted)

    def _keep(self, owed: Owed) -> None:
        self.backlog.keep(owed)
        self._late()
