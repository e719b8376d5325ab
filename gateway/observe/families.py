"""Every metric family this process exposes, declared once.

The collector fills what is listed here and the documentation's reference is printed from it. Names
end in their unit; durations are seconds and money is dollars. Buckets of the `gen_ai_*` histograms
are Envoy AI Gateway's, so that boards made for it show this process too; ours use the same where
they measure the same.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

OVERHEAD_BUCKETS: Final = (
    *(0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5),
    *(0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
)
"""From 25 µs, the least a call can cost us, to a second, by when something is badly wrong."""

FIRST_TOKEN_BUCKETS: Final = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0),
)
PER_TOKEN_BUCKETS: Final = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
)
DURATION_BUCKETS: Final = tuple(0.01 * 2**n for n in range(14))
TOKEN_BUCKETS: Final = tuple(float(4**n) for n in range(14))

RATIO_BUCKETS: Final = (0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 2.0, 4.0, 10.0)
"""Around one, where a prediction was right: within a tenth, a quarter, a factor of two."""


class Kind(Enum):
    """What Prometheus calls the type of a family."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


class Across(Enum):
    """What a gauge of several workers is: what counts is always their sum."""

    SUM = "sum"
    HIGHEST = "highest"
    LOWEST = "lowest"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric family: its name as it is queried, its type, its help text and its labels."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    across: Across = Across.SUM


def _counter(name: str, help_text: str, *labels: str) -> Family:
    return Family(name, Kind.COUNTER, help_text, labels)


def _gauge(name: str, help_text: str, *labels: str, across: Across = Across.SUM) -> Family:
    return Family(name, Kind.GAUGE, help_text, labels, across=across)


def _histogram(name: str, help_text: str, buckets: tuple[float, ...], *labels: str) -> Family:
    return Family(name, Kind.HISTOGRAM, help_text, labels, buckets)


REQUESTS: Final = _counter(
    "gateway_requests_total", "Calls ended, however they ended.", "tier", "outcome", "stream"
)
ATTEMPTS: Final = _counter(
    "gateway_attempts_total", "Tries sent to a deployment.", "deployment", "outcome"
)
ATTEMPT_SECONDS: Final = _histogram(
    "gateway_attempt_seconds",
    "How long tries took, whatever their outcome.",
    DURATION_BUCKETS,
    "deployment",
)
ROUTED: Final = _counter(
    "gateway_routed_total", "Calls by the tier that answered and why it.", "tier", "reason"
)
TOKENS: Final = _counter(
    "gateway_tokens_total",
    "Tokens bought upstream (replies from memory buy none); cached are part of prompt, reasoning "
    "of completion.",
    "tier",
    "kind",
)
COST: Final = _counter("gateway_cost_usd_total", "Dollars spent upstream.", "tier")
SAVED: Final = _counter(
    "gateway_saved_usd_total",
    "Dollars not spent, against sending every call to the full tier; a call that cost more than "
    "that counts as zero.",
    "by",
)
PASSED: Final = _counter(
    "gateway_passed_total",
    "Requests passed on as they are, by the first part of their path below `/v1`.",
    "area",
    "outcome",
)
CACHE_LOOKUPS: Final = _counter("gateway_cache_total", "Calls by what memory did.", "outcome")
OVERHEAD: Final = _histogram(
    "gateway_overhead_seconds",
    "The part of a call's time that was the gateway's own, waiting for the upstream excluded.",
    OVERHEAD_BUCKETS,
)
STAGES: Final = _counter(
    "gateway_overhead_stage_seconds_total",
    "The same by stage; divided by gateway_overhead_seconds_count it is a stage's mean.",
    "stage",
)
FIRST_TOKEN: Final = _histogram(
    "gateway_ttft_seconds",
    "Streamed calls: from the request to the first token, as the caller saw it.",
    FIRST_TOKEN_BUCKETS,
    "tier",
)
PER_TOKEN: Final = _histogram(
    "gateway_time_per_output_token_seconds",
    "Streamed calls: the mean time between tokens after the first (replies from memory excluded).",
    PER_TOKEN_BUCKETS,
    "tier",
)
DURATION: Final = _histogram(
    "gateway_request_seconds",
    "From the request to the last byte of its reply.",
    DURATION_BUCKETS,
    "tier",
)
PREDICTION: Final = _histogram(
    "gateway_prediction_ratio",
    "What a routed call took over what it was expected to take: 1 is right, 2 is twice as much. "
    "Calls that went well and were not served from memory; times only of calls whose first "
    "attempt answered, TTFT only of streams.",
    RATIO_BUCKETS,
    "of",
    "tier",
)
DEADLINES: Final = _counter(
    "gateway_deadline_total",
    "Calls under a limit of time (deadline or TTFT, the caller's or its key's), by whether it was "
    "kept; those refused, or left by their caller, are not counted.",
    "kept",
)
IN_FLIGHT: Final = _gauge("gateway_in_flight", "Calls being served now.")
ATTEMPTS_IN_FLIGHT: Final = _gauge(
    "gateway_attempts_in_flight", "Tries under way at a deployment now.", "deployment"
)
BREAKER_OPEN: Final = _gauge(
    "gateway_breaker_open",
    "1 while a deployment rests behind its breaker.",
    "deployment",
    across=Across.HIGHEST,
)
LOOP_LAG: Final = _gauge(
    "gateway_loop_lag_seconds",
    "How late the event loop was, at worst, in the last ten to twenty seconds.",
    across=Across.HIGHEST,
)
QUEUES: Final = _gauge("gateway_queue_length", "What waits to be done.", "queue")
TURNS: Final = _counter(
    "gateway_conversation_turns_total",
    "Calls that belong to a conversation, by whether its tier moved.",
    "move",
)
HELD: Final = _gauge("gateway_held_usd", "Dollars set aside for calls under way.")
BUDGET_LEFT: Final = _gauge(
    "gateway_budget_remaining_usd",
    "Dollars left in the present window of the allowance that has least, as of its latest call.",
    "level",
    across=Across.LOWEST,
)
BUDGET_PACE: Final = _gauge(
    "gateway_budget_pace_ratio",
    "Share spent divided by share of the window that is over (at least a twentieth), of the "
    "allowance that goes fastest: above 1 it will not last.",
    "level",
    across=Across.HIGHEST,
)
LIMITED: Final = _counter(
    "gateway_limited_total",
    "Calls refused by a limit of their key, team or organisation.",
    "level",
    "limit",
)
CACHE_BYTES: Final = _gauge("gateway_cache_bytes", "Bytes held by replies kept in this process.")
CACHE_ENTRIES: Final = _gauge("gateway_cache_entries", "Replies kept in this process.")
CACHE_EVICTIONS: Final = _counter(
    "gateway_cache_evictions_total", "Replies given up for room before their time."
)
SHARED_CACHE: Final = _counter(
    "gateway_shared_cache_total",
    "What became of gets and puts of replies that all replicas share (with Redis).",
    "outcome",
)
STORE_UP: Final = _gauge(
    "gateway_store_up",
    "1 while the store of money, keys and quotas can be used.",
    "store",
    across=Across.LOWEST,
)
STORE_ERRORS: Final = _counter(
    "gateway_store_errors_total", "Failures of the store.", "store", "error"
)
STORE_COMMANDS: Final = _counter(
    "gateway_store_commands_total", "Commands sent to the store.", "store"
)
STORE_TRIPS: Final = _counter(
    "gateway_store_round_trips_total", "Round trips to the store: many commands share one.", "store"
)
STORE_SECONDS: Final = _gauge(
    "gateway_store_probe_seconds",
    "The round trip of the last probe of the store.",
    "store",
    across=Across.HIGHEST,
)
SHUTDOWN: Final = _gauge(
    "gateway_model_shutdown_timestamp_seconds",
    "When the model's maker switches it off, where announced, in seconds since the epoch.",
    "model",
    across=Across.HIGHEST,
)
SUCCEEDED: Final = _gauge(
    "gateway_model_succeeded",
    "1 while a deployment goes on with the successor of its model, which has ended.",
    *("deployment", "model", "successor"),
)
LOG_DROPPED: Final = _counter(
    "gateway_log_dropped_total", "Log lines lost because the log could not be written fast enough."
)
SPANS: Final = _counter(
    "gateway_spans_total", "Spans of traced calls, by what became of them.", "fate"
)
CONFIG: Final = Family(
    "gateway_config_info",
    Kind.INFO,
    "The configuration in use: replicas with different values are configured differently.",
    ("config",),
)
BUILD: Final = Family("gateway_build_info", Kind.INFO, "The version that is running.", ("version",))

GEN_AI_LABELS: Final = (
    "gen_ai_operation_name",
    "gen_ai_provider_name",
    "gen_ai_request_model",
    "gen_ai_response_model",
)
GEN_AI_TOKENS: Final = _histogram(
    "gen_ai_client_token_usage",
    "OpenTelemetry's gen_ai.client.token.usage: tokens per call.",
    TOKEN_BUCKETS,
    *GEN_AI_LABELS,
    "gen_ai_token_type",
)
GEN_AI_DURATION: Final = _histogram(
    "gen_ai_server_request_duration_seconds",
    "OpenTelemetry's gen_ai.server.request.duration; error_type only on calls that failed.",
    DURATION_BUCKETS,
    *GEN_AI_LABELS,
    "error_type",
)
GEN_AI_FIRST_TOKEN: Final = _histogram(
    "gen_ai_server_time_to_first_token_seconds",
    "OpenTelemetry's gen_ai.server.time_to_first_token.",
    FIRST_TOKEN_BUCKETS,
    *GEN_AI_LABELS,
)
GEN_AI_PER_TOKEN: Final = _histogram(
    "gen_ai_server_time_per_output_token_seconds",
    "OpenTelemetry's gen_ai.server.time_per_output_token.",
    PER_TOKEN_BUCKETS,
    *GEN_AI_LABELS,
)

FAMILIES: Final = (
    *(REQUESTS, ATTEMPTS, ATTEMPT_SECONDS, ROUTED, PASSED, TOKENS, COST, SAVED, CACHE_LOOKUPS),
    *(OVERHEAD, STAGES, FIRST_TOKEN, PER_TOKEN, DURATION, PREDICTION, DEADLINES),
    *(IN_FLIGHT, ATTEMPTS_IN_FLIGHT, BREAKER_OPEN, LOOP_LAG, QUEUES, TURNS),
    *(HELD, BUDGET_LEFT, BUDGET_PACE, LIMITED),
    *(CACHE_BYTES, CACHE_ENTRIES, CACHE_EVICTIONS, SHARED_CACHE),
    *(STORE_UP, STORE_ERRORS, STORE_COMMANDS, STORE_TRIPS, STORE_SECONDS),
    *(SHUTDOWN, SUCCEEDED, LOG_DROPPED, SPANS, CONFIG, BUILD),
    *(GEN_AI_TOKENS, GEN_AI_DURATION, GEN_AI_FIRST_TOKEN, GEN_AI_PER_TOKEN),
)
"""All of them, in the order they are exposed."""
