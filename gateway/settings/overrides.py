"""`GATEWAY_*` variables: one for every scalar setting, `GATEWAY_SERVER_PORT` for `server.port`.

Lists are comma-separated. `GATEWAY_CATALOG` and `GATEWAY_SIMULATE` are the short forms of the
sections that have one, `GATEWAY_REDIS_URL` is what people expect the store's to be called. The
environment wins over the file.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_origin

from pydantic import BaseModel

from gateway.settings.complaints import Place
from gateway.settings.document import Document
from gateway.settings.schema import Settings
from gateway.settings.terms import KeySettings

PREFIX = "GATEWAY_"
# What Kubernetes sets in every pod when a service is called "gateway".
SERVICE_LINK = re.compile(r"GATEWAY_(SERVICE_(HOST|PORT\w*)|PORT(_\w+)?)")
SHORT_FORMS: Mapping[str, Place] = {
    "GATEWAY_CATALOG": ("catalog", "preset"),
    "GATEWAY_SIMULATE": ("simulate", "enabled"),
    "GATEWAY_REDIS_URL": ("store", "redis_url"),
}


def variables() -> dict[str, Place]:
    """Every variable with the place it sets."""
    found = dict(SHORT_FORMS)
    for place in _leaves(Settings, ()):
        found[PREFIX + "_".join(map(str, place)).upper()] = place
    return found


def _leaves(model: type[BaseModel], place: Place) -> Iterator[Place]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _leaves(kind, (*place, name))
        elif get_origin(kind) is not dict and kind != tuple[KeySettings, ...]:
            yield (*place, name)


def override(document: Document, environ: Mapping[str, str]) -> dict[Place, str]:
    """Lay the environment over the document; returns which variable set which place."""
    origins: dict[Place, str] = {}
    for name, place in variables().items():
        if name in environ:
            put(document.values, place, environ[name])
            origins[place] = name
    return origins


def put(values: dict[str, Any], place: Place, value: object) -> None:
    """Set a value deep in the document, spreading a section written in its short form."""
    section, *rest = map(str, place)
    inner = values.get(section)
    if isinstance(inner, str | bool) and f"{PREFIX}{section.upper()}" in SHORT_FORMS:
        inner = {str(SHORT_FORMS[f"{PREFIX}{section.upper()}"][-1]): inner}
    if inner is None:
        inner = {}
    values[section] = inner
    while len(rest) > 1 and isinstance(inner, dict):
        step = rest.pop(0)
        if inner.get(step) is None:
            inner[step] = {}
        inner = inner[step]
    # A section that is no mapping is complained of when the document is checked.
    if isinstance(inner, dict):
        inner[rest[0]] = value


def unknown(environ: Mapping[str, str]) -> list[str]:
    """Warn of `GATEWAY_*` variables that set nothing; other programs may own them."""
    known = variables()
    found = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known and not SERVICE_LINK.fullmatch(name):
            close = get_close_matches(name, known, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            found.append(f"The environment variable {name} sets nothing{hint}.")
    return found
