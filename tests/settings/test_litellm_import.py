"""LiteLLM configurations become ours: they load, fit together, and hold no secret."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from textwrap import dedent

import pytest
from rich.console import Console

from gateway.catalog import TIERS_BY_LABEL, Catalog
from gateway.cli.work import Desk
from gateway.money import NanoUSD
from gateway.prices import Price
from gateway.settings.catalog import build
from gateway.settings.complaints import SettingsError
from gateway.settings.litellm import Import, imported
from gateway.settings.litellm_notes import Kind
from gateway.settings.load import load
from gateway.settings.schema import Settings
from tests.settings import litellm_configs as configs

From = Callable[[str], Import]


@pytest.fixture
def made(tmp_path: Path) -> From:
    """Imports a LiteLLM configuration written in a test."""

    def from_text(text: str) -> Import:
        path = tmp_path / "config.yaml"
        path.write_text(dedent(text), encoding="utf-8")
        return imported(path)

    return from_text


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[Import], tuple[Settings, Catalog]]:
    """Loads what an import made."""

    def of(result: Import) -> tuple[Settings, Catalog]:
        path = tmp_path / "tiergate.yaml"
        path.write_text(result.text, encoding="utf-8")
        settings = load(path, environment(result))
        return settings, build(settings)

    return of


def environment(result: Import) -> Mapping[str, str]:
    """A value for every variable a file needs."""
    return {
        name: "https://spare.openai.azure.com" if "BASE" in name else f"sk-{name.lower()}-9"
        for name in result.variables
    }


def models(catalog: Catalog) -> list[str]:
    return [catalog.models_by_tier[tier].name for tier in TIERS_BY_LABEL.values()]


def told(result: Import, kind: Kind) -> set[str]:
    return {finding.place for finding in result.findings if finding.kind is kind}


@pytest.mark.parametrize("name", configs.EVERY)
def test_what_is_written_passes_the_check(name: str, made: From, tmp_path: Path) -> None:
    result = made(configs.EVERY[name])
    path = tmp_path / "tiergate.yaml"
    path.write_text(result.text, encoding="utf-8")
    desk = Desk(
        product=lambda: pytest.fail("nothing is served"),
        environ=environment(result),
        today=lambda: date(2026, 10, 1),
        out=Console(file=StringIO(), width=200),
        err=Console(file=StringIO(), width=200),
        stdin=StringIO(),
    )

    assert desk.check(path) == 0


@pytest.mark.parametrize("name", configs.EVERY)
def test_no_secret_is_copied(name: str, made: From) -> None:
    result = made(configs.EVERY[name])
    everything = result.text + "".join(str(finding) for finding in result.findings)

    assert [secret for secret in configs.SECRETS if secret in everything] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai family", ["gpt-4.1-nano", "gpt-4.1-mini", "gpt-4.1"]),
        ("azure balanced", ["prod-gpt41-mini", "prod-gpt41-mini", "gpt-4o"]),
        ("mixed providers", ["llama-3.1-8b-instant", "deepseek-chat", "claude-sonnet-4-5"]),
        ("local servers", ["llama3.1", "llama3.1", "Qwen/Qwen2.5-72B-Instruct"]),
        ("one model with budgets", ["gpt-5.4-mini-2026-03-17"] * 3),
        ("many models", ["gpt-5.6-luna", "gpt-4.1", "gpt-6-astra"]),
    ],
)
def test_models_find_their_tiers(
    name: str,
    expected: list[str],
    made: From,
    loaded: Callable[[Import], tuple[Settings, Catalog]],
) -> None:
    assert models(loaded(made(configs.EVERY[name]))[1]) == expected


def test_azure_deployments_share_a_tier_by_their_rates(
    made: From, loaded: Callable[[Import], tuple[Settings, Catalog]]
) -> None:
    result = made(configs.AZURE_BALANCED)
    settings, catalog = loaded(result)
    full = catalog.tiers[TIERS_BY_LABEL["full"]]

    assert [(d.base_url, d.weight) for d in full] == [
        ("https://eu.openai.azure.com/openai/v1", 100),
        ("https://ca.openai.azure.com/openai/v1", 33),
    ]
    assert catalog.models_by_tier[TIERS_BY_LABEL["mini"]].price.prompt == 400
    assert "small" in catalog.reroute
    assert settings.upstream.max_attempts == 3
    assert settings.upstream.total_timeout == 30
    assert (settings.breaker.failures, settings.breaker.cooldown) == (4, 60)
    assert told(result, Kind.LOST) == {"model_list[2] (my-gpt4o-spare)"}
    assert "router_settings.redis_password" in told(result, Kind.ELSEWHERE)


def test_literal_secrets_become_variables_of_their_own(
    made: From, loaded: Callable[[Import], tuple[Settings, Catalog]]
) -> None:
    result = made(configs.MANY_MODELS)
    nano = loaded(result)[1].tiers[TIERS_BY_LABEL["nano"]]

    assert result.variables == ("OPENAI_API_KEY", "OPENAI_API_KEY_2")
    assert [(d.key.reveal(), d.weight) for d in nano] == [
        ("sk-openai_api_key-9", 100),
        ("sk-openai_api_key_2-9", 11),
    ]


def test_a_literal_secret_never_takes_the_name_of_another(made: From) -> None:
    result = made(
        """
        model_list:
          - {model_name: a, litellm_params: {model: gpt-4.1, api_key: sk-first-literal}}
          - {model_name: b, litellm_params: {model: gpt-4.1-mini}}
          - {model_name: c, litellm_params: {model: gpt-4o, api_key: os.environ/OPENAI_API_KEY_2}}
        """
    )

    assert set(result.variables) == {"OPENAI_API_KEY", "OPENAI_API_KEY_2", "OPENAI_API_KEY_3"}


def test_a_keyless_server_never_sees_another_key(
    made: From, loaded: Callable[[Import], tuple[Settings, Catalog]]
) -> None:
    catalog = loaded(made(configs.LOCAL_SERVERS))[1]

    assert {d.key.reveal() for d in catalog.deployments()} == {"unused"}
    assert {d.base_url for d in catalog.deployments()} == {
        "http://localhost:11434/v1",
        "http://vllm.internal:8000/v1",
    }


def test_what_is_known_of_a_model_is_kept(
    made: From, loaded: Callable[[Import], tuple[Settings, Catalog]]
) -> None:
    catalog = loaded(made(configs.MIXED_PROVIDERS))[1]
    nano, mini, full = (catalog.models_by_tier[t] for t in sorted(catalog.models_by_tier))

    assert (nano.price.prompt, nano.price.completion) == (50, 80)
    assert (full.price.prompt, full.price.completion) == (3_000, 15_000)
    assert "GUESS" in made(configs.MIXED_PROVIDERS).text
    assert mini.price.prompt == 2_000


def test_other_settings_are_taken_over_or_told(
    made: From, loaded: Callable[[Import], tuple[Settings, Catalog]]
) -> None:
    mixed = loaded(made(configs.MIXED_PROVIDERS))[0]
    local = loaded(made(configs.LOCAL_SERVERS))[0]
    result = made(configs.ONE_MODEL_WITH_BUDGETS)
    server = loaded(result)[0].server

    assert (mixed.cache.policy, mixed.cache.ttl, mixed.upstream.max_attempts) == ("all", 300, 10)
    assert (local.log.level, local.log.format, local.cache.policy) == ("debug", "json", "off")
    assert (server.max_calls_in_flight, server.max_body) == (500, 16 * 2**20)
    assert {
        "litellm_settings.max_budget",
        "litellm_settings.default_internal_user_params",
        "general_settings.master_key",
        "environment_variables",
    } <= told(result, Kind.ELSEWHERE)
    assert "general_settings.database_url" in told(result, Kind.DIFFERS)
    assert told(result, Kind.LOST) == {"general_settings.alerting", "model_list[0] (*)"}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{model_name: a, litellm_params: {model: bedrock/x}}", "OpenAI's protocol"),
        ("{model_name: a, litellm_params: {model: x, custom_llm_provider: palm}}", "protocol"),
        ("{model_name: a, litellm_params: {model: 'groq/*'}}", "pattern"),
        ("{model_name: a, litellm_params: {model: 'openai/my model'}}", "label"),
        ("{model_name: a, litellm_params: {}}", "label"),
        ("{model_name: a, litellm_params: {model: openai_like/x}}", "api_base"),
        ("{model_name: a, litellm_params: {model: openai/x, api_base: 'no address'}}", "address"),
        ("just a text", "model_name"),
    ],
)
def test_a_model_that_cannot_be_reached_is_told(entry: str, words: str, made: From) -> None:
    result = made(f"model_list:\n  - {entry}\n")

    assert result.lost
    assert any(words in f.words for f in result.findings if f.kind is Kind.LOST)
    assert "preset: gpt-4.1" in result.text


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("input_cost_per_token: 1.0e-06, output_cost_per_token: 2.0e-06", (1_000, 2_000)),
        ("input_cost_per_token: '3e-7', output_cost_per_token: 0", (300, 0)),
        ("input_cost_per_token: much, output_cost_per_token: 1", (2_000, 8_000)),
        ("input_cost_per_token: true", (2_000, 8_000)),
        ("input_cost_per_token: [1]", (2_000, 8_000)),
    ],
)
def test_prices_are_read_or_guessed(
    said: str,
    expected: tuple[int, int],
    made: From,
    loaded: Callable[[Import], tuple[Settings, Catalog]],
) -> None:
    entry = f"{{model_name: a, litellm_params: {{model: xai/grok-9}}, model_info: {{{said}}}}}"
    price = loaded(made(f"model_list: [{entry}]"))[1].models_by_tier[TIERS_BY_LABEL["full"]].price

    assert (price.prompt, price.completion) == expected


def test_a_known_models_own_price_is_laid_over_the_published(
    made: From, loaded: Callable[[Import], tuple[Settings, Catalog]]
) -> None:
    info = "model_info: {cache_read_input_token_cost: 1.0e-07, supports_vision: true}"
    entry = f"{{model_name: a, litellm_params: {{model: gpt-4.1}}, {info}}}"
    model = loaded(made(f"model_list: [{entry}]"))[1].models_by_tier[TIERS_BY_LABEL["full"]]

    assert replace(model.price, services=()) == Price(NanoUSD(2_000), NanoUSD(100), NanoUSD(8_000))


@pytest.mark.parametrize(
    "settings",
    [
        "router_settings: {timeout: soon}",
        "router_settings: {timeout: 0}",
        "router_settings: {allowed_fails: -1}",
        "router_settings: {num_retries: true}",
        "general_settings: {global_max_parallel_requests: 0}",
        "general_settings: {max_request_size_mb: big}",
        "litellm_settings: {ssl_verify: /ca.pem}",
        "mystery: 1",
    ],
)
def test_a_value_that_cannot_be_taken_over_is_told(settings: str, made: From) -> None:
    assert made(f"model_list: []\n{settings}").lost


def test_settings_that_are_off_or_so_anyway_go_unmentioned(made: From) -> None:
    text = """
        model_list: []
        litellm_settings: {telemetry: false, turn_off_message_logging: true, ssl_verify: null}
        router_settings: {enable_pre_call_checks: true, timeout: os.environ/LIMIT}
        general_settings:
    """
    result = made(text)

    assert result.findings == ()
    assert '"${LIMIT}"' in result.text


@pytest.mark.parametrize(
    "text", ["", "model_list: 1", "- a", "a: &x", "model_list: [{a: 1, a: 2}]", "model_list: !!x 1"]
)
def test_what_is_no_litellm_configuration_is_refused(text: str, made: From) -> None:
    with pytest.raises(SettingsError):
        made(text)
