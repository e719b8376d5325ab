"""What is known of the models behind the tiers: read, bounded, and used."""

from importlib.resources import files
from pathlib import Path

import pytest

from gateway.app.assessing import assessor
from gateway.classify.difficulty import ARTEFACT
from gateway.classify.priors import GPT_41, Priors
from gateway.settings.complaints import SettingsError
from gateway.settings.load import load
from gateway.settings.priors import KINDS

KEY = {"OPENAI_API_KEY": "sk-of-nobody"}
TOOLED = {
    "messages": [{"role": "user", "content": "What is the weather in Oslo, and why?"}],
    "tools": [{"type": "function", "function": {"name": "weather", "parameters": {}}}],
}


def written(folder: Path, text: str) -> Path:
    file = folder / "tiergate.yaml"
    file.write_text(text)
    return file


def test_every_prior_can_be_said() -> None:
    assert set(KINDS) == set(Priors._fields) - {"gap"}


def test_priors_and_gap_reach_the_classifier(tmp_path: Path) -> None:
    plain = assessor(load(None, KEY)).assess(TOOLED)
    said = "routing: {gap: 0.5, priors: {tools: [1.0, 1.0]}}"

    told = assessor(load(written(tmp_path, said), KEY)).assess(TOOLED)

    assert plain.quality[0] <= plain.quality[2] * GPT_41.tools[0] + 1e-9
    assert 0 < told.score < plain.score / 2


def test_a_model_of_ones_own_is_served(tmp_path: Path) -> None:
    own = tmp_path / "own.bin"
    own.write_bytes((files("gateway.data") / ARTEFACT).read_bytes())

    settings = load(written(tmp_path, f"routing: {{model: {own}}}"), KEY)

    assert settings.routing.model == own
    assert assessor(settings).assess(TOOLED) == assessor(load(None, KEY)).assess(TOOLED)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("{model: nowhere.bin}", "must be a file that can be read"),
        ("{model: tiergate.yaml}", "is no difficulty model"),
        ("{gap: 4}", "gap: must be at most 3"),
        ("{priors: {tools: [0.5, 2]}}", "at most 1"),
        ("{priors: {tool: [0.5, 1]}}", "tool"),
    ],
)
def test_what_cannot_be_used_is_complained_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SettingsError, match=complaint):
        load(written(tmp_path, f"routing: {said}"), KEY)
