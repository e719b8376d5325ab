"""Figures of others on the page: every word of a closed set, and nothing where nobody keeps any."""

from functools import partial

from gateway.flow.tallies import RANKS, STAGES, Tallies
from gateway.observe import labels
from gateway.observe.crew import Crew
from gateway.observe.gauges import Gauges, StoreFigures
from gateway.observe.metrics import Metrics, Seat
from gateway.store.redis.faults import KINDS
from tests.observe.counting import fresh_metrics
from tests.observe.events import EVERYTHING, HandClock, a_catalog, samples


def test_figures_are_spelled_as_declared() -> None:
    seen = samples(fresh_metrics(EVERYTHING))

    assert {name: seen[name] for name in EXPECTED} == EXPECTED
    assert not [name for name in seen if "gone-1" in name]


EXPECTED = {
    "gateway_attempts_in_flight{deployment=nano-1}": 3,
    "gateway_attempts_in_flight{deployment=full-1}": 0,
    "gateway_held_usd": 0.0015,
    "gateway_limited_total{level=key,limit=requests}": 2,
    "gateway_limited_total{level=team,limit=allowance}": 0,
    "gateway_overhead_stage_seconds_total{stage=read}": 0.25,
    "gateway_conversation_turns_total{move=up}": 4,
    "gateway_loop_lag_seconds": 0.125,
    "gateway_queue_length{queue=log}": 6,
    "gateway_store_up{store=redis}": 0,
    "gateway_store_errors_total{error=lost,store=redis}": 2,
    "gateway_store_commands_total{store=redis}": 9,
    "gateway_store_round_trips_total{store=redis}": 5,
    "gateway_shared_cache_total{outcome=near}": 8,
    "gateway_config_info{config=abc123}": 1,
}


def test_of_many_allowances_the_scarcest_and_the_fastest_are_told() -> None:
    seen = samples(fresh_metrics(EVERYTHING))

    assert {name: seen[name] for name in seen if "budget" in name} == {
        "gateway_budget_remaining_usd{level=key}": 0.5,
        "gateway_budget_remaining_usd{level=team}": 1.0,
        "gateway_budget_pace_ratio{level=key}": 2.0,
        "gateway_budget_pace_ratio{level=team}": 0.7,
    }


def test_a_store_that_is_not_probed_has_no_round_trip_and_none_has_no_series() -> None:
    disk = Gauges(store=lambda: StoreFigures("disk", up=True, errors={"disk": 0}))

    told, none = samples(fresh_metrics(disk)), samples(fresh_metrics())

    assert told["gateway_store_up{store=disk}"] == 1
    assert not [name for name in told if "probe_seconds" in name]
    assert not [name for name in none if "gateway_store" in name]


def test_the_documented_words_are_those_that_are_counted() -> None:
    assert tuple(labels.STAGES) == STAGES
    assert set(labels.MOVES) == set(Tallies().turns)
    assert sorted(labels.STORE_ERRORS) == sorted(KINDS)
    assert set(RANKS.values()) == {"key", "team", "organisation"}


def test_a_store_that_one_of_several_workers_cannot_reach_is_not_up() -> None:
    crew = Crew(2)
    one, other = (
        Metrics(
            a_catalog(),
            HandClock(),
            Gauges(store=partial(StoreFigures, "redis", up, {}, seconds=0.25)),
            seat=Seat(crew, number, number + 1),
        )
        for number, up in enumerate((True, False))
    )
    other.show()

    seen = samples(one)

    assert seen["gateway_store_up{store=redis}"] == 0
    assert seen["gateway_store_probe_seconds{store=redis}"] == 0.25
