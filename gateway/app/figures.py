"""What the stores can tell of themselves, as the metrics want to hear it."""

from collections.abc import Mapping

from gateway.observe.gauges import StoreFigures
from gateway.store.embedded.store import EmbeddedStore
from gateway.store.layered import LayeredCache
from gateway.store.redis.cache import RedisCache
from gateway.store.redis.faults import KINDS
from gateway.store.redis.link import Link


def of_disk(store: EmbeddedStore) -> StoreFigures | None:
    """A data directory's; None where nothing is kept."""
    if store.journal is None:
        return None
    return StoreFigures("disk", up=not store.failing(), errors={"disk": store.failures()})


def of_redis(link: Link) -> StoreFigures:
    """A Redis's."""
    now = link.figures()
    return StoreFigures(
        "redis",
        up=not now.open_breakers,
        # Each from the start, so that the first failure of a kind shows in a rate.
        errors={**dict.fromkeys(KINDS, 0), **now.errors},
        commands=now.commands,
        round_trips=now.round_trips,
        seconds=now.seconds,
    )


def of_layers(layered: LayeredCache, far: RedisCache) -> Mapping[str, int]:
    """What the near layer spared the far one, and what the far one did."""
    figures = far.figures
    return {
        "near": layered.near_hits,
        "hit": figures.hits,
        "miss": figures.misses,
        "put": figures.puts,
        "corrupt": figures.corrupt,
        "dropped": figures.dropped,
        "unavailable": figures.unavailable,
    }
