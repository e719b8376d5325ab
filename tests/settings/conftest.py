"""A configuration written in a test, and what is wrong with it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from gateway.settings.complaints import Complaint, SettingsError
from gateway.settings.load import load
from gateway.settings.schema import Settings

Load = Callable[..., Settings]
Complain = Callable[..., list[Complaint]]

NOTHING: Mapping[str, str] = {}


@pytest.fixture
def configured(tmp_path: Path) -> Load:
    """Loads settings from YAML text and an environment."""

    def from_text(text: str, environ: Mapping[str, str] = NOTHING) -> Settings:
        path = tmp_path / "tiergate.yaml"
        path.write_text(dedent(text), encoding="utf-8")
        return load(path, environ)

    return from_text


@pytest.fixture
def complaints(configured: Load) -> Complain:
    """Loads settings that cannot be used, and returns the complaints."""

    def about(text: str, environ: Mapping[str, str] = NOTHING) -> list[Complaint]:
        with pytest.raises(SettingsError) as refused:
            configured(text, environ)
        return refused.value.complaints

    return about
