"""The settings of a LiteLLM proxy beside its models, as a table.

Each is taken over, is so here anyway (and goes unmentioned), means something else, is said
elsewhere, or has no equivalent. A name that is in no table has none.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.settings.litellm_models import number
from gateway.settings.litellm_notes import Kind, Notes, reference
from gateway.settings.units import MAX_SECONDS


class Setting(NamedTuple):
    """A setting to write: its section and name, its value as YAML, and why."""

    section: str
    name: str
    value: str
    why: str


Taken = Callable[[object, str], Setting | None]
_MOST_ATTEMPTS = 10
_KEYS = "keys carry it: tiergate keys create NAME --allowance 100usd/month --rpm 60"
_REDIS = "one variable: GATEWAY_REDIS_URL=redis://:PASSWORD@HOST:PORT/0"
_FALLBACKS = (
    "a deployment that fails is followed by another of its tier, then the tier above; a caller's "
    "`models` names others"
)
_LOGGING = "no callbacks: /metrics speaks Prometheus, and the log has a JSON line a call"
_OWN_KEYS = (
    "each client gets a key of its own: tiergate keys create NAME; without keys only this machine "
    "may call"
)
_DATABASE = "no database is needed; keys and spend are kept by the gateway's own store"


def rest(values: Mapping[str, Any], found: Notes) -> list[Setting]:
    """The settings to write, each once; `found` tells of the others."""
    made: dict[tuple[str, str], Setting] = {}
    cache = Setting("cache", "policy", "off", "LiteLLM keeps no replies unless told to")
    made["cache", "policy"] = cache
    for section, said in values.items():
        if section in {"model_list", "credential_list"}:
            continue
        if section not in _SECTIONS:
            kind, words = _TOP.get(section, _UNKNOWN)
            found.add(kind, section, words)
        elif isinstance(said, dict):
            for name, value in said.items():
                _one(f"{section}.{name}", name, value, made, found)
    return list(made.values())


def _one(
    place: str, name: str, value: object, made: dict[tuple[str, str], Setting], found: Notes
) -> None:
    if name == "cache_params" and isinstance(value, dict):
        for inner, said in value.items():
            _one(f"{place}.{inner}", f"cache_params.{inner}", said, made, found)
    elif name in _TAKEN:
        setting = _TAKEN[name](value, place)
        if setting is not None:
            made[setting.section, setting.name] = setting
        else:
            found.add(Kind.LOST, place, "has a value that has no equivalent")
    elif value is False or value is None or name in _SO_ANYWAY or (name, value) in _STORES:
        # Off, it asks for nothing.
        return
    else:
        kind, words = _TOLD.get(name) or _like(name) or _UNKNOWN
        found.add(kind, place, words)


def _like(name: str) -> tuple[Kind, str] | None:
    """What is said of all names that begin alike."""
    return next((said for start, said in _BEGINNINGS if name.startswith(start)), None)


def _duration(section: str, name: str) -> Taken:
    def take(value: object, place: str) -> Setting | None:
        if (named := reference(value)) is not None:
            return Setting(section, name, named, place)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        fits = 0 < value <= MAX_SECONDS
        return Setting(section, name, f"{value:.12g}s", place) if fits else None

    return take


def _count(section: str, name: str, *, add: int = 0, most: int | None = None) -> Taken:
    def take(value: object, place: str) -> Setting | None:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            return None
        total = value + add
        if total < 1:
            return None
        return Setting(section, name, str(total if most is None else min(total, most)), place)

    return take


def _cached(value: object, place: str) -> Setting:
    policy = "all" if value is True else "off"
    return Setting("cache", "policy", policy, f"{place}: LiteLLM keeps every reply, or none")


def _mode(value: object, place: str) -> Setting:
    policy = "off" if value == "default_off" else "all"
    return Setting("cache", "policy", policy, f"{place}: callers ask with `cache` in their body")


def _logged(value: object, place: str) -> Setting:
    return Setting("log", "format", "json" if value is True else "auto", place)


def _verbose(value: object, place: str) -> Setting:
    return Setting("log", "level", "debug" if value is True else "info", place)


def _body(value: object, place: str) -> Setting | None:
    megabytes = number(value)
    return Setting("server", "max_body", f"{megabytes}MiB", place) if megabytes else None


_TAKEN: Mapping[str, Taken] = {
    "num_retries": _count("upstream", "max_attempts", add=1, most=_MOST_ATTEMPTS),
    "timeout": _duration("upstream", "total_timeout"),
    "request_timeout": _duration("upstream", "total_timeout"),
    "stream_timeout": _duration("upstream", "first_byte_timeout"),
    "allowed_fails": _count("breaker", "failures", add=1),
    "cooldown_time": _duration("breaker", "cooldown"),
    "cache": _cached,
    "cache_params.ttl": _duration("cache", "ttl"),
    "cache_params.mode": _mode,
    "json_logs": _logged,
    "set_verbose": _verbose,
    "global_max_parallel_requests": _count("server", "max_calls_in_flight"),
    "max_request_size_mb": _body,
}
_SO_ANYWAY = frozenset((
    *("enable_pre_call_checks", "turn_off_message_logging", "redact_user_api_key_info"),
    *("telemetry", "retry_after", "disable_master_key_return", "model_group_alias"),
    *("disable_adding_master_key_hash_to_db", "disable_spend_logs", "disable_reset_budget"),
    *("forward_openai_org_id", "disable_hf_tokenizer_download"),
))  # fmt: skip
_STORES = (("cache_params.type", "local"), ("cache_params.type", "redis"))
_UNKNOWN = (Kind.LOST, "has no equivalent")
_TOLD: Mapping[str, tuple[Kind, str]] = {
    "routing_strategy": (
        Kind.DIFFERS,
        "a tier is chosen by difficulty, cost and time, and within it a deployment by weight",
    ),
    "routing_strategy_args": (Kind.DIFFERS, "see routing_strategy"),
    "fallbacks": (Kind.DIFFERS, _FALLBACKS),
    "default_fallbacks": (Kind.DIFFERS, _FALLBACKS),
    "context_window_fallbacks": (
        Kind.DIFFERS,
        "a prompt is counted first, and sent to a tier whose window holds it",
    ),
    "retry_policy": (Kind.DIFFERS, "upstream.max_attempts counts for every kind of failure"),
    "allowed_fails_policy": (Kind.DIFFERS, "breaker.failures counts for every kind of failure"),
    "drop_params": (
        Kind.DIFFERS,
        "parameters reach the upstream as the caller wrote them, which may refuse them",
    ),
    "master_key": (Kind.ELSEWHERE, _OWN_KEYS),
    "max_budget": (Kind.ELSEWHERE, _KEYS),
    "budget_duration": (Kind.ELSEWHERE, _KEYS),
    "max_parallel_requests": (Kind.ELSEWHERE, _KEYS),
    "allow_requests_on_db_unavailable": (
        Kind.ELSEWHERE,
        "keys say what becomes of their calls in an outage: fail_open or fail_closed",
    ),
    "store_model_in_db": (
        Kind.DIFFERS,
        "models live in this file only: add those that were added by hand",
    ),
    "cache_params.namespace": (Kind.DIFFERS, "callers say it: x-gateway-cache: namespace=NAME"),
    "cache_params.supported_call_types": (Kind.DIFFERS, "replies to chat calls are kept"),
    "callbacks": (Kind.DIFFERS, _LOGGING),
    "success_callback": (Kind.DIFFERS, _LOGGING),
    "failure_callback": (Kind.DIFFERS, _LOGGING),
}
_BEGINNINGS: tuple[tuple[str, tuple[Kind, str]], ...] = (
    ("redis_", (Kind.ELSEWHERE, _REDIS)),
    ("cache_params.host", (Kind.ELSEWHERE, _REDIS)),
    ("cache_params.port", (Kind.ELSEWHERE, _REDIS)),
    ("cache_params.p", (Kind.ELSEWHERE, _REDIS)),
    ("cache_params.url", (Kind.ELSEWHERE, _REDIS)),
    ("cache_params.redis_", (Kind.ELSEWHERE, _REDIS)),
    ("cache_params.ssl", (Kind.ELSEWHERE, "a URL that begins with rediss://")),
    ("service_callback", (Kind.DIFFERS, _LOGGING)),
    ("database_", (Kind.DIFFERS, _DATABASE)),
    ("proxy_batch_", (Kind.DIFFERS, _DATABASE)),
    ("proxy_budget_", (Kind.DIFFERS, _DATABASE)),
    ("default_internal_user", (Kind.ELSEWHERE, _KEYS)),
    ("max_internal_user", (Kind.ELSEWHERE, _KEYS)),
    ("internal_user_", (Kind.ELSEWHERE, _KEYS)),
    ("default_team", (Kind.ELSEWHERE, _KEYS)),
    ("default_key_generate", (Kind.ELSEWHERE, _KEYS)),
    ("upperbound_key_", (Kind.ELSEWHERE, _KEYS)),
    ("background_health_", (Kind.DIFFERS, "breakers learn from real calls; no probe costs money")),
    ("health_check_", (Kind.DIFFERS, "breakers learn from real calls; no probe costs money")),
)
_SECTIONS = frozenset(("router_settings", "litellm_settings", "general_settings"))
_PASSED = "these endpoints pass through to catalog.base_url"
_TOP: Mapping[str, tuple[Kind, str]] = {
    "environment_variables": (Kind.ELSEWHERE, "set them in the process's environment"),
    "include": (Kind.LOST, "import each file by itself, and put the results together"),
    "files_settings": (Kind.DIFFERS, _PASSED),
    "finetune_settings": (Kind.DIFFERS, _PASSED),
    "callback_settings": (Kind.DIFFERS, _LOGGING),
}
