"""Uvicorn, run the way the gateway needs it: our protocol, our log, a sweep, a bounded drain."""

import asyncio
import ctypes
import gc
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from gateway.http.plane import Plane
from gateway.http.protocol import EdgeProtocol

SWEEP_SECONDS = 1.0
BACKLOG = 2048
# mallopt(3): from this size on a block is mapped by itself, and unmapped when freed.
M_MMAP_THRESHOLD = -3
LARGE_BLOCK = 256 * 1024
GC_THRESHOLD = (10_000, 20, 50)


class Server(uvicorn.Server):
    """One listening process; `started` is told once it takes calls."""

    def __init__(
        self,
        app: FastAPI,
        plane: Plane,
        listener: socket.socket,
        drain: float,
        started: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=type("PlaneProtocol", (EdgeProtocol,), {"plane": plane}),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=max(1, round(drain)),
                backlog=BACKLOG,
            )
        )
        self._plane = plane
        self._listener = listener
        self._on_started = started
        self._next_sweep: asyncio.TimerHandle

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """A signal asks to stop; a second interrupt does not wait.

        Uvicorn would raise the signal again when it has stopped: that ends the process before the
        log is written and the upstream's connections are closed.
        """
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._on_started is not None:
            self._on_started()

    def stopping(self) -> bool:
        """Whether it was told to stop: no new calls should come."""
        return self.should_exit

    async def run_until_stopped(self) -> None:
        """Serve until a signal; streams in flight get the drain's time to finish."""
        loop = asyncio.get_running_loop()
        self._next_sweep = loop.call_later(SWEEP_SECONDS, self._sweep, loop)
        _give_back()
        # What lives now lives for ever: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        # A call leaves some hundred objects and no cycles: looking every few calls finds nothing.
        gc.set_threshold(*GC_THRESHOLD)
        try:
            await self.serve(sockets=[self._listener])
        finally:
            self._next_sweep.cancel()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = self._plane.now()
        for connection in list(self.server_state.connections):
            if isinstance(connection, EdgeProtocol):
                connection.swept(now)
        self._next_sweep = loop.call_later(SWEEP_SECONDS, self._sweep, loop)


def _give_back() -> None:
    """Have freed memory go back to the system, where the C library can be told so (glibc).

    What starting up freed goes now, and megabytes of a prompt as soon as they are let go: left to
    itself the library keeps such blocks for the next one, and the heap between them in pieces.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim") and hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        library.malloc_trim(0)


def listen(host: str, port: int) -> socket.socket:
    """Bind a listening socket; port 0 takes a free one.

    Raises:
        OSError: the address cannot be used.
    """
    listener = _bound(host, port, socket.SO_REUSEADDR)
    try:
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def reserve(host: str, port: int) -> socket.socket:
    """Take a port that several sockets will listen on, bound by `share`; port 0 takes a free one.

    Raises:
        OSError: the address cannot be used, or somebody has it.
    """
    if port:
        # A shared port could be joined by anyone, another gateway too, and nobody would be told.
        listen(host, port).close()
    return share(host, port)


def share(host: str, port: int) -> socket.socket:
    """Bind one of the sockets of a port that is reserved.

    It listens as soon as it is served and not before: the system gives each connection to one of
    those that listen.

    Raises:
        OSError: the address cannot be used, or the system does not share ports.
    """
    return _bound(host, port, socket.SO_REUSEADDR, socket.SO_REUSEPORT)


def _bound(host: str, port: int, *options: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in options:
            bound.setsockopt(socket.SOL_SOCKET, option, 1)
        bound.bind((host, port))
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Uvloop, which Windows does not have."""
    return (
        uvicorn.Config("", loop="auto", log_config=None).get_loop_factory()
        or asyncio.new_event_loop
    )
