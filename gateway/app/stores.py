"""Where money, keys, notes and replies are kept: in a data directory of one process, or in Redis.

`GATEWAY_REDIS_URL` decides. A Redis that cannot be reached when the gateway starts is no reason not
to start: it is asked again with every call, until it answers.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

from gateway.app import figures
from gateway.clock import SystemClock
from gateway.errors import StoreUnavailable
from gateway.holds import SpendQuery, Spent
from gateway.observe.gauges import StoreFigures
from gateway.ports import Affinities, Bulletin, Keys, Ledger, ReplyCache, SharedFlights
from gateway.settings.schema import Settings
from gateway.settings.stores import MEMORY
from gateway.store.embedded.store import open_beside, open_store as open_embedded
from gateway.store.layered import LayeredCache
from gateway.store.memory import MemoryCache
from gateway.store.redis.bulletin import RedisBulletin
from gateway.store.redis.flights import RedisFlights
from gateway.store.redis.ledger import RedisLedger
from gateway.store.redis.schema import ForeignSchema
from gateway.store.redis.store import Health, Limits, RedisStore

LOG = logging.getLogger("tiergate.store")

MOST_SHARED = 2_000
"""Decisions: 3 MB of Redis."""


@dataclass(frozen=True, slots=True)
class State:
    """What a gateway remembers by.

    `pending` is how many rows or calls wait to be written, `figures` what there is to say of the
    store (None where nothing is kept beyond the process); `shared` is the cache of all replicas,
    `flights` are their calls under way, `bulletin` what they tell each other (None: there are no
    others, or nobody may look). `trouble` says why the store cannot be used now, or is empty.
    """

    ledger: Ledger
    keys: Keys
    affinities: Affinities
    cache: ReplyCache
    pending: Callable[[], int]
    trouble: Callable[[], Awaitable[str]]
    figures: Callable[[], StoreFigures | None] = lambda: None
    shared: Callable[[], Mapping[str, int]] = dict
    waiting: Callable[[], int] = int
    flights: SharedFlights | None = None
    bulletin: Bulletin | None = None


class Spending(Protocol):
    """As much of a ledger as can be had beside a running gateway."""

    async def spend(self, query: SpendQuery) -> list[Spent]:
        """The records of spend, newest day first."""
        ...


@dataclass(frozen=True, slots=True)
class Books:
    """What `tiergate keys` and `tiergate spend` look at."""

    keys: Keys
    ledger: Spending


@asynccontextmanager
async def open_state(
    settings: Settings, clock: SystemClock, near: MemoryCache
) -> AsyncIterator[State]:
    """The state the settings ask for; `near` keeps replies in this process either way.

    Raises:
        StoreUnavailable: another process has the data directory, or what is there is not ours.
    """
    if settings.store.redis_url is None:
        with _embedded(settings, clock, near) as state:
            yield state
        return
    store, ledger = _redis(settings, clock)
    await _prepare(store)
    async with asyncio.TaskGroup() as group:
        tending = [group.create_task(store.tend()), group.create_task(ledger.tend())]
        try:
            layered = LayeredCache(near, store.cache, clock)
            yield State(
                ledger,
                store.keys,
                store.affinities,
                layered,
                ledger.pending,
                lambda: _trouble(store),
                figures=lambda: figures.of_redis(store.link),
                shared=lambda: figures.of_layers(layered, store.cache),
                waiting=lambda: store.link.figures().waiting,
                flights=RedisFlights(store.cache, layered, clock, clock.sleep),
                bulletin=_bulletin(settings, store),
            )
        finally:
            await ledger.close()
            await store.close()
            await asyncio.wait(tending)


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Books]:
    """Keys and records of spend, whether or not a gateway is running beside.

    Raises:
        StoreUnavailable: they cannot be reached.
    """
    clock = SystemClock()
    if settings.store.redis_url is not None:
        store, ledger = _redis(settings, clock)
        await store.link.reach()
        try:
            yield Books(store.keys, ledger)
        finally:
            await store.close()
        return
    directory = data(settings)
    if directory is None:
        message = "`store.data` is `memory`: keys and spend end with the process that made them."
        raise StoreUnavailable(message)
    with open_beside(directory, clock) as beside:
        yield Books(beside.keys, beside.ledger)


async def probe(settings: Settings) -> Health:
    """How Redis is.

    Raises:
        StoreUnavailable: its URL cannot be used.
    """
    store, _ = _redis(settings, SystemClock())
    try:
        return await store.probe()
    finally:
        await store.close()


def data(settings: Settings) -> Path | None:
    """The data directory; None keeps nothing beyond the process."""
    said = settings.store.data
    return None if said == MEMORY else Path(said)


@contextmanager
def _embedded(settings: Settings, clock: SystemClock, near: MemoryCache) -> Iterator[State]:
    with open_embedded(data(settings), clock) as store:
        yield State(
            store.ledger,
            store.keys,
            store.affinities,
            near,
            store.pending,
            _no_trouble,
            figures=lambda: figures.of_disk(store),
        )


def _redis(settings: Settings, clock: SystemClock) -> tuple[RedisStore, RedisLedger]:
    wanted = settings.store
    url = wanted.redis_url.reveal() if wanted.redis_url is not None else ""
    if wanted.redis_ca_file is not None:
        option = urlencode({"ssl_ca_certs": str(wanted.redis_ca_file)})
        url += f"{'&' if '?' in url else '?'}{option}"
    limits = Limits(budget=wanted.redis_timeout, max_entry=settings.cache.max_entry)
    try:
        store = RedisStore.open(url, clock, limits)
    except (ValueError, OSError) as error:
        message = f"the Redis URL cannot be used: {error}"
        raise StoreUnavailable(message) from None
    return store, RedisLedger(store.link, clock)


def _bulletin(settings: Settings, store: RedisStore) -> Bulletin | None:
    limit = shown_decisions(settings)
    return RedisBulletin(store.link, limit) if limit else None


def shown_decisions(settings: Settings) -> int:
    """How many decisions of all processes are shown; none where nobody may look."""
    admin = settings.admin
    return 0 if admin.enabled is False else min(admin.decisions, MOST_SHARED)


async def _prepare(store: RedisStore) -> None:
    try:
        await store.prepare()
        if advice := (await store.probe()).advice:
            LOG.warning("Redis: %s", advice)
    except ForeignSchema as error:
        raise StoreUnavailable(str(error)) from None
    except StoreUnavailable as error:
        LOG.warning("Redis cannot be reached: %s; it is asked again with every call", error.message)


async def _trouble(store: RedisStore) -> str:
    return (await store.probe()).trouble


async def _no_trouble() -> str:
    """A data directory that fails is no reason to send calls elsewhere: all goes on in memory."""
    return ""
