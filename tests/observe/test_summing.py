"""The figures of several workers as those of one."""

from collections.abc import Iterable

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from gateway.observe.board import Board, Shown
from gateway.observe.crew import Crew
from gateway.observe.families import FAMILIES, Kind
from gateway.observe.metrics import OPENMETRICS, Metrics, Seat
from gateway.observe.summing import join, lasting, pack, unpack
from gateway.spans import Trace
from tests.observe.events import HandClock, a_catalog, an_ended, samples

OK = "gateway_requests_total{outcome=ok,stream=false,tier=nano}"


def workers(count: int) -> list[Metrics]:
    crew = Crew(count)
    return [Metrics(a_catalog(), HandClock(), seat=Seat(crew, n, n + 1)) for n in range(count)]


def a_metric(kind: str, value: float, name: str = "a") -> Metric:
    metric = Metric(name, "What it says.", kind)
    metric.samples = [Sample(name, {"tier": "nano"}, value)]
    return metric


def value(metrics: Iterable[Metric]) -> float:
    [metric] = metrics
    return float(metric.samples[0].value)


def test_any_worker_shows_what_all_have_counted() -> None:
    several = workers(3)
    for number, metrics in enumerate(several):
        for _ in range(number + 1):
            metrics.ended(an_ended(seconds=0.5))
        metrics.show()

    pages = [samples(metrics) for metrics in several]

    assert [page[OK] for page in pages] == [6, 6, 6]
    assert pages[0]["gateway_request_seconds_count{tier=nano}"] == 6
    assert pages[0]["gateway_request_seconds_bucket{le=0.64,tier=nano}"] == 6
    assert pages[0]["gateway_request_seconds_sum{tier=nano}"] == 3.0


def test_a_worker_shows_its_own_calls_at_once_and_the_others_as_last_shown() -> None:
    one, other = workers(2)
    other.ended(an_ended())
    other.show()
    other.ended(an_ended())
    one.ended(an_ended())

    assert samples(one)[OK] == 2


def test_a_traced_call_is_an_example_whichever_worker_is_scraped() -> None:
    one, other = workers(2)
    one.ended(an_ended(seconds=0.5))
    traced = an_ended(seconds=0.5, trace=Trace("ab" * 16, "cd" * 8))
    other.ended(traced)
    other.exemplify(traced)
    other.show()

    page = one.render(OPENMETRICS).decode()

    bucket = 'gateway_request_seconds_bucket{le="0.64",tier="nano"} 2.0 # '
    [line] = [line for line in page.splitlines() if line.startswith(bucket)]
    assert line == f'{bucket}{{trace_id="{"ab" * 16}"}} 0.5'


def test_a_worker_alone_shows_nothing_to_anyone() -> None:
    alone = Metrics(a_catalog(), HandClock())
    alone.ended(an_ended())
    alone.show()

    assert samples(alone)[OK] == 1


def test_what_a_dead_worker_counted_stays_and_what_it_measured_goes() -> None:
    crew = Crew(2)
    crew.show(0, 1, [a_metric("counter", 5), a_metric("gauge", 7, "b")])
    mine = [a_metric("counter", 1), a_metric("gauge", 2, "b")]
    before = crew.together(1, mine)
    crew.bury(0, 1)
    buried = crew.together(1, mine)
    crew.bury(0, 1)
    again = crew.together(1, mine)
    crew.show(0, 3, [a_metric("counter", 10), a_metric("gauge", 1, "b")])
    reborn = crew.together(1, mine)

    assert [value([metric]) for metric in before] == [6, 9]
    assert [value([metric]) for metric in buried] == [6, 2]
    assert [value([metric]) for metric in again] == [6, 2]
    assert [value([metric]) for metric in reborn] == [16, 3]


def test_the_dead_are_counted_however_many_there_are() -> None:
    crew = Crew(2)
    for life in range(1, 40):
        crew.show(life % 2, life, [a_metric("counter", 1)])
        crew.bury(life % 2, life)

    assert value(crew.together(0, [])) == 39


def test_a_worker_that_never_showed_anything_is_buried_without_a_word() -> None:
    crew = Crew(1)
    crew.bury(0, 1)

    assert crew.together(0, []) == []


@pytest.mark.parametrize(
    ("name", "joined"),
    [
        ("gateway_in_flight", 3),
        ("gateway_breaker_open", 2),
        ("gateway_build", 2),
        ("process_resident_memory_bytes", 3),
        ("process_start_time_seconds", 1),
        ("python_info", 2),
    ],
)
def test_gauges_are_joined_as_they_declare(name: str, joined: float) -> None:
    assert value(join([[a_metric("gauge", 1, name)], [a_metric("gauge", 2, name)]])) == joined


def test_every_declared_family_survives_the_way_to_another_process() -> None:
    metrics = Metrics(a_catalog(), HandClock())
    metrics.ended(an_ended(stream=True, ttft=0.1))
    collected = list(metrics._registry.collect())

    arrived = unpack(pack(collected))

    assert [m.samples for m in arrived] == [m.samples for m in collected]
    declared = {f.name.removesuffix("_total"): f.kind for f in FAMILIES}
    grows = {m.name: declared[m.name] for m in lasting(arrived) if m.name in declared}
    assert set(grows.values()) == {Kind.COUNTER, Kind.HISTOGRAM}


def test_a_board_shows_the_last_that_fits() -> None:
    board = Board(2, side=64)

    assert board.look(0) is None
    assert board.show(0, Shown(1, b"one"))
    assert board.show(0, Shown(2, b"two"))
    assert not board.show(0, Shown(3, b"x" * 64))
    assert list(board.every()) == [(0, Shown(2, b"two"))]


def test_figures_that_were_torn_are_not_read() -> None:
    board = Board(1, side=64)
    board.show(0, Shown(1, b"whole"))
    board._memory[4096 + 64 + 16] ^= 1

    assert board.look(0) is None


def test_figures_too_large_to_show_are_said_and_not_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    crew = Crew(2)
    crew._board = Board(3, side=64)
    crew.show(0, 1, [a_metric("counter", 5)])

    assert crew.together(1, []) == []
    assert "too many" in caplog.text
