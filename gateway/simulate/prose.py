"""Answers in plausible prose, built from templates and the question's own words.

Every text begins with `[simulated]`. Nothing here is meant to be right, except sums.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from gateway.simulate.hints import DATE, EMAIL, EXAMINED, Hints
from gateway.simulate.phrases import (
    CODE,
    DEFAULT_LANGUAGE,
    EXPLANATIONS,
    GREETINGS,
    ITEMS,
    LANGUAGES,
    LETTER,
    OTHER_LANGUAGES,
    STEPS,
    STOPWORDS,
)
from gateway.simulate.reading import SUM, Kind, Wanted, read

MARK = "[simulated]"
SENTENCES_A_PARAGRAPH = 4
SENTENCE = re.compile(r"[^.!?\n]{20,300}[.!?]")
TOPIC = re.compile(r"[^\W\d_][\w-]{3,24}")


@dataclass(frozen=True, slots=True)
class Question:
    """A question, what it wants, its topics and the dice its answer is made with."""

    text: str
    wanted: Wanted
    topics: tuple[str, ...]
    dice: Random

    def fill(self, template: str) -> str:
        """A template with the question's topics in its slots."""
        one, two = (self.dice.choice(self.topics) for _ in range(2))
        return template.format(a=self.topics[0], b=one, c=two)

    def pick(self, templates: tuple[str, ...], count: int) -> list[str]:
        """So many filled templates, none twice before each was used."""
        picked: list[str] = []
        while len(picked) < count:
            shuffled = list(templates)
            self.dice.shuffle(shuffled)
            picked.extend(self.fill(each) for each in shuffled)
        return picked[:count]


def reply(text: str, system: str, dice: Random) -> str:
    """An answer to a question, marked as simulated."""
    question = Question(text, read(text, system), topics_of(text), dice)
    return f"{MARK} {WRITERS[question.wanted.kind](question)}"


def after_tools(results: list[tuple[str, str]]) -> str:
    """What is said once tools have answered: their names with what they said."""
    said = " ".join(f"`{name}` returned {' '.join(text.split())[:160]}." for name, text in results)
    return f"{MARK} Based on the results: {said}"


def topics_of(text: str) -> tuple[str, ...]:
    """The words a question is about, longest first; never none."""
    words = dict.fromkeys(TOPIC.findall(text[:EXAMINED]))
    telling = [word for word in words if word.lower() not in STOPWORDS]
    return tuple(sorted(telling, key=len, reverse=True)[:6]) or ("this",)


def _label(question: Question) -> str:
    """The label the text itself mentions outside the offer, else any."""
    labels = question.wanted.labels
    tail = question.text[-300:].lower()
    mentioned = [label for label in labels if tail.count(label.lower()) > 1]
    return mentioned[0] if mentioned else question.dice.choice(labels)


def _sum(question: Question) -> str:
    found = SUM.search(question.text.lower())
    if found is None:  # the question was cut where it was read
        return _explanation(question)
    left, right = Decimal(found[1]), Decimal(found[3])
    sign = {"×": "*", "x": "*", "÷": "/", "−": "-"}.get(found[2], found[2])
    if sign == "/" and right == 0:
        return "Division by zero is undefined."
    result = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: round(left / right, 6).normalize(),
    }[sign]()
    return f"{found[0].strip()} = {result:f}"


def _greeting(question: Question) -> str:
    return GREETINGS.get(question.wanted.language, GREETINGS["en"])


def _code(question: Question) -> str:
    lower = question.text[:EXAMINED].lower()
    language = next((name for name in LANGUAGES if name in lower), DEFAULT_LANGUAGE)
    name = "_".join(re.findall(r"[a-z]+", question.topics[0].lower())) or "solve"
    body = CODE[LANGUAGES.get(language, DEFAULT_LANGUAGE)].replace("NAME", name)
    notes = " ".join(question.pick(STEPS, min(question.wanted.size, 8)))
    fence = LANGUAGES.get(language, DEFAULT_LANGUAGE)
    return f"Here is one way to do it:\n\n```{fence}\n{body}\n```\n\n{notes}"


def _list(question: Question) -> str:
    items = question.pick(ITEMS, question.wanted.size)
    lines = (f"{place}. {item}" for place, item in enumerate(items, 1))
    return "\n".join(["", *lines])


def _summary(question: Question) -> str:
    sentences = SENTENCE.findall(question.text[:20_000]) or question.pick(EXPLANATIONS, 3)
    step = max(len(sentences) // min(question.wanted.size, 5), 1)
    chosen = sentences[::step][: min(question.wanted.size, 5)]
    return "\n".join(["In short:", *(f"- {' '.join(each.split())}" for each in chosen)])


def _extraction(question: Question) -> str:
    examined = question.text[:EXAMINED]
    found = {
        "names": list(Hints(examined).names),
        "dates": DATE.findall(examined),
        "emails": EMAIL.findall(examined),
        "numbers": [f"{number:g}" for number in Hints(examined).numbers],
    }
    lines = [f"- {kind}: {', '.join(each[:8])}" for kind, each in found.items() if each]
    return "\n".join(["Found:", *(lines or ["- nothing that was asked for"])])


def _translation(question: Question) -> str:
    _, _, quoted = question.text[:EXAMINED].partition(":")
    text = " ".join((quoted or question.text[:EXAMINED]).split())[:600]
    return f"(translation) {text}"


def _letter(question: Question) -> str:
    return LETTER.format(body=" ".join(question.pick(EXPLANATIONS, question.wanted.size)))


def _yes_no(question: Question) -> str:
    verdict = "Yes" if question.dice.random() < 0.5 else "No"
    return f"{verdict}. {question.fill(question.dice.choice(EXPLANATIONS))}"


def _proof(question: Question) -> str:
    steps = question.pick(STEPS, max(question.wanted.size, 5))
    lines = (f"Step {place}. {step}" for place, step in enumerate(steps, 1))
    return "\n\n".join(["Proof.", *lines, "This completes the argument. ∎"])


def _explanation(question: Question) -> str:
    bank = OTHER_LANGUAGES.get(question.wanted.language, EXPLANATIONS)
    sentences = question.pick(bank, question.wanted.size)
    paragraphs = (
        " ".join(sentences[start : start + SENTENCES_A_PARAGRAPH])
        for start in range(0, len(sentences), SENTENCES_A_PARAGRAPH)
    )
    return "\n\n".join(paragraphs)


WRITERS: Mapping[Kind, Callable[[Question], str]] = {
    Kind.LABEL: _label,
    Kind.SUM: _sum,
    Kind.GREETING: _greeting,
    Kind.CODE: _code,
    Kind.LIST: _list,
    Kind.SUMMARY: _summary,
    Kind.EXTRACTION: _extraction,
    Kind.TRANSLATION: _translation,
    Kind.LETTER: _letter,
    Kind.YES_NO: _yes_no,
    Kind.PROOF: _proof,
    Kind.EXPLANATION: _explanation,
}
