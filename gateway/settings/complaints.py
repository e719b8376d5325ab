"""What is wrong with a configuration, said in sentences with places.

No complaint ever quotes a value: any value may be a secret that slipped into the wrong place. Only
the names of settings, and our own words, are repeated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

Place = tuple[str | int, ...]
"""Where a value stands in the document: `("server", "port")`."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong at a place; `line` counts from 1 (0: look the place up)."""

    place: Place
    message: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Complaint:
    """A flaw as it is told: `line` is 0 when it stands in no file.

    `where` is a dotted setting or the name of an environment variable.
    """

    line: int
    where: str
    message: str


class SettingsError(Exception):
    """The configuration cannot be used; every complaint is listed."""

    def __init__(self, complaints: Iterable[Complaint], source: str = "") -> None:
        self.complaints = sorted(complaints, key=lambda c: (c.line == 0, c.line))
        self.source = source
        super().__init__("\n".join(self.sentences()))

    def sentences(self) -> list[str]:
        """One line a complaint: `tiergate.yaml:3: server.prot: …`."""
        return [self._spell(c) for c in self.complaints]

    def _spell(self, complaint: Complaint) -> str:
        place = f"{self.source}:{complaint.line}: " if complaint.line else ""
        if not place and not complaint.where and self.source:
            place = f"{self.source}: "
        where = f"{complaint.where}: " if complaint.where else ""
        return f"{place}{where}{complaint.message}"


def dotted(place: Place) -> str:
    """Write a place as people do: `catalog.tiers.nano[0].model`."""
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def locate(
    flaws: Iterable[Flaw], lines: Mapping[Place, int], origins: Mapping[Place, str]
) -> list[Complaint]:
    """Give every flaw the line, or the environment variable, that its value came from."""
    found = []
    for flaw in flaws:
        prefixes = [flaw.place[:end] for end in range(len(flaw.place), 0, -1)]
        origin = next((origins[p] for p in prefixes if p in origins), None)
        line = flaw.line or next((lines[p] for p in prefixes if p in lines), 0)
        if origin is not None and not flaw.line:
            found.append(Complaint(0, origin, flaw.message))
        else:
            found.append(Complaint(line, dotted(flaw.place), flaw.message))
    return found


def nearest(word: str, words: Iterable[str]) -> str:
    """` (did you mean …?)` for the closest of our own words, or nothing."""
    close = get_close_matches(word.lower(), list(words), n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


# Pydantic's error types, in our words; `{…}` are filled from the error's context.
WORDS = {
    "missing": "is required",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text (put it in quotes)",
    "path_type": "must be a file's path",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of settings to values",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
DATE_ERRORS = "date"


def sentence(error: Mapping[str, Any]) -> str:
    """Say one of pydantic's errors in our words, without the value it complains of."""
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        allowed = str(context["expected"])
        return f"must be {allowed}{nearest(str(error['input']), quoted(allowed))}"
    if kind.startswith(DATE_ERRORS):
        return "must be a date such as 2027-01-14"
    return WORDS.get(kind, "has a value that cannot be used here").format(**context)


def quoted(text: str) -> list[str]:
    """The words between single quotes."""
    return text.split("'")[1::2]
