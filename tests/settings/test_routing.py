"""The routing's settings, and what the choice of a tier is told of them."""

from pathlib import Path

import pytest

from gateway.app.adapters import routing
from gateway.catalog import Tier
from gateway.route.choose import Policy
from gateway.settings.complaints import SettingsError
from gateway.settings.load import load

SAID = """
simulate: true
routing:
  quality: 0.7
  no_tools: [nano, mini]
  confidence: 0.9
  hope: 0.2
  doubling: 0.05
  second: 0.01
  acceptable: 0.5
  sticky: false
  pacing: false
  shifts: {mini: 0.03, full: -0.01}
"""


def written(path: Path, text: str) -> Path:
    file = path / "tiergate.yaml"
    file.write_text(text)
    return file


def test_what_is_said_is_what_the_choice_is_made_by(tmp_path: Path) -> None:
    settings = load(written(tmp_path, SAID), {})

    assert routing(settings) == Policy(
        quality=0.7,
        no_tools=frozenset({Tier.NANO, Tier.MINI}),
        confidence=0.9,
        hope=0.2,
        shifts=(0.0, 0.03, -0.01),
        doubling=0.05,
        second=0.01,
        acceptable=0.5,
        sticky=False,
        pacing=False,
    )


def test_without_a_word_the_choice_is_made_by_the_published_defaults() -> None:
    assert routing(load(None, {"GATEWAY_SIMULATE_ENABLED": "true"})) == Policy()


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("confidence: 1", "confidence"),
        ("shifts: {huge: 0.1}", "shifts"),
        ("shifts: {mini: 2}", "shifts"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(tmp_path: Path, line: str, named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(written(tmp_path, f"simulate: true\nrouting:\n  {line}\n"), {})

    assert any(named in sentence for sentence in refused.value.sentences())
