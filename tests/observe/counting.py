"""What the tests of metrics share."""

from gateway.catalog import Catalog
from gateway.observe.gauges import Gauges
from gateway.observe.metrics import Metrics
from tests.observe.events import HandClock, a_catalog


def fresh_metrics(gauges: Gauges | None = None, catalog: Catalog | None = None) -> Metrics:
    return Metrics(catalog or a_catalog(), HandClock(), gauges, version="1.2.3")
