"""The composition root: wires everything, for serving, for the demonstration, for a dry run.

settings → log, classifier, catalog, socket → cache, upstream, metrics → flow → plane → server
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from random import Random
from secrets import token_bytes, token_hex

from gateway.access.doorman import Doorman
from gateway.app import adapters
from gateway.app.assessing import assessor
from gateway.app.gauges import digest, gauges
from gateway.app.readiness import Readiness, outlives_store
from gateway.app.stores import State, open_state, shown_decisions
from gateway.app.watchers import Watchers, watching
from gateway.catalog import Catalog, Deployment, Secret
from gateway.classify.assess import Assessor
from gateway.clock import SystemClock
from gateway.flow.life import Flow
from gateway.flow.parts import Parts
from gateway.flow.together import Together
from gateway.http.admin import Admin
from gateway.http.admin_decisions import Watching
from gateway.http.beside import beside
from gateway.http.pages import Page, create
from gateway.http.plane import Ids, Plane
from gateway.http.server import Server, listen, loop_factory
from gateway.observe.log import CallLog
from gateway.observe.metrics import Metrics, Seat, media_type
from gateway.observe.recording import Recording
from gateway.ports import Upstream
from gateway.settings import access
from gateway.settings.catalog import build
from gateway.settings.schema import Settings
from gateway.simulate.app import create as create_simulation
from gateway.simulate.drive import Drive, Seen
from gateway.simulate.traffic import prompts
from gateway.simulate.upstream import Simulation
from gateway.store.memory import MemoryCache
from gateway.upstream.client import DirectUpstream

# Random bytes of the request ids' prefix: unique over restarts and replicas.
ID_BYTES = 5


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway on a loop."""

    flow: Flow
    metrics: Metrics
    server: Server
    door: Doorman
    decisions: Together


def demo(
    settings: Settings,
    *,
    seconds: float | None,
    rate: float,
    show: Callable[[str], AbstractContextManager[Callable[[Seen], None]]],
) -> int:
    """Serve a simulation and drive traffic at it; `show` is given the URL and told every call.

    Raises:
        OSError: the address cannot be listened on.
    """
    with (
        open_gateway(settings, quiet=True) as opened,
        show(opened.url()) as tell,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        runner.run(_demo(opened, tell, seconds=seconds, rate=rate))
    return 0


@dataclass(frozen=True, slots=True)
class Opened:
    """What is there before the loop runs."""

    settings: Settings
    catalog: Catalog
    clock: SystemClock
    assessor: Assessor
    log: CallLog
    listener: socket.socket
    seat: Seat | None = None
    started: Callable[[], None] | None = None

    def url(self) -> str:
        """Where it listens, as a client on this machine reaches it."""
        return url_of(self.listener)


def url_of(listener: socket.socket) -> str:
    """Where a socket is, as a client on this machine reaches it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def open_gateway(
    settings: Settings,
    *,
    quiet: bool = False,
    listener: socket.socket | None = None,
    seat: Seat | None = None,
    started: Callable[[], None] | None = None,
) -> Iterator[Opened]:
    """The log, the classifier, the catalog (simulated if so set), a listening socket.

    A worker brings its own socket and its seat among the others; `started` is told when calls are
    taken.
    """
    clock = SystemClock()
    look = assessor(settings)
    with ExitStack() as stack:
        log = stack.enter_context(adapters.log(settings, clock, quiet=quiet))
        url = None
        if settings.simulate.enabled:
            simulated = create_simulation(_simulation(settings, clock, look))
            url = stack.enter_context(beside(simulated)) + "/v1"
        catalog = build(settings, simulated_url=url)
        listener = listener or listen(settings.server.host, settings.server.port)
        stack.enter_context(listener)
        yield Opened(settings, catalog, clock, look, log, listener, seat, started)


def _simulation(settings: Settings, clock: SystemClock, look: Assessor) -> Simulation:
    how = settings.simulate
    return Simulation(build(settings), clock, clock.sleep, how.seed, how.speed, look.count)


def _door(opened: Opened, state: State) -> tuple[Doorman, Admin | None]:
    """Who may call, and what the admin API stands on, if there is one."""
    settings, clock = opened.settings, opened.clock
    directory, records = access.directory(settings), access.records(settings, token_bytes)
    door = Doorman(directory, state.keys, clock, records=records, open_to_all=settings.access.open)
    if settings.admin.enabled is False:
        return door, None
    return door, Admin(
        keys=state.keys,
        ledger=state.ledger,
        directory=directory,
        wall=clock.wall,
        randomness=token_bytes,
        records=records,
        key=settings.admin.key,
        everywhere=settings.admin.enabled is True,
    )


@asynccontextmanager
async def running(opened: Opened) -> AsyncIterator[Running]:
    """A gateway on the running loop; it listens once `server` is run."""
    settings, clock = opened.settings, opened.clock
    cache = MemoryCache(
        clock, max_bytes=settings.cache.max_bytes, max_entry=settings.cache.max_entry
    )
    async with open_state(settings, clock, cache) as state:
        upstream = adapters.upstream(settings)
        async with watching(settings, clock, upstream) as watchers:
            gateway = _assembled(opened, cache, state, upstream, watchers)
            async with gateway.decisions.kept_up(clock.sleep):
                yield gateway


def _assembled(
    opened: Opened, cache: MemoryCache, state: State, upstream: Upstream, watchers: Watchers
) -> Running:
    settings, catalog, clock = opened.settings, opened.catalog, opened.clock
    told = gauges(lambda: flow, clock, state, cache, opened.log, watchers)
    named = digest(settings, catalog)
    metrics = Metrics(catalog, clock, replace(told, config=lambda: named), seat=opened.seat)
    parts = Parts(
        catalog=catalog,
        clock=clock,
        upstream=upstream,
        cache=state.cache,
        affinities=state.affinities,
        ledger=state.ledger,
        recorder=Recording(metrics, opened.log, watchers.traces),
        assessor=opened.assessor,
        pause=clock.sleep,
        in_thread=asyncio.to_thread,
        flights=state.flights,
    )
    flow = Flow(parts, adapters.rules(settings))
    decisions = Together(flow.decisions, clock, shown_decisions(settings), state.bulletin)
    ids = Ids(token_hex(ID_BYTES))
    door, admin = _door(opened, state)
    readiness = Readiness(
        lambda: server.stopping(), state.trouble, clock, outlives=outlives_store(settings)
    )
    passed = adapters.passed(settings)
    plane = Plane(flow, clock, adapters.limits(settings), ids, door, passed)
    plane.begin = watchers.traces.begin if watchers.traces is not None else None
    page = Page(
        catalog=catalog,
        render=metrics.render,
        media_type=media_type,
        ready=readiness.ready,
        make_id=ids.make,
        made=int(clock.wall()),
        cors_origins=settings.server.cors_origins,
        open_operations=settings.server.open_operations,
        admin=admin,
        admit=lambda fields, near: door.admit(fields, near=near),
        watching=Watching(decisions, clock.sleep, lambda: server.stopping()),
        simulated=settings.simulate.enabled,
    )
    drain = settings.server.drain
    server = Server(create(page), plane, opened.listener, drain, opened.started)
    return Running(flow, metrics, server, door, decisions)


async def _demo(
    opened: Opened, tell: Callable[[Seen], None], *, seconds: float | None, rate: float
) -> None:
    clock = opened.clock
    model = opened.catalog.models_by_tier[min(opened.catalog.tiers)]
    client = DirectUpstream()
    drive = Drive(
        client,
        Deployment("gateway", model, opened.url() + "/v1", Secret("")),
        clock,
        clock.sleep,
        tell,
        rate,
        seconds,
    )
    seed = opened.settings.simulate.seed
    async with running(opened) as gateway, asyncio.TaskGroup() as group:
        serving = group.create_task(gateway.server.run_until_stopped())
        dice = Random(seed)  # noqa: S311 - invented traffic needs no secrets
        driving = group.create_task(drive.run(prompts(seed), dice))
        await asyncio.wait((serving, driving), return_when=asyncio.FIRST_COMPLETED)
        driving.cancel()
        gateway.server.should_exit = True
        await client.close()
