"""`tiergate import litellm`, as it is typed."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.imports import create
from tests.settings.litellm_configs import LOCAL_SERVERS, MIXED_PROVIDERS, OPENAI_FAMILY


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(MIXED_PROVIDERS, encoding="utf-8")
    return path


def typed(*words: object) -> Result:
    return CliRunner().invoke(create(), ["litellm", *map(str, words)])


def test_the_file_goes_to_the_output_and_the_table_beside_it(config: Path) -> None:
    result = typed(config)

    assert result.exit_code == 0
    assert result.stdout.startswith("# Imported from a LiteLLM configuration")
    assert "no equivalent" not in result.stdout
    assert "no equivalent" in result.stderr
    assert "Set in the environment: GROQ_API_KEY" in result.stderr


def test_the_file_is_written_where_it_is_wanted(config: Path, tmp_path: Path) -> None:
    target = tmp_path / "tiergate.yaml"

    result = typed(config, "-o", target)

    assert (result.exit_code, result.stdout) == (0, "")
    assert "catalog:" in target.read_text(encoding="utf-8")


def test_a_file_is_overwritten_only_by_force(config: Path, tmp_path: Path) -> None:
    target = tmp_path / "tiergate.yaml"
    target.write_text("mine", encoding="utf-8")

    refused = typed(config, "-o", target)
    kept = target.read_text(encoding="utf-8")
    forced = typed(config, "-o", target, "--force")

    assert (refused.exit_code, kept, forced.exit_code) == (1, "mine", 0)
    assert "--force overwrites it" in refused.stderr
    assert "catalog:" in target.read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_is_said(config: Path, tmp_path: Path) -> None:
    result = typed(config, "-o", tmp_path / "nowhere" / "tiergate.yaml")

    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


@pytest.mark.parametrize(
    ("text", "code"), [(MIXED_PROVIDERS, 1), (OPENAI_FAMILY, 0), (LOCAL_SERVERS, 0)]
)
def test_strict_fails_only_when_something_is_lost(text: str, code: int, config: Path) -> None:
    config.write_text(text, encoding="utf-8")

    assert typed(config, "--strict").exit_code == code


def test_a_file_that_is_none_is_a_bad_configuration(config: Path) -> None:
    config.write_text("model_list: {", encoding="utf-8")

    result = typed(config)

    assert result.exit_code == 78
    assert "error:" in result.stderr


def test_without_a_gateways_name_help_is_shown() -> None:
    result = CliRunner().invoke(create(), [])

    assert "litellm" in result.output
