from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from gateway.call import NO_USAGE, Usage
from gateway.ended import Attempted
from gateway.money import NanoUSD
from gateway.observe.families import FIRST_TOKEN_BUCKETS
from gateway.observe.gauges import Gauges
from gateway.observe.tally import ALIASES, Histogram
from tests.observe.counting import fresh_metrics
from tests.observe.events import an_ended, samples


def test_a_call_is_counted_once_in_every_family_it_touches() -> None:
    metrics = fresh_metrics()

    metrics.attempted(Attempted("nano-1", "ok", 0.7))
    metrics.ended(an_ended())

    seen = samples(metrics)
    gen_ai = (
        "gen_ai_operation_name=chat,gen_ai_provider_name=openai,"
        "gen_ai_request_model=gpt-4.1-nano,gen_ai_response_model=gpt-4.1-nano"
    )
    assert {name: seen[name] for name in seen if name.startswith("gateway_tokens")} == {
        f"gateway_tokens_total{{kind={kind},tier={tier}}}": count if tier == "nano" else 0
        for kind, count in (("prompt", 100), ("cached", 60), ("completion", 40), ("reasoning", 10))
        for tier in ("nano", "mini", "full", "none")
    }
    assert seen["gateway_requests_total{outcome=ok,stream=false,tier=nano}"] == 1
    assert seen["gateway_attempts_total{deployment=nano-1,outcome=ok}"] == 1
    assert seen["gateway_attempt_seconds_sum{deployment=nano-1}"] == 0.7
    assert seen["gateway_routed_total{reason=adequate,tier=nano}"] == 1
    assert seen["gateway_cost_usd_total{tier=nano}"] == 0.0000215
    assert seen["gateway_saved_usd_total{by=routing}"] == 0.0004085
    assert seen["gateway_cache_total{outcome=miss}"] == 1
    assert seen["gateway_overhead_seconds_bucket{le=0.0001}"] == 0
    assert seen["gateway_overhead_seconds_bucket{le=0.00025}"] == 1
    assert seen["gateway_request_seconds_bucket{le=0.64,tier=nano}"] == 0
    assert seen["gateway_request_seconds_bucket{le=1.28,tier=nano}"] == 1
    assert seen[f"gen_ai_client_token_usage_sum{{{gen_ai},gen_ai_token_type=input}}"] == 100
    assert seen[f"gen_ai_client_token_usage_sum{{{gen_ai},gen_ai_token_type=output}}"] == 40
    assert seen[f"gen_ai_server_request_duration_seconds_count{{{gen_ai}}}"] == 1
    assert not [name for name in seen if "ttft" in name or "first_token" in name]


def test_a_streamed_call_tells_its_first_token_and_the_pace_of_the_rest() -> None:
    metrics = fresh_metrics()

    metrics.ended(an_ended(stream=True, ttft=0.2, seconds=1.0, usage=Usage(10, 41)))

    seen = samples(metrics)
    assert seen["gateway_ttft_seconds_sum{tier=nano}"] == 0.2
    assert seen["gateway_time_per_output_token_seconds_sum{tier=nano}"] == pytest.approx(0.02)
    assert seen["gateway_requests_total{outcome=ok,stream=true,tier=nano}"] == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"usage": Usage(10, 1)},
        {"usage": NO_USAGE},
        {"ttft": 0.0},
        {"outcome": "upstream_truncated"},
        {"cache": "hit"},
    ],
    ids=str,
)
def test_no_pace_is_made_up_where_there_is_none(changes: dict[str, object]) -> None:
    metrics = fresh_metrics()

    metrics.ended(an_ended(**{"stream": True, "ttft": 0.2, "seconds": 1.0, **changes}))

    assert not [name for name in samples(metrics) if "per_output_token" in name]


def test_a_failed_call_names_its_error_and_a_whole_one_does_not() -> None:
    metrics = fresh_metrics()

    metrics.ended(an_ended())
    metrics.ended(an_ended(outcome="upstream_timeout", status=504, response_model=""))

    counts = [n for n in samples(metrics) if n.startswith("gen_ai_server_request_duration_sec")]
    failed = {name for name in counts if "error_type=upstream_timeout" in name}
    assert failed
    assert {name for name in counts if "error_type" in name} == failed
    assert len(failed) * 2 == len(counts)


@pytest.mark.parametrize("cache", ["hit", "shared"])
def test_a_reply_from_memory_buys_no_tokens_and_saves_by_cache(cache: str) -> None:
    metrics = fresh_metrics()

    metrics.ended(an_ended(cache=cache, reason="cache", cost=NanoUSD(0)))

    seen = samples(metrics)
    assert seen["gateway_tokens_total{kind=prompt,tier=nano}"] == 0
    assert seen["gateway_saved_usd_total{by=cache}"] == 0.0004085
    assert seen["gateway_saved_usd_total{by=routing}"] == 0
    assert seen[f"gateway_cache_total{{outcome={cache}}}"] == 1


def test_a_call_that_cost_more_than_the_full_tier_takes_nothing_back() -> None:
    metrics = fresh_metrics()

    metrics.ended(an_ended(saved=NanoUSD(1_000)))
    metrics.ended(an_ended(saved=NanoUSD(-5_000)))

    assert samples(metrics)["gateway_saved_usd_total{by=routing}"] == 0.000001


def test_a_call_that_was_never_routed_is_no_model_s() -> None:
    metrics = fresh_metrics()

    metrics.ended(
        an_ended(tier=None, model="", response_model="", outcome="caller_malformed", reason="none")
    )

    seen = samples(metrics)
    assert seen["gateway_requests_total{outcome=caller_malformed,stream=false,tier=none}"] == 1
    assert seen["gateway_routed_total{reason=none,tier=none}"] == 1
    assert not [name for name in seen if name.startswith("gen_ai")]


def test_ten_thousand_hostile_names_leave_the_series_as_they_were() -> None:
    metrics = fresh_metrics()
    known = an_ended(stream=True, ttft=0.1)
    metrics.ended(known)
    metrics.attempted(Attempted("nano-1", "ok", 0.1))
    stranger = an_ended(
        stream=True, ttft=0.1, response_model="?", outcome="?", reason="?", cache="?", model="?"
    )
    metrics.ended(stranger)
    metrics.attempted(Attempted("?", "?", 0.1))
    before = set(samples(metrics))

    for i in range(10_000):
        name = f"evil-{i}-{'x' * (i % 200)}"
        metrics.ended(
            an_ended(
                stream=True,
                ttft=0.1,
                requested=name,
                response_model=name,
                outcome=name,
                reason=name,
                cache=name,
                model=name,
            )
        )
        metrics.attempted(Attempted(name, name, 0.1))

    page = metrics.render("application/openmetrics-text").decode()
    after = {f for f in page.splitlines() if not f.startswith("#")}
    assert "evil" not in page
    assert len([line for line in after if line.startswith(("gateway_", "gen_ai_"))]) == len(
        [name for name in before if name.startswith(("gateway_", "gen_ai_"))]
    )
    assert len(metrics.cells()) == 2
    assert all(len(spellings) <= ALIASES for spellings in metrics._aliases)


def test_names_met_after_the_hostile_ones_are_still_counted_right() -> None:
    metrics = fresh_metrics()
    for i in range(ALIASES + 1):
        metrics.ended(an_ended(response_model=f"evil-{i}"))

    for _ in range(3):
        metrics.ended(an_ended(response_model="gpt-4.1"))

    cells = {cell.response_model: cell.whole for cell in metrics.cells()}
    assert cells == {"other": ALIASES + 1, "gpt-4.1": 3}


def test_gauges_are_read_when_the_page_is_made() -> None:
    metrics = fresh_metrics(
        Gauges(
            in_flight=lambda: 7,
            open_breakers=lambda: {"mini-1", "gone-1"},
            cache_bytes=lambda: 1024,
            cache_entries=lambda: 3,
            cache_evictions=lambda: 2,
            log_dropped=lambda: 5,
            spans=lambda: {"sent": 8},
        )
    )

    seen = samples(metrics)

    breakers = {n: v for n, v in seen.items() if n.startswith("gateway_breaker_open")}
    assert breakers == {
        "gateway_breaker_open{deployment=nano-1}": 0,
        "gateway_breaker_open{deployment=mini-1}": 1,
        "gateway_breaker_open{deployment=full-1}": 0,
    }
    assert seen["gateway_in_flight"] == 7
    assert seen["gateway_cache_bytes"] == 1024
    assert seen["gateway_cache_entries"] == 3
    assert seen["gateway_cache_evictions_total"] == 2
    assert seen["gateway_log_dropped_total"] == 5
    assert seen["gateway_spans_total{fate=sent}"] == 8
    assert seen["gateway_build_info{version=1.2.3}"] == 1


def test_a_model_s_end_is_told_in_seconds_since_the_epoch() -> None:
    seen = samples(fresh_metrics())

    ends = {n: v for n, v in seen.items() if n.startswith("gateway_model_shutdown")}

    # 2026-10-23T00:00:00Z
    assert ends == {"gateway_model_shutdown_timestamp_seconds{model=gpt-4.1-nano}": 1_792_713_600}


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=20))
@settings(max_examples=25, deadline=None)
def test_money_is_exact_to_the_nano_dollar(costs: list[int]) -> None:
    metrics = fresh_metrics()

    for cost in costs:
        metrics.ended(an_ended(cost=NanoUSD(cost)))

    page = metrics.render().decode()
    line = next(s for s in page.splitlines() if s.startswith('gateway_cost_usd_total{tier="nano"}'))
    assert Decimal(line.split()[-1]) == Decimal(sum(costs)) / 10**9


@given(st.lists(st.floats(0, 100), max_size=50))
@settings(deadline=None)
def test_a_histogram_counts_every_value_in_the_first_bucket_that_holds_it(
    values: list[float],
) -> None:
    histogram = Histogram(FIRST_TOKEN_BUCKETS)

    for value in values:
        histogram.observe(value)

    for i, bound in enumerate(FIRST_TOKEN_BUCKETS):
        assert sum(histogram.counts[: i + 1]) == sum(value <= bound for value in values)
    assert sum(histogram.counts) == len(values)
    assert histogram.sum == pytest.approx(sum(values))
