"""The documentation in `docs/` is what the settings say."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.settings.overrides import variables
from gateway.settings.reference import json_schema, markdown

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_the_published_reference_is_up_to_date() -> None:
    assert (DOCS / "configuration.md").read_text(encoding="utf-8") == markdown(), (
        "run: tiergate schema --markdown > docs/configuration.md"
    )


def test_the_published_schema_is_up_to_date() -> None:
    assert (DOCS / "tiergate.schema.json").read_text(encoding="utf-8") == json_schema(), (
        "run: tiergate schema > docs/tiergate.schema.json"
    )


def test_every_setting_is_described_and_has_its_variable_in_the_reference() -> None:
    text = markdown()

    assert all(f"`{name}`" in text for name in variables() if name.count("_") > 1)
    assert "None" not in text.replace("None is needed", "").replace("None by default", "")


def properties(schema: Any) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for part, model in schema["$defs"].items():
        for name, said in model["properties"].items():
            found[part, name] = said
    return found


def test_every_property_of_the_schema_is_described() -> None:
    said = properties(json.loads(json_schema()))

    assert len(said) > 40
    assert [place for place, about in said.items() if "description" not in about] == []


@pytest.mark.parametrize(
    ("place", "kinds"),
    [
        (("ServerSettings", "port"), ["integer", "string"]),
        (("ServerSettings", "max_body"), ["integer", "string"]),
        (("ServerSettings", "cors_origins"), ["array", "string"]),
        (("UpstreamSettings", "http2"), ["boolean", "string"]),
        (("CatalogSettings", "reroute"), ["array", "null", "string"]),
        (("PriceSettings", "prompt"), ["number", "string"]),
    ],
)
def test_the_schema_lets_every_value_come_from_the_environment(
    place: tuple[str, str], kinds: list[str]
) -> None:
    said = properties(json.loads(json_schema()))[place]

    assert [alternative["type"] for alternative in said["anyOf"]] == kinds


def test_the_schema_knows_the_short_forms() -> None:
    schema = json.loads(json_schema())

    catalog = schema["properties"]["catalog"]["anyOf"]
    nano = schema["$defs"]["TiersSettings"]["properties"]["nano"]["anyOf"]
    assert {"type": "string"} in catalog
    assert [a.get("type", "deployment") for a in nano] == ["string", "deployment", "array"]
    assert schema["additionalProperties"] is False
