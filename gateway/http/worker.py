"""The task that answers one connection's calls, one after another.

A task a call would cost as much as choosing its tier: making it, registering it, taking it out of
every register again. A connection's calls are answered in turn anyway, so one task serves them all
and sleeps in between. For uvicorn's graceful stop it counts as a running task only while it works.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.http.exchange import Exchange

Serve = Callable[["Exchange"], Coroutine[Any, Any, None]]


class Worker:
    """Started with the first call, ended with the connection."""

    __slots__ = ("_loop", "_next", "_running", "_serve", "_task")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, running: set[asyncio.Task[None]], serve: Serve
    ) -> None:
        self._loop = loop
        self._running = running
        self._serve = serve
        self._task: asyncio.Task[None] | None = None
        self._next: asyncio.Future[Exchange | None] | None = None

    def serve(self, exchange: "Exchange") -> None:
        """Answer this call; the one before it has been answered."""
        waiting = self._next
        if waiting is None:
            # The first call, or a pipelined one while its forerunner's books are being closed.
            self._task = self._loop.create_task(self._work(exchange))
        else:
            self._next = None
            waiting.set_result(exchange)

    def cancel(self) -> None:
        """Nobody waits any more for what is being answered."""
        if self._task is not None:
            self._task.cancel()

    def end(self) -> None:
        """The connection is gone: no call will follow."""
        waiting, self._next = self._next, None
        if waiting is not None:
            waiting.set_result(None)

    async def _work(self, first: "Exchange") -> None:
        exchange: Exchange | None = first
        task = asyncio.current_task()
        while exchange is not None and task is not None:
            self._task = task
            self._running.add(task)
            try:
                await self._serve(exchange)
            finally:
                self._running.discard(task)
            if exchange.disconnected or self._next is not None:
                # Gone, or another task has taken over and waits already.
                return
            waiting = self._next = self._loop.create_future()
            exchange = await waiting
