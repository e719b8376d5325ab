"""The benchmark's own tools measure what they say they measure."""

import http.client
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import bodies, decision, report
from tests.bench.generator import Generator, Load, Run, Times
from tests.bench.processes import Recipe, Server, running
from tests.bench.report import Bar
from tests.bench.sampler import CallCounter, Sampler
from tests.bench.scenarios import Turn, added, ratio
from tests.bench.tools import BenchError, build, programs
from tests.processes import free_port

try:
    PROGRAMS = programs()
except BenchError as problem:
    pytest.skip(str(problem), allow_module_level=True)

NO_TIMES = Times(0, 0, 0, 0, 0, 0)
CORE = min(os.sched_getaffinity(0))
GAP_US = 1000
EVENTS = 50


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def built(place: Path) -> tuple[Path, Path]:
    return build(PROGRAMS["gcc"], place)


@pytest.fixture(scope="module")
def upstream(built: tuple[Path, Path], place: Path) -> Iterator[Server]:
    port = free_port()
    recipe = Recipe("the upstream", (str(built[0]), str(port), str(GAP_US)), port, strict=True)
    with running(recipe, taskset=PROGRAMS["taskset"], core=CORE, log=place / "log") as server:
        yield server


@pytest.fixture
def generator(built: tuple[Path, Path]) -> Generator:
    return Generator(built[1], PROGRAMS["taskset"], CORE)


@pytest.fixture(scope="module")
def written(place: Path) -> bodies.Bodies:
    return bodies.write(place)


def turn(rate: float, p50: float = 0.0) -> Turn:
    run = Run(1, 1.0, 1, rate, 0, 0, replace(NO_TIMES, p50=p50), NO_TIMES, NO_TIMES)
    return Turn(run, cpu=1.0)


def test_a_closed_loop_sends_again_as_soon_as_a_reply_is_whole(
    upstream: Server, generator: Generator, written: bodies.Bodies
) -> None:
    load = Load(written.routed, connections=4, seconds=0.2, warm=0.05, match="x-request-id: req_")

    run = generator.run(upstream.port, load)

    assert run.failed == 0
    assert run.measured > load.connections
    assert run.matched == run.measured
    assert run.calls == round(run.replies)
    assert 0 < run.latency.p50 <= run.latency.p99 <= run.latency.p999 <= run.latency.max


def test_an_open_loop_keeps_its_rate(
    upstream: Server, generator: Generator, written: bodies.Bodies
) -> None:
    load = Load(written.routed, connections=8, seconds=0.5, warm=0.0, rate=400.0)

    run = generator.run(upstream.port, load)

    assert run.failed == 0
    assert 100 < run.measured < 300


def test_a_stream_lasts_as_long_as_its_gaps(
    upstream: Server, generator: Generator, written: bodies.Bodies
) -> None:
    least_us = (EVENTS - 1) * GAP_US
    load = Load(written.streamed, connections=4, seconds=0.5, warm=0.0, spread=0.05)

    run = generator.run(upstream.port, load)

    assert run.failed == 0
    assert run.latency.p50 >= least_us
    assert run.ttft.p50 < run.latency.p50 / 2
    # On a busy machine both grow, and some pieces come together.
    assert GAP_US / 4 < run.gap.p50 <= 2 * run.latency.p50 / (EVENTS - 1)


def test_a_stream_ends_with_usage_only_when_it_was_asked_for(upstream: Server) -> None:
    asked = b'{"stream": true, "stream_options": {"include_usage": true}}'

    with_usage, without = (
        _post(upstream.port, body) for body in (asked, b'{"stream":true,"model":"auto"}')
    )

    assert with_usage.count(b"data: ") == EVENTS + 2
    assert b'"choices":[],"usage":{' in with_usage
    assert without.count(b"data: ") == EVENTS + 1
    assert with_usage.endswith(b"data: [DONE]\n\n")
    assert without.endswith(b"data: [DONE]\n\n")


def test_a_prompt_of_four_megabytes_is_taken_whole(
    upstream: Server, generator: Generator, written: bodies.Bodies
) -> None:
    run = generator.run(upstream.port, Load(written.huge, connections=2, seconds=0.3, warm=0.0))

    assert run.failed == 0
    assert run.measured > 5


def test_a_body_without_a_length_is_refused(upstream: Server) -> None:
    with socket.create_connection(("127.0.0.1", upstream.port), timeout=5) as client:
        client.sendall(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        answer = client.recv(4096)

    assert answer.startswith(b"HTTP/1.1 411 ")


def test_nobody_to_measure_is_an_error_with_words(
    generator: Generator, written: bodies.Bodies
) -> None:
    with pytest.raises(BenchError, match="gave up"):
        generator.run(free_port(), Load(written.routed, connections=1, seconds=0.1))


def test_a_server_that_ends_at_once_is_explained_by_its_log(place: Path) -> None:
    recipe = Recipe("it", (sys.executable, "-c", "raise SystemExit('no such key')"), free_port())

    with (
        pytest.raises(BenchError, match="no such key"),
        running(recipe, taskset=PROGRAMS["taskset"], core=CORE, log=place / "ended"),
    ):
        pass


def test_a_server_is_gone_afterwards(built: tuple[Path, Path], place: Path) -> None:
    port = free_port()
    recipe = Recipe("the upstream", (str(built[0]), str(port), "0"), port, strict=True)

    with running(recipe, taskset=PROGRAMS["taskset"], core=CORE, log=place / "gone") as server:
        alive = server.memory().rss
    status = Path(f"/proc/{server.pid}")

    assert alive > 0
    assert not status.exists()


def test_a_server_is_charged_its_own_cpu_time(
    upstream: Server, generator: Generator, written: bodies.Bodies
) -> None:
    before = upstream.cpu()

    generator.run(upstream.port, Load(written.routed, connections=8, seconds=0.3, warm=0.0))

    assert 0.02 < upstream.cpu() - before < 1.0


def test_missing_programs_are_named_with_their_packages() -> None:
    with pytest.raises(BenchError, match="apt-get install -y gcc libc6-dev nginx-light util-linux"):
        programs("/nowhere")


def test_source_that_does_not_compile_shows_the_compilers_words(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="does not compile"):
        build("false", tmp_path)


def test_rounds_are_compared_with_their_neighbours_and_the_middle_counts() -> None:
    nginx = [turn(100.0, 10.0), turn(50.0, 20.0), turn(100.0, 10.0)]
    gateway = [turn(30.0, 15.0), turn(15.0, 25.0), turn(90.0, 90.0)]

    share = ratio(gateway, nginx, lambda each: each.run.rate)
    delay = added(gateway, nginx, lambda each: each.run.latency.p50)

    assert share == pytest.approx(0.3)
    assert delay == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("value", "at_least", "verdict"),
    [
        (1.0, False, "met"),
        (1.05, False, "near"),
        (1.2, False, "missed"),
        (1.0, True, "met"),
        (0.95, True, "near"),
        (0.8, True, "missed"),
    ],
)
def test_a_bar_allows_for_noise_and_for_no_more(value: float, at_least: bool, verdict: str) -> None:
    bar = Bar("a", "b", "words", 1.0, at_least=at_least, slack=0.1)

    assert bar.verdict({"a": {"b": value}}) == verdict


def test_a_table_shows_what_was_run_and_judges_nothing_else(tmp_path: Path) -> None:
    results = {"crowd": {"share": 0.1, "nginx_calls_per_second": 12345.0}}

    shown = report.table(results)
    report.save(tmp_path / "new" / "bench.json", results, {"mode": "quick"})

    assert "12,345" in shown
    assert "streams" not in shown
    assert report.missed(results) == ["throughput as a share of nginx's: 0.1, promised ≥ 0.2"]
    assert '"verdict": "missed"' in (tmp_path / "new" / "bench.json").read_text()


def test_the_sampler_sees_where_time_goes() -> None:
    sampler = Sampler()

    sampler.start()
    while sampler.own.total() < 3:
        _burn()
    sampler.stop()

    assert any(name == "_burn" and own > 0 for _, _, name, own, _, _ in sampler.rows())


def test_the_counter_sees_every_call() -> None:
    counter = CallCounter()

    counter.start()
    _burn()
    _burn()
    counter.stop()

    assert [times for _, _, name, _, _, times in counter.rows() if name == "_burn"] == [2]


def _burn() -> int:
    return sum(range(20_000))


def _post(port: int, body: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", "/v1/chat/completions", body)
    answer = connection.getresponse().read()
    connection.close()
    return answer


def test_every_decision_of_the_benchmark_is_made_and_timed() -> None:
    figures = decision.measured(1, ((100, 3), (500, 2)))

    assert len(figures) == 8
    assert min(figures.values()) > 0
