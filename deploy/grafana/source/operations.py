"""The boards about how it runs: latency, upstreams and reliability, cache."""

from deploy.grafana.source.kinds import heat, lines, number, states, table
from deploy.grafana.source.shapes import (
    RANGE,
    RATE,
    SHARE_OF_ONE,
    Json,
    Panel,
    Query,
    board,
    steps,
    tiers_coloured,
)

NOT_FAILED = 'outcome=~"gateway_.+|upstream_.+",outcome!="upstream_4xx"'
NO_REDIS = "No Redis is configured"
ONLY_MEMORY = "Nothing is kept outside this process"


def quantiles(title: str, about: str, metric: str, by: str, *shares: float) -> Panel:
    """Quantiles of a histogram of seconds over time, by one label or by none."""
    grouped = f"le, {by}" if by else "le"
    queries = (
        Query(
            f"histogram_quantile({share}, sum by ({grouped}) (rate({metric}_bucket{RATE})))",
            f"{{{{{by}}}}} p{share * 100:g}" if by else f"p{share * 100:g}",
        )
        for share in shares
    )
    overrides = tiers_coloured() if by == "tier" else ()
    return lines(title, about, *queries, unit="s", overrides=overrides)


def latency() -> Json:
    """How long calls take, and how much of that is the gateway's."""
    panels = (
        quantiles(
            "Time to the first token",
            "Streamed calls: from the request to the first token, as the caller saw it.",
            "gateway_ttft_seconds",
            "tier",
            0.5,
            0.95,
        ),
        quantiles(
            "Whole calls",
            "From the request to the last byte of its reply.",
            "gateway_request_seconds",
            "tier",
            0.5,
            0.95,
        ),
        quantiles(
            "Time per output token",
            "Streamed calls: the mean time between tokens after the first.",
            "gateway_time_per_output_token_seconds",
            "tier",
            0.5,
            0.95,
        ),
        quantiles(
            "Overhead",
            "The part of a call's time that was the gateway's own.",
            "gateway_overhead_seconds",
            "",
            0.5,
            0.95,
            0.99,
        ),
        quantiles(
            "Attempts",
            "How long tries at a deployment take, whatever their outcome.",
            "gateway_attempt_seconds",
            "deployment",
            0.5,
            0.95,
        ),
        lines(
            "Event loop",
            "How late the loop was, at worst, in the last seconds: every call waits for it.",
            Query("max by (instance) (gateway_loop_lag_seconds)", "{{instance}}"),
            unit="s",
        ),
        lines(
            "Where overhead goes",
            "The mean call's overhead by stage; docs/metrics.md explains each.",
            Query(
                f"sum by (stage) (rate(gateway_overhead_stage_seconds_total{RATE})) / on () "
                f"group_left () (sum(rate(gateway_overhead_seconds_count{RATE})) > 0)",
                "{{stage}}",
            ),
            stacked=True,
            unit="s",
            width=24,
        ),
        heat(
            "First tokens",
            "How often a first token took how long.",
            f"sum by (le) (increase(gateway_ttft_seconds_bucket{RATE}))",
            width=12,
        ),
        heat(
            "Overheads",
            "How often the gateway's own part took how long.",
            f"sum by (le) (increase(gateway_overhead_seconds_bucket{RATE}))",
            width=12,
        ),
    )
    about = "How long calls take, and how much of that is the gateway's own."
    return board("tiergate-latency", "Latency", about, panels)


def upstreams() -> Json:
    """Who answers, who fails, who rests; how the gateways themselves are."""
    panels = (
        lines(
            "Attempts",
            "Tries a second by deployment.",
            Query(f"sum by (deployment) (rate(gateway_attempts_total{RATE}))", "{{deployment}}"),
            stacked=True,
            unit="reqps",
        ),
        lines(
            "Failed attempts",
            "Share of a deployment's tries that failed through its own fault.",
            Query("gateway:attempts_failed:ratio5m", "{{deployment}}"),
            unit="percentunit",
            defaults=SHARE_OF_ONE,
        ),
        states(
            "Breakers",
            "Coloured while a deployment rests behind its breaker.",
            Query("max by (deployment) (gateway_breaker_open)", "{{deployment}}"),
            defaults=steps((1, "red")),
        ),
        table(
            "How attempts ended",
            "Within the time shown; docs/metrics.md explains each outcome.",
            Query(
                f"sum by (deployment, outcome) (increase(gateway_attempts_total{RANGE})) > 0",
                instant=True,
                table=True,
            ),
            names={"deployment": "Deployment", "outcome": "Outcome", "Value": "Attempts"},
            options={"sortBy": [{"displayName": "Attempts", "desc": True}]},
            defaults={"decimals": 0},
        ),
        lines(
            "Failed calls",
            "Calls a second that failed through no fault of their caller.",
            Query(f"sum(rate(gateway_requests_total{{{NOT_FAILED}}}{RATE})) or vector(0)", "all"),
            Query(
                f"sum by (outcome) (rate(gateway_requests_total{{{NOT_FAILED}}}{RATE})) or on () "
                'label_replace(vector(0), "outcome", "none", "", "")',
                "{{outcome}}",
            ),
            unit="reqps",
        ),
        lines(
            "Tries a call",
            "Tries divided by calls that needed one: above 1 something was tried again.",
            Query(
                f"sum(rate(gateway_attempts_total{RATE})) / (sum(rate(gateway_cache_total"
                f'{{outcome!~"hit|shared"}}{RATE})) > 0)',
                "tries a call",
            ),
            defaults={"min": 0, "decimals": 2},
        ),
        lines(
            "In flight",
            "Calls being served, by gateway.",
            Query("sum by (instance) (gateway_in_flight)", "{{instance}}"),
        ),
        states(
            "Stores",
            "Coloured while a gateway cannot reach its store.",
            Query("min by (store, instance) (gateway_store_up)", "{{store}} {{instance}}"),
            defaults=steps((1, "green"), first="red"),
            empty=ONLY_MEMORY,
        ),
        lines(
            "Attempts in flight",
            "Tries under way, by deployment.",
            Query("sum by (deployment) (gateway_attempts_in_flight)", "{{deployment}}"),
            stacked=True,
        ),
        lines(
            "Queues",
            "What waits to be done; docs/metrics.md explains each.",
            Query("max by (queue, instance) (gateway_queue_length)", "{{queue}} {{instance}}"),
        ),
        lines(
            "Failures of stores",
            "A second, by kind.",
            Query(
                f"sum by (store, error) (rate(gateway_store_errors_total{RATE}))",
                "{{store}} {{error}}",
            ),
            empty=ONLY_MEMORY,
        ),
        lines(
            "Round trips to Redis",
            "How long the last probe took.",
            Query("max by (store, instance) (gateway_store_probe_seconds)", "{{instance}}"),
            unit="s",
            empty=NO_REDIS,
        ),
        number(
            "Log lines lost",
            "Within the time shown.",
            f"sum(increase(gateway_log_dropped_total{RANGE}))",
            width=4,
            height=8,
            defaults={"decimals": 0, **steps((1, "red"))},
        ),
        number(
            "Starts",
            "Starts of gateways within the time shown, the first ones left out.",
            f'sum(changes(process_start_time_seconds{{job=~".*tiergate.*"}}{RANGE}))',
            width=4,
            height=8,
            defaults={"decimals": 0, **steps((1, "yellow"))},
        ),
        lines(
            "Processor",
            "Cores in use, by gateway.",
            Query(
                f'sum by (instance) (rate(process_cpu_seconds_total{{job=~".*tiergate.*"}}{RATE}))',
                "{{instance}}",
            ),
        ),
        lines(
            "Memory",
            "Resident bytes, by gateway.",
            Query(
                'sum by (instance) (process_resident_memory_bytes{job=~".*tiergate.*"})',
                "{{instance}}",
            ),
            unit="bytes",
        ),
        table(
            "Versions",
            "What runs where.",
            Query("max by (instance, version) (gateway_build_info)", instant=True, table=True),
            names={"instance": "Gateway", "version": "Version", "Value": "Runs"},
        ),
        table(
            "Configurations",
            "How many gateways run with which; more than one is an update under way or a mistake.",
            Query("count by (config) (gateway_config_info)", instant=True, table=True),
            names={"config": "Configuration", "Value": "Gateways"},
        ),
    )
    about = "Deployments, breakers, failures, stores, processes."
    return board("tiergate-upstreams", "Upstreams and reliability", about, panels)


def cache() -> Json:
    """What memory did."""
    panels = (
        number(
            "From memory",
            "Share of calls that a kept reply or an identical call served.",
            "gateway:cache_served:ratio5m",
            unit="percentunit",
            width=6,
        ),
        number(
            "Saved",
            "What those replies would have cost, within the time shown.",
            f'sum(increase(gateway_saved_usd_total{{by="cache"}}{RANGE}))',
            unit="currencyUSD",
            width=6,
        ),
        number("Kept replies", "Replies kept in processes.", "sum(gateway_cache_entries)", width=6),
        number("Memory", "Bytes they take.", "sum(gateway_cache_bytes)", unit="bytes", width=6),
        lines(
            "What memory did",
            "Calls a second: hit, shared with an identical call, miss, not looked for.",
            Query(f"sum by (outcome) (rate(gateway_cache_total{RATE}))", "{{outcome}}"),
            stacked=True,
            unit="reqps",
            width=12,
        ),
        lines(
            "Shares",
            "Of all calls: found, and of those looked for: found.",
            Query("gateway:cache_served:ratio5m", "of all"),
            Query(
                f'(sum(rate(gateway_cache_total{{outcome=~"hit|shared"}}{RATE})) or vector(0)) / '
                f'(sum(rate(gateway_cache_total{{outcome=~"hit|shared|miss"}}{RATE})) > 0)',
                "of those looked for",
            ),
            unit="percentunit",
            defaults=SHARE_OF_ONE,
            width=12,
        ),
        lines(
            "Kept",
            "Bytes by gateway.",
            Query("sum by (instance) (gateway_cache_bytes)", "{{instance}}"),
            unit="bytes",
        ),
        lines(
            "Given up for room",
            "Replies a second that had to go before their time.",
            Query(f"sum by (instance) (rate(gateway_cache_evictions_total{RATE}))", "{{instance}}"),
        ),
        lines(
            "Calls from memory",
            "Routed calls a second that memory served, by the tier that once answered.",
            Query(
                f'sum by (tier) (rate(gateway_routed_total{{reason="cache"}}{RATE})) or on () '
                'label_replace(vector(0), "tier", "none", "", "")',
                "{{tier}}",
            ),
            unit="reqps",
            overrides=tiers_coloured(),
        ),
        lines(
            "Shared by replicas",
            "Gets and puts a second; docs/metrics.md explains each outcome.",
            Query(f"sum by (outcome) (rate(gateway_shared_cache_total{RATE}))", "{{outcome}}"),
            unit="reqps",
            width=24,
            empty=NO_REDIS,
        ),
    )
    return board("tiergate-cache", "Cache", "What memory served, saved and took.", panels)
