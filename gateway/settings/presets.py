"""The models and families known by name.

Data shipped with the package, read by the same types as the operator's own models.
"""

from datetime import date
from functools import cache
from importlib.resources import files

import yaml
from pydantic import Field

from gateway.settings.prices import PassedPriceSettings
from gateway.settings.section import Section
from gateway.settings.tiers import Label, ModelSettings, Name


class Preset(Section):
    """A family: the model behind each tier, and what its callers must know."""

    nano: Name
    mini: Name
    full: Name
    note: str = ""

    def model(self, label: Label) -> str:
        """The name of the model behind a tier."""
        return str(getattr(self, label))


class Presets(Section):
    """Known models, families, and retired names with the day each was switched off."""

    models: dict[Name, ModelSettings]
    prices: dict[Name, PassedPriceSettings] = Field(default_factory=dict)
    presets: dict[Name, Preset]
    retired: dict[Name, date] = Field(default_factory=dict)


@cache
def presets() -> Presets:
    """What is known by name; read once, never changed."""
    text = (files("gateway") / "data" / "presets.yaml").read_text(encoding="utf-8")
    return Presets.model_validate(yaml.safe_load(text))
