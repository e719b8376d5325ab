"""The metrics page: counts calls as they end, and spells the counts out when asked.

A page is made at most once a second however many ask, and may be asked for in any thread: making
one takes milliseconds, so it belongs off the event loop.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from prometheus_client import exposition
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from gateway import __version__
from gateway.catalog import Catalog
from gateway.observe.collector import TallyCollector
from gateway.observe.crew import Crew
from gateway.observe.gauges import Gauges
from gateway.observe.tally import Tally
from gateway.ports import Clock

FRESH: Final = 1.0
"""Seconds a page is served again: shorter than any sane scrape interval."""

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def media_type(accept: str) -> str:
    """The content type of the page for a scraper's `Accept` header."""
    return OPENMETRICS if "application/openmetrics-text" in accept else TEXT


class Seat(NamedTuple):
    """Which worker of a crew counts here, in its how-manieth life."""

    crew: Crew
    worker: int
    life: int


class Metrics(Tally):
    """A `Recorder` that counts, and the page that shows the counts.

    `gauges` are asked at each page, in the thread that asks for it. With a `seat` the page shows
    the counts of all workers; each has to `show` its own to the others once a second.
    """

    __slots__ = ("_lock", "_now", "_pages", "_registry", "_seat", "_shown")

    def __init__(
        self,
        catalog: Catalog,
        clock: Clock,
        gauges: Gauges | None = None,
        *,
        seat: Seat | None = None,
        version: str = __version__,
    ) -> None:
        super().__init__(catalog)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(TallyCollector(self, catalog, gauges or Gauges(), version))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._seat = seat
        self._shown = self._registry
        if seat is not None:
            self._shown = CollectorRegistry(auto_describe=False)
            self._shown.register(_Together(seat, self._registry))
        self._now = clock.now
        self._lock = threading.Lock()
        self._pages: dict[str, tuple[float, bytes]] = {}

    def render(self, accept: str = "") -> bytes:
        """The page in the format `media_type(accept)` names, at most `FRESH` seconds old."""
        wanted = media_type(accept)
        with self._lock:
            made, page = self._pages.get(wanted, (0.0, b""))
            now = self._now()
            if not page or now - made >= FRESH:
                page = _WRITERS[wanted](self._shown)
                self._pages[wanted] = (now, page)
            return page

    def show(self) -> None:
        """Show the counts to the other workers, in any thread."""
        if self._seat is not None:
            crew, worker, life = self._seat
            crew.show(worker, life, self._registry.collect())


class _Together(Collector):
    """The figures of all workers."""

    def __init__(self, seat: Seat, own: CollectorRegistry) -> None:
        self._seat = seat
        self._own = own

    def collect(self) -> Iterable[Metric]:
        return self._seat.crew.together(self._seat.worker, self._own.collect())


_WRITERS: Final[dict[str, Callable[[CollectorRegistry], bytes]]] = {
    TEXT: exposition.generate_latest,
    OPENMETRICS: openmetrics.generate_latest,
}
