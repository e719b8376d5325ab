"""Serving: one process by itself, or workers side by side under a supervisor.

Workers are forks of a process that has read the settings and listens to nothing. Each has its own
socket on the same port, its own loop and its own simulation; what they must agree on is in Redis.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from gateway.app import adapters
from gateway.app.root import Opened, Running, open_gateway, running, url_of
from gateway.app.supervisor import Post, Supervisor, Told
from gateway.classify.encoder import COMPILED
from gateway.clock import SystemClock
from gateway.http.server import loop_factory, reserve, share
from gateway.observe.crew import SHOWN_SECONDS, Crew
from gateway.observe.metrics import Seat
from gateway.settings.schema import Settings

LOG = logging.getLogger("tiergate")


def serve(settings: Settings) -> int:
    """Serve until told to stop; the process's exit code.

    Raises:
        OSError: the address cannot be listened on.
        StoreUnavailable: the store cannot be used.
    """
    server = settings.server
    if server.workers == 1:
        with open_gateway(settings) as opened, asyncio.Runner(loop_factory=loop_factory()) as loop:
            loop.run(_alone(opened))
        return 0
    crew = Crew(server.workers)
    with reserve(server.host, server.port) as reserved:
        done = _supervised(settings, crew, reserved)
        if isinstance(done, int):
            return done
        # In a worker's process this is where its life begins.
        listener = share(server.host, reserved.getsockname()[1])
    seat = Seat(crew, done.worker, done.life)
    with (
        open_gateway(settings, listener=listener, seat=seat, started=done.serves) as opened,
        asyncio.Runner(loop_factory=loop_factory()) as loop,
    ):
        loop.run(_beside_others(opened, done))
    return 0


def _supervised(settings: Settings, crew: Crew, reserved: socket.socket) -> int | Post:
    clock, server = SystemClock(), settings.server
    # Without its thread: who forks must have none.
    log = adapters.log(settings, clock, quiet=False)
    url = url_of(reserved)

    def ready() -> None:
        LOG.info("listening on %s with %d workers", url, server.workers)
        log.flush()

    def say(sentence: str) -> None:
        LOG.warning("%s", sentence)
        log.flush()

    told = Told(ready, crew.bury, say, reserved.close)
    return Supervisor(server.workers, clock, told, drain=server.drain).run()


async def _alone(opened: Opened) -> None:
    # Said once signals are heard: whoever reads it may stop the gateway at once.
    def listens() -> None:
        LOG.info("listening on %s", opened.url())

    async with running(replace(opened, started=listens)) as gateway:
        await _introduce(gateway, opened)
        await gateway.server.run_until_stopped()


async def _beside_others(opened: Opened, post: Post) -> None:
    async with running(opened) as gateway, _on_post(gateway, opened, post):
        if post.life == 1:
            await _introduce(gateway, opened)
        await gateway.server.run_until_stopped()


async def _introduce(gateway: Running, opened: Opened) -> None:
    LOG.info("tokens are counted by %s", "compiled code" if COMPILED else "tiktoken")
    LOG.info("%s", await gateway.door.posture())
    if opened.settings.admin.enabled is not False:
        LOG.info("figures, decisions and a playground: %s/ui/", opened.url())
    if opened.settings.simulate.enabled:
        LOG.warning(
            "answers are SIMULATED: set OPENAI_API_KEY, or OPENAI_BASE_URL, or a configuration"
        )


@asynccontextmanager
async def _on_post(gateway: Running, opened: Opened, post: Post) -> AsyncIterator[None]:
    """Show this worker's figures to the others, and stop when its supervisor is gone."""

    async def show() -> None:
        while True:
            await opened.clock.sleep(SHOWN_SECONDS)
            await asyncio.to_thread(gateway.metrics.show)

    def orphaned() -> None:
        loop.remove_reader(post.line)
        LOG.error("the supervisor is gone: this worker stops too")
        gateway.server.should_exit = True

    loop = asyncio.get_running_loop()
    loop.add_reader(post.line, orphaned)
    async with asyncio.TaskGroup() as group:
        showing = group.create_task(show())
        try:
            yield
        finally:
            showing.cancel()
            loop.remove_reader(post.line)
            gateway.metrics.show()
