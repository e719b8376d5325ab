"""From a file and the environment to settings, or to every complaint at once.

    file → values with lines → ${…} filled → GATEWAY_* laid over
         → OPENAI_* and OTEL_* where nothing is said
         → types and bounds → does it fit together?

The file is `--config`, else `TIERGATE_CONFIG`, else `tiergate.yaml` in the working directory if
there is one. None is needed.
"""

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from gateway.settings import access, catalog, otel
from gateway.settings.complaints import (
    Flaw,
    Place,
    SettingsError,
    dotted,
    locate,
    nearest,
    sentence,
)
from gateway.settings.document import Document, read
from gateway.settings.interpolate import interpolate
from gateway.settings.overrides import override, put
from gateway.settings.schema import Settings

CONFIG_VARIABLE = "TIERGATE_CONFIG"
DEFAULT_FILE = Path("tiergate.yaml")
# What every OpenAI client reads; used where nothing else is said.
OPENAI_VARIABLES: Mapping[str, Place] = {
    "OPENAI_API_KEY": ("catalog", "key"),
    "OPENAI_BASE_URL": ("catalog", "base_url"),
}


def find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read, if there is one."""
    if path is not None:
        return path
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def installed(module: str) -> bool:
    """Whether an optional module is there to be imported."""
    return find_spec(module) is not None


def load(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    has: Callable[[str], bool] = installed,
) -> Settings:
    """Read the settings; `has` tells which optional modules there are.

    Raises:
        SettingsError: with every complaint.
    """
    source = find(path, environ)
    document = Document() if source is None else read(source)
    if any(not flaw.place for flaw in document.flaws):
        # What is wrong with the whole leaves nothing to look at.
        raise SettingsError(locate(document.flaws, {}, {}), str(source))
    interpolate(document, environ)
    # A section whose settings are all commented out says nothing.
    document.values = {name: v for name, v in document.values.items() if v is not None}
    origins = override(document, environ)
    origins |= _known_elsewhere(document, environ)
    if source is None and not origins.keys() & _ANSWERING:
        put(document.values, ("simulate", "enabled"), True)
    settings, found = _validated(document, has)
    if found or settings is None:
        complaints = locate(found, document.lines, origins)
        raise SettingsError(complaints, str(source) if source else "")
    return settings


# Said in the environment, any of these means that somebody is to answer, and the simulation is not.
_ANSWERING: frozenset[Place] = frozenset(
    {*OPENAI_VARIABLES.values(), ("simulate", "enabled")}
    | {("catalog", "tiers", label) for label in ("nano", "mini", "full")}
)


def _known_elsewhere(document: Document, environ: Mapping[str, str]) -> dict[Place, str]:
    traced, flaws = otel.said(environ)
    openai = [(p, environ[name], name) for name, p in OPENAI_VARIABLES.items() if name in environ]
    unsaid = [one for one in (*openai, *traced) if not _spoken(document, one[0])]
    for place, value, _ in unsaid:
        put(document.values, place, value)
    origins = {place: name for place, _, name in unsaid}
    document.flaws += [flaw for flaw in flaws if flaw.place in origins]
    return origins


def _spoken(document: Document, place: Place) -> bool:
    """Whether the document says, or tries to say, what a place is to hold."""
    section = document.values.get(str(place[0]))
    spoken = isinstance(section, dict) and place[-1] in section
    return spoken or any(flaw.place == place for flaw in document.flaws)


def _validated(
    document: Document, has: Callable[[str], bool]
) -> tuple[Settings | None, list[Flaw]]:
    found = list(document.flaws)
    broken = {flaw.place for flaw in found}
    try:
        settings = Settings.model_validate(document.values)
    except ValidationError as error:
        found += [f for f in _translated(error) if not _holds(f.place, broken)]
        settings = None
    # A slip elsewhere must not hide what is wrong with the catalog, so it is checked by itself.
    checked = settings or _alone(document.values, "catalog", "simulate")
    if checked is not None:
        found += [f for f in catalog.flaws(checked) if f.place not in broken]
        found += _surroundings(checked, has)
    # Nor what is wrong with the keys.
    checked = settings or _alone(document.values, "keys", "teams", "organisations", "catalog")
    if checked is not None:
        found += [f for f in access.flaws(checked) if f.place not in broken]
    return settings, found


def _holds(place: Place, broken: Iterable[Place]) -> bool:
    """Whether something at or below a place is known to be wrong, and so explains what it lacks."""
    return any(other[: len(place)] == place for other in broken)


def _alone(values: dict[str, Any], *names: str) -> Settings | None:
    parts = {name: values[name] for name in names if name in values}
    try:
        return Settings.model_validate(parts)
    except ValidationError:
        return None


def _surroundings(settings: Settings, has: Callable[[str], bool]) -> list[Flaw]:
    """What the machine must have for the settings to work."""
    found = []
    upstream = settings.upstream
    if upstream.ca_file is not None and not upstream.ca_file.is_file():
        found.append(Flaw(("upstream", "ca_file"), "is no file that can be read"))
    if settings.server.workers > 1 and settings.store.redis_url is None:
        message = (
            "several workers need Redis (`GATEWAY_REDIS_URL`): without it money, quotas and keys "
            "are kept by exactly one process"
        )
        found.append(Flaw(("server", "workers"), message))
    if upstream.http2 and not has("h2"):
        message = "needs an optional part: pip install 'tiergate[http2]'"
        found.append(Flaw(("upstream", "http2"), message))
    return found


def _translated(error: ValidationError) -> list[Flaw]:
    return [
        Flaw(place, _unknown(place) if detail["type"] == "extra_forbidden" else sentence(detail))
        for detail in error.errors(include_url=False)
        for place in (tuple(step for step in detail["loc"] if step != "[key]"),)
    ]


def _unknown(place: Place) -> str:
    """Say what the name at a place could have been."""
    word = str(place[-1])
    siblings = list(_section(place[:-1]).model_fields)
    if near := nearest(word, siblings):
        return f"is no setting{near}"
    elsewhere = [
        dotted((name, word))
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and word in field.annotation.model_fields
    ]
    if elsewhere:
        return f"is no setting (did you mean `{elsewhere[0]}`?)"
    return f"is no setting; there are {', '.join(siblings)}"


def _section(place: Place) -> type[BaseModel]:
    """The model whose settings stand at a place."""
    model: type[BaseModel] = Settings
    for step in place:
        if isinstance(step, str) and step in model.model_fields:
            model = _inner(model.model_fields[step].annotation) or model
    return model


def _inner(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    """The model inside `X | None`, `tuple[X, ...]`, `dict[str, X]` or X itself."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_inner(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in found if model is not None), None)
