"""The boards about what was decided: overview, routing and quality."""

from deploy.grafana.source.kinds import lines, number, table
from deploy.grafana.source.shapes import RANGE, RATE, Json, Query, board, steps, tiers_coloured


def overview() -> Json:
    """What an operator looks at first."""
    panels = (
        number(
            "Calls",
            "Calls ended a second, five minutes' mean.",
            "gateway:calls:rate5m",
            unit="reqps",
        ),
        number(
            "Errors",
            "Share of calls that failed through no fault of their caller.",
            "gateway:errors:ratio5m",
            unit="percentunit",
            defaults=steps((0.01, "yellow"), (0.05, "red")),
        ),
        number(
            "Overhead p99",
            "What the gateway itself adds to a call.",
            "gateway:overhead_seconds:p99_5m",
            unit="s",
            defaults=steps((0.01, "yellow"), (0.025, "red")),
        ),
        number(
            "Spent",
            "Dollars spent upstream within the time shown.",
            f"sum(increase(gateway_cost_usd_total{RANGE}))",
            unit="currencyUSD",
        ),
        number(
            "Saved",
            "Of what sending every call to the full tier would have cost.",
            f"sum(increase(gateway_saved_usd_total{RANGE})) / (sum(increase(gateway_saved_usd_total"
            f"{RANGE})) + sum(increase(gateway_cost_usd_total{RANGE})) > 0)",
            unit="percentunit",
            defaults={"min": 0, "max": 1},
        ),
        number(
            "From memory",
            "Share of calls served by a kept reply or by an identical call under way.",
            "gateway:cache_served:ratio5m",
            unit="percentunit",
        ),
        number(
            "Gateways",
            "Gateways that answer Prometheus.",
            "count(gateway_build_info) or vector(0)",
            defaults=steps((1, "green"), first="red"),
        ),
        number(
            "Alerts",
            "Alerts that fire; the table below names them.",
            'count(ALERTS{alertstate="firing"}) or vector(0)',
            defaults=steps((1, "red")),
        ),
        lines(
            "Tiers",
            "Share of routed calls by the tier that answered.",
            Query("gateway:tier:ratio5m", "{{tier}}"),
            stacked=True,
            unit="percentunit",
            overrides=tiers_coloured(),
            defaults={"max": 1},
        ),
        lines(
            "Calls by outcome",
            "Calls ended a second: `ok` and everything else.",
            Query(f"sum by (outcome) (rate(gateway_requests_total{RATE}))", "{{outcome}}"),
            stacked=True,
            unit="reqps",
        ),
        lines(
            "Spent and saved",
            "Dollars an hour, at the pace of the last hour.",
            Query("gateway:cost_usd:rate1h * 3600", "spent"),
            Query("gateway:saved_usd:rate1h * 3600", "saved"),
            unit="currencyUSD",
        ),
        lines(
            "Time to the first token",
            "Streamed calls, as their callers saw it.",
            Query("gateway:ttft_seconds:p50_5m", "{{tier}} p50"),
            Query("gateway:ttft_seconds:p95_5m", "{{tier}} p95"),
            unit="s",
            overrides=tiers_coloured(),
        ),
        lines(
            "In flight",
            "Calls being served, by gateway.",
            Query("sum by (instance) (gateway_in_flight)", "{{instance}}"),
        ),
        table(
            "What fires",
            "Alerts that fire now; docs/operations.md says what to do about each.",
            Query(
                'max by (alertname, severity) (ALERTS{alertstate="firing"}) or on () '
                'label_replace(vector(0), "alertname", "nothing", "", "")',
                instant=True,
                table=True,
            ),
            names={"alertname": "Alert", "severity": "Severity", "Value": "Firing"},
        ),
    )
    return board("tiergate-overview", "Overview", "Calls, tiers, money, time, alerts.", panels)


def routing() -> Json:
    """Where calls went, why, and whether the predictions behind that hold."""
    panels = (
        lines(
            "Share of tiers",
            "Routed calls by the tier that answered.",
            Query(f'sum by (tier) (rate(gateway_routed_total{{tier!="none"}}{RATE}))', "{{tier}}"),
            stacked=True,
            unit="reqps",
            overrides=tiers_coloured(),
        ),
        lines(
            "Why",
            "Routed calls by the reason of their tier; docs/metrics.md explains each.",
            Query(
                f'sum by (reason) (rate(gateway_routed_total{{reason!="none"}}{RATE}))',
                "{{reason}}",
            ),
            stacked=True,
            unit="reqps",
        ),
        lines(
            "Not as first chosen",
            "Calls a second that went elsewhere: another deployment, a larger or a smaller tier.",
            *(
                Query(
                    f'sum(rate(gateway_routed_total{{reason="{reason}"}}{RATE})) or vector(0)',
                    reason,
                )
                for reason in ("fallback", "escalated", "downgraded")
            ),
            unit="reqps",
        ),
        table(
            "Tier and reason",
            "Calls within the time shown.",
            Query(
                "sum by (tier, reason) "
                f'(increase(gateway_routed_total{{reason!="none"}}{RANGE})) > 0',
                instant=True,
                table=True,
            ),
            names={"tier": "Tier", "reason": "Reason", "Value": "Calls"},
            options={"sortBy": [{"displayName": "Calls", "desc": True}]},
            defaults={"decimals": 0},
        ),
        table(
            "Sent and answered",
            "Models that were sent, and what the upstream says it ran.",
            Query(
                "sum by (gen_ai_request_model, gen_ai_response_model) "
                f"(increase(gen_ai_server_request_duration_seconds_count{RANGE})) > 0",
                instant=True,
                table=True,
            ),
            names={
                "gen_ai_request_model": "Sent",
                "gen_ai_response_model": "Answered",
                "Value": "Calls",
            },
            defaults={"decimals": 0},
        ),
        table(
            "Days of models left",
            "Until their makers switch them off; negative days are past.",
            Query(
                "min by (model) (gateway_model_shutdown_timestamp_seconds - time()) / 86400",
                instant=True,
                table=True,
            ),
            names={"model": "Model", "Value": "Days"},
            defaults={"decimals": 0, **steps((0, "orange"), (30, "green"), first="red")},
            empty="No announced end",
        ),
        lines(
            "Conversations",
            "Turns within five minutes, by whether the conversation changed its tier.",
            Query("sum by (move) (increase(gateway_conversation_turns_total[5m]))", "{{move}}"),
            width=24,
        ),
        lines(
            "Actual against predicted",
            "The middle call's actual figure divided by its prediction: 1 is right.",
            Query(
                "histogram_quantile(0.5, sum by (le, of, tier) "
                "(rate(gateway_prediction_ratio_bucket[15m])))",
                "{{of}} {{tier}}",
            ),
            width=12,
        ),
        lines(
            "Off by doublings",
            "How far the middle call is from its prediction over an hour: 1 is twice or half.",
            Query("gateway:prediction:doublings1h", "{{of}} {{tier}}"),
            width=12,
        ),
    )
    about = "Which tier answered and why; whether predictions hold; which models end."
    return board("tiergate-routing", "Routing and quality", about, panels)
