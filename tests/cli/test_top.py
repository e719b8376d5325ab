"""`tiergate top`: what is read from a page of metrics, how it is drawn, and how it ends."""

import http.server
import io
import os
import pty
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from rich.console import Console

from gateway.cli.scraped import Scrape, Span, Unreachable, fetch
from gateway.cli.top import Top, frame, keyboard

PAGE = """
# HELP gateway_requests_total Calls ended.
process_start_time_seconds 1000.0
gateway_requests_total{{tier="nano",outcome="ok",stream="false"}} {calls}
gateway_requests_total{{tier="none",outcome="caller_\\"odd\\"",stream="false"}} 10
gateway_routed_total{{tier="nano",reason="adequate"}} {calls}
gateway_routed_total{{tier="full",reason="quality"}} 30
gateway_cost_usd_total{{tier="nano"}} 0.5
gateway_saved_usd_total{{by="routing"}} 2
gateway_in_flight 3
gateway_overhead_seconds_bucket{{le="0.0001"}} 60
gateway_overhead_seconds_bucket{{le="0.001"}} 99
gateway_overhead_seconds_bucket{{le="+Inf"}} 100
gateway_request_seconds_bucket{{le="1.5",tier="nano"}} 10
gateway_request_seconds_bucket{{le="+Inf",tier="nano"}} 10
gateway_cache_total{{outcome="hit"}} 25
gateway_cache_total{{outcome="miss"}} 75
gateway_breaker_open{{deployment="eu"}} 1
gateway_breaker_open{{deployment="us"}} 0
gateway_attempts_total{{deployment="us",outcome="ok"}} 50
gateway_attempts_total{{deployment="us",outcome="upstream_5xx"}} 50
nonsense
"""
BUDGET = """gateway_budget_remaining_usd{level="team:search"} 12.5
gateway_budget_pace_ratio{level="team:search"} 1.4
"""


def page(calls: int = 90, at: float = 0.0, more: str = "") -> Scrape:
    return Scrape(PAGE.format(calls=calls) + more, at, 1100.0)


def drawn(span: Span) -> str:
    out = io.StringIO()
    Console(file=out, width=140).print(frame("http://g", span))
    return out.getvalue()


def test_a_store_that_is_away_and_calls_that_are_refused_are_told_of() -> None:
    refused = 'gateway_limited_total{level="key",limit="allowance"} 7\n'

    assert "redis cannot be reached" in drawn(
        Span(page(more='gateway_store_up{store="redis"} 0\n'))
    )
    assert "7 calls refused" in drawn(Span(page(more=refused)))
    assert "refused" not in drawn(Span(page(more='gateway_store_up{store="redis"} 1\n')))


def test_a_first_look_shows_what_happened_since_the_start() -> None:
    text = drawn(Span(page(more=BUDGET)))

    assert "rates since it started" in text
    assert "1.0 calls/s · 10.0% failed · 3 in flight" in text
    assert "$18.0000/h spent, $72.0000/h saved" in text
    assert "overhead p50 ≤ 0.1 ms, p99 ≤ 1 ms" in text
    assert "cache hit 25%, miss 75%" in text
    assert [line.split()[:2] for line in text.splitlines() if line.startswith("nano")] == [
        ["nano", "75%"]
    ]
    assert "≤ 1.5 s" in text
    assert "open" in next(line for line in text.splitlines() if line.startswith("eu"))
    us = next(line for line in text.splitlines() if line.startswith("us"))
    assert us.split()[1:4] == ["closed", "1.0", "50.0%"]
    assert next(line for line in text.splitlines() if line.startswith("team")).split() == [
        *("team:search", "$12.50", "1.40"),
    ]


def test_later_looks_show_what_happened_since_the_last_ones() -> None:
    span = Span(page(190, at=15.0), page(90, at=5.0))
    restarted = Span(page(20, at=15.0), page(90, at=5.0))

    assert "rates of the last 10 s" in drawn(span)
    assert "10.0 calls/s" in drawn(span)
    assert restarted.gained("gateway_requests_total", outcome="ok") == 20
    assert span.quantile("gateway_overhead_seconds", 0.5) is None
    assert span.shares("gateway_cache_total", "outcome") == {}


def test_a_quantile_beyond_the_buckets_is_endless() -> None:
    assert Span(page()).quantile("gateway_overhead_seconds", 0.999) == float("inf")


def test_an_empty_page_draws_nothing_but_dashes() -> None:
    assert "0.0 calls/s" in drawn(Span(Scrape("", 0.0)))


def top(
    scrape: Callable[[], Scrape], wait: Callable[[float], bool], *, terminal: bool = True
) -> tuple[Top, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, width=100, height=30, force_terminal=terminal)
    return Top("http://g", console, scrape, wait, 2.0), out


def test_it_draws_until_it_is_told_to_stop_and_waits_for_a_gateway_that_is_gone() -> None:
    pages = iter([page(90, 0.0), None, page(190, 10.0)])
    waited: list[float] = []

    def scrape() -> Scrape:
        found = next(pages)
        if found is None:
            message = "http://g cannot be reached: refused"
            raise Unreachable(message)
        return found

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) == 3

    there, out = top(scrape, wait)

    assert there.run() == 0
    assert waited == [2.0, 2.0, 2.0]
    assert "still trying" in out.getvalue()
    assert "10.0 calls/s" in out.getvalue()


def test_an_interrupt_stops_it_like_q() -> None:
    def interrupted(_seconds: float) -> bool:
        raise KeyboardInterrupt

    there, _ = top(page, interrupted)

    assert there.run() == 0


def test_once_prints_one_frame() -> None:
    there, out = top(page, lambda _: True, terminal=False)

    assert there.once() == 0
    assert "calls/s" in out.getvalue()


@pytest.mark.parametrize(("typed", "stops"), [(b"q", True), (b"x", False)])
def test_q_stops_and_the_terminal_is_as_before(typed: bytes, stops: bool) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as stdin:
        with keyboard(stdin) as wait:
            assert wait(0.0) is False
            os.write(ours, typed)
            assert wait(5.0) is stops
        os.close(ours)


def test_without_a_terminal_the_end_of_the_input_stops() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "r") as stdin, keyboard(stdin) as wait:
        assert wait(0.0) is False
        os.close(writing)
        assert wait(5.0) is True


@contextmanager
def serving(status: int) -> Iterator[str]:
    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = status if self.path == "/metrics" else 404
            self.send_response(found)
            self.end_headers()
            self.wfile.write(b"gateway_in_flight 2\n")

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_page_is_fetched_and_its_absence_told() -> None:
    with serving(200) as url:
        assert fetch(url, 1.0, 2.0).total("gateway_in_flight") == 2
        assert fetch(f"http://{url}/", 1.0, 2.0).at == 1.0
    with serving(403) as closed, pytest.raises(Unreachable, match="its own machine only"):
        fetch(closed, 1.0, 2.0)
    with pytest.raises(Unreachable, match="cannot be reached"):
        fetch(url, 1.0, 2.0)


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:abc", "http://[x", ""])
def test_what_is_no_address_is_said_to_be_none(url: str) -> None:
    with pytest.raises(Unreachable, match="is no address of a gateway"):
        fetch(url, 1.0, 2.0)
