"""Imports the configuration of a LiteLLM proxy: an equivalent tiergate.yaml, and what has none.

    read → credentials → endpoints of chat models → three tiers → the other settings → text

No secret is copied: a key that stands in the file becomes `${NAME}` and a note. Nothing is asked
and nothing is sent; every choice made on the operator's behalf stands in a comment or a finding.
What is written loads once the variables it names are set.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.settings import litellm_notes as notes
from gateway.settings.complaints import SettingsError, locate
from gateway.settings.document import read
from gateway.settings.litellm_models import Endpoint, endpoints, variables
from gateway.settings.litellm_notes import Finding, Kind, Notes
from gateway.settings.litellm_rest import rest
from gateway.settings.litellm_tiers import Tiers, assigned
from gateway.settings.litellm_writing import Written, written
from gateway.settings.tiers import NAME


@dataclass(frozen=True, slots=True)
class Import:
    """What an import made: the file's text, what it could not say, and the variables it names."""

    text: str
    findings: tuple[Finding, ...]
    variables: tuple[str, ...]

    @property
    def lost(self) -> bool:
        """Whether something has no equivalent at all."""
        return any(finding.kind is Kind.LOST for finding in self.findings)


def imported(path: Path) -> Import:
    """Import a LiteLLM configuration.

    Raises:
        SettingsError: the file cannot be read, is no YAML, or is no LiteLLM configuration.
    """
    document = read(path)
    if document.flaws:
        raise SettingsError(locate(document.flaws, document.lines, {}), str(path))
    values = document.values
    if not isinstance(values.get("model_list"), list):
        flaw = notes.flaw("model_list", "is missing: this is no LiteLLM configuration with models")
        raise SettingsError([flaw], str(path))
    found = Notes(frozenset(variables(values)))
    listed = endpoints(values, found)
    tiers = assigned(listed, found)
    settings = rest(values, found)
    aliases = _aliases(values, listed, tiers, found)
    text, needed = written(Written(tiers, aliases, settings, found.secrets))
    return Import(text, tuple(found.findings), needed)


def _aliases(
    values: dict[str, Any], listed: list[Endpoint], tiers: Tiers, found: Notes
) -> dict[str, str]:
    """The names callers used that stand behind no tier, with the model each meant, if it does."""
    router = values.get("router_settings")
    groups = router.get("model_group_alias") if isinstance(router, dict) else None
    asked = [endpoint.public for endpoint in listed]
    asked += [name for name in groups or () if isinstance(name, str)]
    standing = {endpoint.model for tier in tiers for endpoint in tier}
    meant = {e.public: e.model for e in listed if e.model in standing}
    names = {}
    for name in dict.fromkeys(asked):
        if name in standing:
            continue
        if "*" in name or not NAME.fullmatch(name):
            said = "patterns of model names: each name must be listed under catalog.reroute"
            found.add(Kind.LOST, "model_list", said)
        else:
            names[name] = meant.get(name, "")
    return names
