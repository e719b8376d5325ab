"""Fills `${NAME}` and `${NAME:-default}` from the environment, after the YAML was read.

A value is filled as text and never parsed again, so a variable cannot inject structure. `$${`
stands for a literal `${`. A missing variable without default is a flaw, and its setting is left
out. Names of settings are not filled.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.settings.complaints import Flaw, Place
from gateway.settings.document import Document

REFERENCE = re.compile(r"\$\$\{|\$\{(?P<inside>[^}]*)(?P<closed>\})?")
INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)


class Unfilled(ValueError):
    """A reference that stands for nothing."""


def fill(text: str, environ: Mapping[str, str]) -> str:
    """Fill one text.

    Raises:
        Unfilled: a variable is missing or a reference is malformed.
    """

    def replacement(found: re.Match[str]) -> str:
        if found["inside"] is None:
            return "${"
        inside = INSIDE.fullmatch(found["inside"])
        if inside is None or not found["closed"]:
            message = "has a malformed reference: write ${NAME} or ${NAME:-default}"
            raise Unfilled(message)
        value = environ.get(inside["name"])
        if inside["default"] is not None:
            return value or str(inside["default"])
        if value is None:
            message = f"needs the environment variable {inside['name']}, which is not set"
            raise Unfilled(message)
        return value

    return REFERENCE.sub(replacement, text)


def interpolate(document: Document, environ: Mapping[str, str]) -> None:
    """Fill every text in the document."""
    document.values = _filled(document.values, (), environ, document.flaws)


_DROPPED = object()


def _filled(value: Any, place: Place, environ: Mapping[str, str], flaws: list[Flaw]) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        entries = ((k, _filled(v, (*place, k), environ, flaws)) for k, v in value.items())
        return {k: v for k, v in entries if v is not _DROPPED}
    if isinstance(value, list):
        # Left out of a list, an item would move the others to places that are not theirs.
        items = [_filled(v, (*place, i), environ, flaws) for i, v in enumerate(value)]
        return [None if v is _DROPPED else v for v in items]
    if not isinstance(value, str) or "${" not in value:
        return value
    try:
        return fill(value, environ)
    except Unfilled as error:
        flaws.append(Flaw(place, str(error)))
        return _DROPPED
