"""What the tests of this room record, and the catalog they record it under."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from gateway.call import Usage
from gateway.catalog import Catalog, Deployment, Model, Secret, Tier
from gateway.ended import Ended
from gateway.money import NanoUSD
from gateway.observe.gauges import Budget, Gauges, StoreFigures
from gateway.observe.metrics import Metrics
from gateway.prices import Price

PRICE = Price(NanoUSD(100), NanoUSD(25), NanoUSD(400))


@dataclass(slots=True)
class HandClock:
    """A clock turned by hand."""

    seconds: float = 1000.0
    epoch: float = 1_790_000_000.5

    def now(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return self.epoch


def a_catalog() -> Catalog:
    def one(name: str, deployment: str, shutdown: date | None = None) -> tuple[Deployment, ...]:
        model = Model(name, PRICE, 1_000_000, 32_768, shutdown=shutdown)
        return (Deployment(deployment, model, "https://upstream.test/v1", Secret("key")),)

    return Catalog(
        {
            Tier.NANO: one("gpt-4.1-nano", "nano-1", date(2026, 10, 23)),
            Tier.MINI: one("gpt-4.1-mini", "mini-1"),
            Tier.FULL: one("gpt-4.1", "full-1"),
        }
    )


USUAL = Ended(
    id="call-1",
    requested="auto",
    tier=Tier.NANO,
    model="gpt-4.1-nano",
    response_model="gpt-4.1-nano-2025-04-14",
    reason="adequate",
    outcome="ok",
    status=200,
    stream=False,
    cache="miss",
    usage=Usage(100, 40, cached=60, reasoning=10),
    cost=NanoUSD(21_500),
    saved=NanoUSD(408_500),
    attempts=1,
    seconds=0.8,
    ttft=0.0,
    overhead=0.000_2,
    prompt_tokens_estimate=101,
    score=0.25,
    upstream_request_id="req_1",
)


class Foreseen(NamedTuple):
    """What a call was expected to take."""

    cost: NanoUSD = NanoUSD(20_000)
    completion: float = 80.0
    ttft: float = 0.1
    total: float = 2.0


def an_ended(**changes: Any) -> Ended:
    """The usual call, but for the changes."""
    return replace(USUAL, **changes)


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample on a fresh page, under `name{label=value,…}` with the labels sorted."""
    found = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            inside = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            found[f"{sample.name}{{{inside}}}" if inside else sample.name] = sample.value
    return found


EVERYTHING = Gauges(
    attempts_in_flight=lambda: {"nano-1": 3, "gone-1": 9},
    held=lambda: 1_500_000,
    limited=lambda: {("key", "requests"): 2, ("team", "allowance"): 0},
    budgets=lambda: [
        Budget("key", 2_000_000_000, 0.5),
        Budget("key", 500_000_000, 0.1),
        Budget("key", 900_000_000, 2.0),
        Budget("team", 1_000_000_000, 0.7),
    ],
    stages=lambda: {"read": 0.25},
    turns=lambda: {"up": 4},
    loop_lag=lambda: 0.125,
    queues=lambda: {"log": 6},
    store=lambda: StoreFigures(
        "redis", up=False, errors={"lost": 2}, commands=9, round_trips=5, seconds=0.001
    ),
    shared_cache=lambda: {"near": 8},
    spans=lambda: {"dropped": 1},
    config=lambda: "abc123",
)
"""Every gauge kept by somebody."""
