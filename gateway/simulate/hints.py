"""What a question mentions that could fill a form: names, numbers, dates, addresses.

A simulated model has nothing to say, so it says back what it was told, in the right places.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from gateway.simulate.phrases import word_set

# A prompt's beginning is examined, however long it is.
EXAMINED = 4_000

NAME = re.compile(r"\b[A-Z][\w'’-]{1,30}(?: [A-Z][\w'’-]{1,30}){0,2}")
NUMBER = re.compile(r"(?<![\w.-])-?\d{1,9}(?:\.\d{1,4})?(?![\w-])")
DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
EMAIL = re.compile(r"\b[\w.+-]{1,40}@[\w-]{1,40}\.[\w.]{2,20}\b")
WORD = re.compile(r"\w+")

# Capitalised only because a sentence begins there.
OPENERS = word_set(
    "A All An And Are As At Be Book By Call Can Check Classify Compute Convert Could Create Do "
    "Does Extract Find For From Get Give Hello Help Hi How I If In Is It Let List Look Make My "
    "Note Of On Or Order Please Reply Return Schedule Search Send Set Show So Tell Thank The Then "
    "There This To Translate Turn Use Was We What When Where Which Who Why Will With Write You "
    "Your"
)
# Properties that hold words of the caller's rather than names.
SPOKEN = word_set("answer body content input message prompt query question text")


@dataclass(frozen=True)
class Hints:
    """A question and what it mentions. `turn` picks another of several mentions."""

    question: str
    turn: int = 0

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Capitalised words that are not just the first of a sentence."""
        found = NAME.findall(self.question[:EXAMINED])
        spoken = (self._without_opener(name) for name in found)
        return tuple(dict.fromkeys(name for name in spoken if name))

    @staticmethod
    def _without_opener(name: str) -> str:
        first, _, rest = name.partition(" ")
        return rest if first in OPENERS else name

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """Numbers, as they come."""
        return tuple(float(each) for each in NUMBER.findall(self.question[:EXAMINED]))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word, in lower case."""
        return frozenset(WORD.findall(self.question[:EXAMINED].lower()))

    def date(self) -> str:
        """A calendar date."""
        return self._pick(DATE.findall(self.question[:EXAMINED])) or "2026-01-15"

    def email(self) -> str:
        """An e-mail address."""
        return self._pick(EMAIL.findall(self.question[:EXAMINED])) or "ada@example.com"

    def name(self) -> str | None:
        """A name, if any is mentioned."""
        return self._pick(list(self.names))

    def _pick(self, found: list[str]) -> str | None:
        return found[self.turn % len(found)] if found else None

    def text_for(self, property_name: str) -> str:
        """A plausible value of a text property."""
        parts = set(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r" \1", property_name).lower()))
        if parts & {"email", "mail"}:
            return self.email()
        if parts & {"date", "day", "deadline", "due", "when"}:
            return self.date()
        if parts & SPOKEN:
            return " ".join(self.question.split())[:200] or "example"
        if (name := self.name()) is not None:
            return name
        return f"example {property_name}".strip().replace("_", " ")
