"""The shipped data is whole and consistent."""

from datetime import date

import pytest

from gateway.catalog import Catalog, Tier
from gateway.settings.advice import warnings
from gateway.settings.catalog import build, model_from
from gateway.settings.presets import presets
from gateway.settings.schema import Settings, SimulateSettings
from gateway.settings.tiers import CatalogSettings

FAMILIES = sorted(presets().presets)
MODELS = sorted(presets().models)


def family(name: str) -> tuple[Settings, Catalog]:
    settings = Settings(
        catalog=CatalogSettings(preset=name), simulate=SimulateSettings(enabled=True)
    )
    return settings, build(settings)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_fills_the_three_tiers_in_order_of_price(name: str) -> None:
    settings, catalog = family(name)

    assert set(catalog.tiers) == set(Tier)
    found = warnings(settings, catalog, today=date(2026, 1, 1), environ={})
    assert not [w for w in found if "costs more" in w]


@pytest.mark.parametrize("name", MODELS)
def test_a_known_model_is_complete_and_plausible(name: str) -> None:
    said = presets().models[name]
    model = model_from(name, said)

    assert model is not None
    # Models for sound have no price for what is cached.
    cheaper = model.price.cached < model.price.prompt
    assert cheaper or model.price.audio is not None
    assert 0 < model.price.cached <= model.price.prompt < model.price.completion
    assert model.max_output <= model.context_window
    assert said.max_prompt is None or said.max_prompt < (said.context_window or 0)
    assert said.capabilities
    assert said.images
    assert (said.images == "patches") is (said.image_multiplier is not None)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_that_is_switched_off_has_a_known_successor(name: str) -> None:
    said = presets().models[name]

    assert (said.shutdown is None) is (said.successor is None)
    assert said.successor is None or presets().models[said.successor].shutdown is None


def test_known_models_that_retire_are_among_the_retired_names() -> None:
    known, retired = presets().models, presets().retired

    for name in set(known) & set(retired):
        assert known[name].shutdown == retired[name]


def test_the_data_is_read_once() -> None:
    assert presets() is presets()
