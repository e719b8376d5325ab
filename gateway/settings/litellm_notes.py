"""What an import noticed: settings that differ, are said elsewhere, or have no equivalent.

Values are not quoted, as any may be a secret; names of settings and models are.
"""

import re
from enum import Enum
from itertools import count
from typing import NamedTuple

from gateway.settings.complaints import Complaint

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = "os.environ/"


class Kind(Enum):
    """How far a setting has an equivalent."""

    DIFFERS = "differs"
    ELSEWHERE = "elsewhere"
    LOST = "no equivalent"


class Finding(NamedTuple):
    """A setting of LiteLLM's, and what is to be known about it."""

    kind: Kind
    place: str
    words: str


class Notes:
    """Gathers findings, and the variables that literal secrets were replaced by.

    `taken` are variables that mean something already: no other secret may go by their names.
    """

    def __init__(self, taken: frozenset[str]) -> None:
        self.findings: list[Finding] = []
        self.secrets: dict[str, str] = {}
        self._taken = taken

    def add(self, kind: Kind, place: str, words: str) -> None:
        """Note something once."""
        finding = Finding(kind, place, words)
        if finding not in self.findings:
            self.findings.append(finding)

    def key(self, value: object, place: str, variable: str) -> str:
        """A credential as a reference; one that stands in the file gets a variable of its own."""
        if not isinstance(value, str) or not value:
            return f"${{{variable}}}"
        if (named := reference(value)) is not None:
            return named
        if value not in self.secrets:
            taken = {*self.secrets.values(), *self._taken}
            names = (f"{variable}_{n}" if n > 1 else variable for n in count(1))
            self.secrets[value] = next(name for name in names if name not in taken)
            words = f"a secret in the file: set {self.secrets[value]} in the environment instead"
            self.add(Kind.ELSEWHERE, place, words)
        return f"${{{self.secrets[value]}}}"


def reference(value: object) -> str | None:
    """`os.environ/NAME` as `${NAME}`; None when it is no such reference."""
    if not isinstance(value, str) or not value.startswith(_REFERENCE):
        return None
    name = value.removeprefix(_REFERENCE).strip()
    return f"${{{name}}}" if _VARIABLE.fullmatch(name) else None


def flaw(place: str, message: str) -> Complaint:
    """What is wrong with the whole file."""
    return Complaint(0, place, message)
