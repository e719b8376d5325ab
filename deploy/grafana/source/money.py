"""The board about money."""

from deploy.grafana.source.kinds import bars, lines, number
from deploy.grafana.source.shapes import (
    RANGE,
    RATE,
    SHARE_OF_ONE,
    Json,
    Query,
    board,
    tiers_coloured,
)

NO_BUDGETS = "No budgets are set"


def money() -> Json:
    """What is spent, what is saved, what budgets have left."""
    panels = (
        number(
            "Spent",
            "Within the time shown.",
            f"sum(increase(gateway_cost_usd_total{RANGE}))",
            unit="currencyUSD",
            width=4,
        ),
        number(
            "Saved by routing",
            "Against sending every call to the full tier, within the time shown.",
            f'sum(increase(gateway_saved_usd_total{{by="routing"}}{RANGE}))',
            unit="currencyUSD",
            width=4,
        ),
        number(
            "Saved by memory",
            "What replies from memory would have cost, within the time shown.",
            f'sum(increase(gateway_saved_usd_total{{by="cache"}}{RANGE}))',
            unit="currencyUSD",
            width=4,
        ),
        number(
            "A thousand calls",
            "What a thousand calls cost, at the pace of the last hour.",
            "1000 * gateway:cost_usd:rate1h / (gateway:calls:rate1h > 0)",
            unit="currencyUSD",
            width=4,
        ),
        number(
            "Held",
            "Set aside for calls under way; the rest goes back when they end.",
            "sum(gateway_held_usd)",
            unit="currencyUSD",
            width=4,
            empty=NO_BUDGETS,
        ),
        number(
            "Refused by limits",
            "Calls within the time shown that a budget or quota refused.",
            f"sum(increase(gateway_limited_total{RANGE})) or vector(0)",
            width=4,
            defaults={"decimals": 0},
        ),
        lines(
            "Spent by tier",
            "Dollars an hour.",
            Query(f"sum by (tier) (rate(gateway_cost_usd_total{RATE})) * 3600", "{{tier}}"),
            stacked=True,
            unit="currencyUSD",
            overrides=tiers_coloured(),
        ),
        lines(
            "Saved",
            "Dollars an hour, against sending every call to the full tier.",
            Query(f"sum by (by) (rate(gateway_saved_usd_total{RATE})) * 3600", "{{by}}"),
            stacked=True,
            unit="currencyUSD",
        ),
        lines(
            "Tokens bought",
            "Tokens a second; cached are part of prompt, reasoning of completion.",
            Query(f"sum by (kind) (rate(gateway_tokens_total{RATE}))", "{{kind}}"),
        ),
        lines(
            "Cached by the upstream",
            "Share of prompt tokens that were bought at the cached price.",
            Query(
                f'sum by (tier) (rate(gateway_tokens_total{{kind="cached"}}{RATE})) / '
                f'(sum by (tier) (rate(gateway_tokens_total{{kind="prompt"}}{RATE})) > 0)',
                "{{tier}}",
            ),
            unit="percentunit",
            overrides=tiers_coloured(),
            defaults=SHARE_OF_ONE,
        ),
        lines(
            "Refusals",
            "Calls within five minutes that a limit refused, by what kind of level it is.",
            Query(
                "sum by (level, limit) (increase(gateway_limited_total[5m])) > 0 or on () "
                'label_replace(vector(0), "limit", "none", "", "")',
                "{{level}} {{limit}}",
            ),
            width=24,
        ),
        bars(
            "Left of budgets",
            "Dollars left in the present window of the scarcest key, team and organisation.",
            Query("min by (level) (gateway_budget_remaining_usd)", "{{level}}"),
            unit="currencyUSD",
            defaults={"min": 0},
            empty=NO_BUDGETS,
        ),
        lines(
            "Pace of budgets",
            "Share spent divided by share of the window over, of the fastest: above 1 it will not "
            "last.",
            Query("max by (level) (gateway_budget_pace_ratio)", "{{level}}"),
            empty=NO_BUDGETS,
        ),
    )
    about = "Spend, savings, tokens, budgets."
    return board("tiergate-money", "Money", about, panels)
