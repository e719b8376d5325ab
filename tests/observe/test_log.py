import os
import threading

import orjson
import pytest

from gateway.ended import Attempted
from gateway.observe.lines import JsonLines, Remark
from gateway.observe.log import BATCH, LIMIT, CallLog, to_descriptor
from gateway.observe.metrics import Metrics
from gateway.observe.recording import Recording
from gateway.observe.text import Scrubber
from tests.observe.events import HandClock, a_catalog, an_ended, samples

FINE = Remark(0.0, "info", "test", "fine")


class Paper:
    """A writer that keeps what it is given, and fails while told to."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.failure: Exception | None = None

    def __call__(self, data: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        self.writes.append(data)

    def lines(self) -> list[dict[str, object]]:
        return [orjson.loads(line) for line in b"".join(self.writes).splitlines() if line]


def a_log(paper: Paper) -> CallLog:
    return CallLog(paper, JsonLines(Scrubber()), HandClock())


def test_nothing_is_written_on_the_path_of_a_call() -> None:
    paper = Paper()
    log = a_log(paper)

    log.ended(an_ended())
    log.remark(FINE)
    before = list(paper.writes)
    log.flush()

    assert before == []
    assert [line["event"] for line in paper.lines()] == ["call", "log"]
    assert paper.lines()[0]["ts"] == "2026-09-21T14:13:20.500Z"


def test_lines_leave_in_order_and_in_batches() -> None:
    paper = Paper()
    log = a_log(paper)

    for i in range(2 * BATCH + 1):
        log.ended(an_ended(id=f"call-{i}"))
    log.flush()

    assert len(paper.writes) == 3
    assert [line["request_id"] for line in paper.lines()] == [
        f"call-{i}" for i in range(2 * BATCH + 1)
    ]


def test_a_full_queue_loses_lines_counts_them_and_recovers() -> None:
    paper = Paper()
    log = a_log(paper)

    for _ in range(LIMIT):
        log.ended(an_ended())
    log.ended(an_ended(id="lost"))
    log.remark(FINE)
    lost = log.dropped
    log.flush()
    log.ended(an_ended(id="late"))
    log.flush()

    assert lost == log.dropped == 2
    assert len(paper.lines()) == LIMIT + 1
    assert paper.lines()[-1]["request_id"] == "late"


@pytest.mark.parametrize("failure", [OSError("disk full"), ValueError("closed file")])
def test_a_writer_that_fails_costs_its_batch_and_the_next_line_stands_alone(
    failure: Exception,
) -> None:
    paper = Paper()
    log = a_log(paper)
    log.ended(an_ended())
    paper.failure = failure
    log.flush()

    paper.failure = None
    paper.writes.append(b'{"cut')
    log.remark(FINE)
    log.flush()
    log.remark(FINE)
    log.flush()

    assert log.dropped == 1
    assert paper.writes[1].startswith(b"\n{")
    assert paper.writes[2].startswith(b"{")


def test_a_full_disk_loses_lines_and_nothing_else() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    log = CallLog(to_descriptor(descriptor), JsonLines(Scrubber()), HandClock())

    log.ended(an_ended())
    log.flush()
    os.close(descriptor)
    log.remark(FINE)
    log.flush()

    assert log.dropped == 2


def test_a_log_nobody_reads_never_holds_up_a_call() -> None:
    begun, release = threading.Event(), threading.Event()

    def stuck(data: bytes) -> None:
        begun.set()
        release.wait()

    log = CallLog(stuck, JsonLines(Scrubber()), HandClock())
    with log:
        log.ended(an_ended())
        assert begun.wait(5)

        for _ in range(LIMIT + 10):
            log.ended(an_ended())
        lost = log.dropped
        release.set()

    assert lost == 10


def test_the_log_writes_by_itself_and_what_waits_is_written_at_the_end() -> None:
    reading, writing = os.pipe()
    with CallLog(to_descriptor(writing), JsonLines(Scrubber()), HandClock()) as log:
        log.ended(an_ended(id="first"))
        first = os.read(reading, 4096)
        log.ended(an_ended(id="last"))
    os.close(writing)
    last = os.read(reading, 4096)
    os.close(reading)

    assert orjson.loads(first)["request_id"] == "first"
    assert orjson.loads(last)["request_id"] == "last"
    assert log.dropped == 0


def test_a_write_that_takes_a_part_is_carried_on() -> None:
    reading, writing = os.pipe()
    data = b"x" * 300_000
    received = bytearray()

    def read() -> None:
        while chunk := os.read(reading, 65536):
            received.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    to_descriptor(writing)(data)
    os.close(writing)
    reader.join()
    os.close(reading)

    assert received == data


def test_what_happened_is_counted_and_logged() -> None:
    paper = Paper()
    log = a_log(paper)
    metrics = Metrics(a_catalog(), HandClock())
    recording = Recording(metrics, log)

    recording.attempted(Attempted("full-1", "ok", 0.5))
    recording.ended(an_ended())
    log.flush()

    seen = samples(metrics)
    assert seen["gateway_attempts_total{deployment=full-1,outcome=ok}"] == 1
    assert seen["gateway_requests_total{outcome=ok,stream=false,tier=nano}"] == 1
    assert [line["request_id"] for line in paper.lines()] == ["call-1"]
