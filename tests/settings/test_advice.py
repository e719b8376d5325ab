"""Warnings: nothing is wrong, but it should be known."""

from collections.abc import Callable
from datetime import date

import pytest

from gateway.settings.advice import warnings
from gateway.settings.catalog import build
from gateway.settings.schema import Settings

Load = Callable[..., Settings]

KEY = {"OPENAI_API_KEY": "sk-abc"}
EARLY = date(2026, 1, 1)


def told(settings: Settings, today: date = EARLY) -> list[str]:
    return warnings(settings, build(settings), today=today, environ={})


def test_a_good_configuration_warns_of_nothing(configured: Load) -> None:
    assert told(configured("", KEY)) == []


def test_a_collectors_port_for_grpc_is_pointed_out(configured: Load) -> None:
    at = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317"}

    (warning,) = told(configured("", KEY | at))

    assert "4318" in warning


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2026, 9, 22), []),
        (date(2026, 9, 23), ["gpt-4.1-nano (tier nano) will be switched off on 2026-10-23 (30 d"]),
        (date(2026, 10, 23), ["gpt-4.1-nano (tier nano) was switched off on 2026-10-23. Its suc"]),
        (date(2026, 12, 31), ["gpt-4.1-nano", "gpt-4.1-mini", "gpt-4.1 (tier full) will"]),
    ],
)
def test_a_shutdown_is_announced_a_month_ahead(
    configured: Load, today: date, words: list[str]
) -> None:
    found = told(configured("", KEY), today)

    assert len(found) == len(words)
    assert all(text.startswith(word) for text, word in zip(found, words, strict=True))


def test_a_shutdown_warning_names_the_successor_and_the_setting(configured: Load) -> None:
    settings = configured("catalog: {follow_successors: false}", KEY)

    (warning,) = told(settings, date(2026, 11, 1))

    assert "Its successor is gpt-6-luna." in warning
    assert "`catalog.tiers.nano: MODEL`" in warning


def test_a_model_of_ones_own_may_have_no_successor(configured: Load) -> None:
    settings = configured(
        "catalog: {models: {mine: {like: gpt-4.1-nano, successor: null}}, tiers: {nano: mine}}",
        KEY,
    )

    (warning,) = told(settings, date(2026, 11, 1))

    assert "successor" not in warning


def test_a_simulation_needs_no_shutdown_warning(configured: Load) -> None:
    assert told(configured("simulate: true"), date(2030, 1, 1)) == []


def test_prices_upside_down_are_pointed_out(configured: Load) -> None:
    settings = configured(
        "catalog: {models: {gpt-4.1-nano: {price: {prompt: 100, completion: 400}}}}", KEY
    )

    (warning,) = told(settings)

    assert "gpt-4.1-nano (tier nano) costs more than gpt-4.1-mini (tier mini)" in warning


def test_a_model_that_stands_nowhere_is_pointed_out(configured: Load) -> None:
    (warning,) = told(configured("catalog: {models: {mine: {like: gpt-4.1}}}", KEY))

    assert warning.startswith("mine is described")


def test_a_presets_peculiarities_are_told_while_it_stands(configured: Load) -> None:
    whole = told(configured("catalog: gpt-6", KEY))
    changed = told(configured("catalog: {preset: gpt-6, tiers: {nano: gpt-4.1-nano}}", KEY))

    assert "reasoning_effort: none" in whole[0]
    assert changed == []


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://upstream.example/v1", True),
        ("http://8.8.8.8/v1", True),
        ("https://upstream.example/v1", False),
        ("http://localhost:8000/v1", False),
        ("http://10.1.2.3/v1", False),
        ("http://vllm.models.svc/v1", False),
    ],
)
def test_a_key_in_the_clear_is_pointed_out(configured: Load, url: str, warned: bool) -> None:
    found = told(configured(f"catalog: {{base_url: '{url}'}}", KEY))

    assert [w for w in found if "unencrypted" in w] == found
    assert bool(found) is warned


def test_variables_that_set_nothing_are_pointed_out(configured: Load) -> None:
    settings = configured("", KEY)

    found = warnings(settings, build(settings), today=EARLY, environ={"GATEWAY_QQQQQQQQQ": "1"})

    assert found == ["The environment variable GATEWAY_QQQQQQQQQ sets nothing."]
