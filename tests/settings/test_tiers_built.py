"""The catalog that the settings make, and what does not fit together."""

from collections.abc import Callable
from datetime import date

import pytest

from gateway.catalog import Capability, Catalog, ImageFormula, Secret, Tier
from gateway.prices import Price
from gateway.settings.addresses import is_openai
from gateway.settings.catalog import build
from gateway.settings.complaints import Complaint, SettingsError
from gateway.settings.schema import Settings
from gateway.settings.tiers import CatalogSettings

Load = Callable[..., Settings]
Complain = Callable[..., list[Complaint]]


KEY = {"OPENAI_API_KEY": "sk-abc"}


def amounts(price: Price) -> tuple[int, int, int]:
    return price.prompt, price.cached, price.completion


def test_the_default_is_the_gpt_4_1_family(configured: Load) -> None:
    catalog = build(configured("", KEY))

    nano, mini, full = (catalog.tiers[tier][0].model for tier in Tier)
    assert [m.name for m in (nano, mini, full)] == ["gpt-4.1-nano", "gpt-4.1-mini", "gpt-4.1"]
    assert amounts(nano.price) == (100, 25, 400)
    assert amounts(mini.price) == (400, 100, 1600)
    assert amounts(full.price) == (2000, 500, 8000)
    assert {m.context_window for m in (nano, mini, full)} == {1_047_576}
    assert {m.max_output for m in (nano, mini, full)} == {32_768}
    assert {m.knowledge_cutoff for m in (nano, mini, full)} == {date(2024, 5, 31)}
    assert [m.shutdown for m in (nano, mini, full)] == [
        date(2026, 10, 23),
        date(2027, 1, 14),
        date(2027, 1, 14),
    ]
    assert full.capabilities == (
        Capability.TOOLS
        | Capability.PARALLEL_TOOLS
        | Capability.JSON_SCHEMA
        | Capability.VISION
        | Capability.LOGPROBS
    )
    assert full.image_formula is ImageFormula.TILES
    assert (nano.image_formula, nano.image_multiplier) == (ImageFormula.PATCHES, 2.46)
    assert (mini.image_formula, mini.image_multiplier) == (ImageFormula.PATCHES, 1.62)


def test_deployments_take_what_they_do_not_say_from_the_catalog(configured: Load) -> None:
    catalog = build(
        configured(
            """
            catalog:
              key: ${OPENAI_API_KEY}
              tiers:
                nano: gpt-6-luna
                mini: {model: gpt-4.1-mini, name: cheap, max_parallel: 4}
                full:
                  - {model: gpt-4.1, base_url: "https://eu.example/v1/", key: sk-eu, weight: 3}
                  - gpt-4.1
            """,
            KEY,
        )
    )

    nano, cheap, eu, us = catalog.deployments()
    assert [d.name for d in (nano, cheap, eu, us)] == ["nano", "cheap", "full-1", "full-2"]
    assert (cheap.max_parallel, cheap.key) == (4, Secret("sk-abc"))
    assert (eu.base_url, eu.key, eu.weight) == ("https://eu.example/v1", Secret("sk-eu"), 3)
    assert (us.base_url, us.weight) == ("https://api.openai.com/v1", 1)


def test_tiers_left_out_are_the_presets(configured: Load) -> None:
    catalog = build(configured("catalog: {preset: gpt-5.4, tiers: {nano: gpt-6-luna}}", KEY))

    assert [m.name for _, m in catalog.models()] == ["gpt-6-luna", "gpt-5.4-mini", "gpt-5.4"]


def test_a_known_model_may_differ_in_one_thing(configured: Load) -> None:
    catalog = build(
        configured("catalog: {models: {gpt-4.1: {price: {prompt: 1.5, completion: 6}}}}", KEY)
    )

    full = catalog.tiers[Tier.FULL][0].model
    assert amounts(full.price) == (1500, 1500, 6000)
    assert full.context_window == 1_047_576


def test_a_model_may_be_like_another_under_its_own_name(configured: Load) -> None:
    catalog = build(
        configured(
            """
            catalog:
              base_url: http://localhost:8000/v1
              models:
                openai/gpt-4.1: {like: gpt-4.1}
                local-7b:
                  price: {prompt: 0, completion: 0}
                  context_window: 32768
                  max_output: 4096
              tiers: {nano: local-7b, mini: local-7b, full: openai/gpt-4.1}
            """
        )
    )

    local, full = catalog.tiers[Tier.NANO][0].model, catalog.tiers[Tier.FULL][0].model
    assert (local.capabilities, local.image_multiplier) == (Capability.NONE, 1.0)
    assert not catalog.tiers[Tier.NANO][0].key
    assert (full.name, amounts(full.price)) == ("openai/gpt-4.1", (2000, 500, 8000))


def test_the_longest_prompt_counts_until_it_is_lifted(configured: Load) -> None:
    bound = build(configured("catalog: gpt-5.4", KEY))
    lifted = build(
        configured(
            "catalog: {preset: gpt-5.4, models: {gpt-5.4: {max_prompt: null}}}",
            KEY,
        )
    )

    assert bound.tiers[Tier.FULL][0].model.context_window == 272_000
    assert lifted.tiers[Tier.FULL][0].model.context_window == 1_050_000


def test_retired_names_are_rerouted_unless_they_stand_behind_a_tier(configured: Load) -> None:
    of_4_1 = build(configured("", KEY)).reroute
    of_5_4 = build(configured("catalog: gpt-5.4", KEY)).reroute

    assert {"gpt-4o", "gpt-4o-mini", "gpt-4.5-preview", "gpt-4o-2024-05-13"} <= of_4_1
    assert not {"gpt-4.1", "gpt-4.1-2025-04-14", "gpt-4.1-nano"} & of_4_1
    assert {"gpt-4.1", "gpt-4.1-2025-04-14"} <= of_5_4


def test_the_operators_own_reroutes_replace_the_known_ones(configured: Load) -> None:
    catalog = build(configured("catalog: {reroute: [gpt-4.1, claude-x]}", KEY))

    assert catalog.reroute == {"gpt-4.1", "claude-x"}


def test_the_simulation_stands_behind_every_tier_without_a_key(configured: Load) -> None:
    settings = configured("simulate: true", KEY)

    catalog = build(settings, simulated_url="http://127.0.0.1:5/v1")

    assert {d.base_url for d in catalog.deployments()} == {"http://127.0.0.1:5/v1"}
    assert not any(d.key for d in catalog.deployments())


def version(configured: Load, text: str) -> str:
    catalog: Catalog = build(configured(text, KEY))
    return catalog.version


@pytest.mark.parametrize(
    "text",
    [
        "catalog: gpt-5.4",
        "catalog: {base_url: https://eu.example}",
        "catalog: {reroute: [gpt-4o]}",
        "catalog: {tiers: {nano: gpt-4.1-mini}}",
        "catalog: {models: {gpt-4.1: {max_output: 5}}}",
        "catalog: {models: {gpt-4.1: {capabilities: [tools]}}}",
    ],
)
def test_what_could_change_an_answer_changes_the_version(configured: Load, text: str) -> None:
    assert version(configured, text) != version(configured, "")


@pytest.mark.parametrize(
    "text",
    [
        "catalog: {key: sk-other}",
        "catalog: {models: {gpt-4.1: {price: {prompt: 1, completion: 2}}}}",
        "catalog: {models: {gpt-4.1: {shutdown: 2030-01-01}}}",
        "catalog: {tiers: {nano: {model: gpt-4.1-nano, weight: 9, name: small}}}",
        "server: {port: 1}",
    ],
)
def test_what_cannot_change_an_answer_leaves_the_version(configured: Load, text: str) -> None:
    assert version(configured, text) == version(configured, "")


def test_the_simulations_port_does_not_change_the_version(configured: Load) -> None:
    settings = configured("simulate: true")

    first = build(settings, simulated_url="http://127.0.0.1:1/v1").version
    again = build(settings, simulated_url="http://127.0.0.1:2/v1").version

    assert first == again == build(settings).version
    assert first != build(configured("", KEY)).version


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("preset: gpt-4.11", "catalog.preset", "(did you mean `gpt-4.1`?)"),
        ("tiers: {nano: gpt-4.1-nanno}", "catalog.tiers.nano[0].model", "`gpt-4.1-nano`"),
        ("tiers: {full: qwen}", "catalog.tiers.full[0].model", "under `catalog.models`"),
        ("tiers: {full: [gpt-4.1, gpt-4o]}", "catalog.tiers.full", "different models"),
        (
            "tiers: {nano: {model: gpt-4.1-nano, name: mini}}",
            "catalog.tiers.mini[0].name",
            "name of another deployment",
        ),
        ("models: {mine: {}}", "catalog.models.mine", "price, context_window, max_output"),
        ("models: {gpt-4.2: {max_output: 1}}", "catalog.models.gpt-4.2", "`gpt-4.1`"),
        ("models: {mine: {like: gpt-4.11}}", "catalog.models.mine.like", "`gpt-4.1`"),
    ],
)
def test_what_does_not_fit_together_is_told_with_the_nearest_name(
    complaints: Complain, text: str, where: str, message: str
) -> None:
    found = complaints(f"catalog:\n  {text}\n  # the rest\n", KEY)

    told = {c.where.replace("catalog[0]", "catalog.tiers.mini[0]"): c for c in found}
    assert message in told[where].message


def test_an_incomplete_model_behind_a_tier_is_told_once(complaints: Complain) -> None:
    (complaint,) = complaints("catalog: {models: {mine: {}}, tiers: {nano: mine}}", KEY)

    assert complaint.where == "catalog.models.mine"


def test_settings_made_by_hand_are_checked_too() -> None:
    settings = Settings(catalog=CatalogSettings(preset="none"))

    with pytest.raises(SettingsError, match=r"catalog\.preset: is no known preset"):
        build(settings)


@pytest.mark.parametrize(
    ("url", "needed"),
    [
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://notopenai.com/v1", False),
        ("http://vllm:8000/v1", False),
    ],
)
def test_only_openai_is_known_to_need_a_key(url: str, needed: bool) -> None:
    assert is_openai(url) is needed
