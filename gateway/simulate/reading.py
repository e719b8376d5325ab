"""What kind of answer a question wants, judged by its looks alone, and how long.

Patterns are applied to the beginning of a text (a prompt can be megabytes) and are linear in it.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from gateway.simulate.phrases import word_set

# Instructions stand at the ends of a prompt; what is between them is material.
HEAD = 3_000
TAIL = 1_000


class Kind(Enum):
    """What an answer looks like."""

    LABEL = auto()
    SUM = auto()
    GREETING = auto()
    CODE = auto()
    LIST = auto()
    SUMMARY = auto()
    EXTRACTION = auto()
    TRANSLATION = auto()
    LETTER = auto()
    YES_NO = auto()
    PROOF = auto()
    EXPLANATION = auto()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The kind, the labels to choose from, and the sentences, items or lines that fit."""

    kind: Kind
    size: int = 4
    labels: tuple[str, ...] = ()
    language: str = "en"


GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|good (?:morning|evening|afternoon)|thanks|thank you|bonjour|salut|hola|"
    r"hallo|guten tag|ciao|olá|привет|你好|こんにちは|안녕하세요)\b",
    re.IGNORECASE,
)
OPTIONS = re.compile(
    r"(?:one of|labels?|categor(?:y|ies)|classes|options?|choose(?: from| between)?|"
    r"classify [^.\n:]{0,60}(?:as|into)|(?:answer|reply|respond) (?:only )?with|either|is it)\b"
    r"[^.\n:]{0,30}?:? *([^.?!\n]{3,240})",
    re.IGNORECASE,
)
SEPARATOR = re.compile(r" *(?:,|;|\||/|\bor\b|\band\b) *", re.IGNORECASE)
LABEL = re.compile(r"[\w' -]{1,30}")
SUM = re.compile(r"(-?\d{1,12}(?:\.\d{1,6})?) *([+*×x÷/−-]) *(-?\d{1,12}(?:\.\d{1,6})?)(?!\w)")
ASKS_SUM = re.compile(
    r"\b(?:what(?:'s| is)|calculate|compute|how much is)\b|= *\?|^[\d\s().+*/×÷-]+$"
)
WORDS = re.compile(r"\b(?:in|about|around|at most|under|~) *(\d{1,4}) words\b")
COUNT = re.compile(
    r"\b(?:list|name|give(?: me)?|suggest|write|top|propose|brainstorm)\b[^.\n\d]{0,20}(\d{1,2})\b"
)

# Checked in this order: the first hit decides.
MARKS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.SUMMARY, re.compile(r"\b(?:summari[sz]e|summary|tl;?dr|key points|sum up)\b")),
    (Kind.TRANSLATION, re.compile(r"\btranslat(?:e|ion)\b")),
    (
        Kind.CODE,
        re.compile(
            r"```|\b(?:function|code|script|implement|refactor|regex|sql|query that|unit tests?|"
            r"dockerfile|bash|python|javascript|typescript|rust|golang|java|c\+\+)\b"
        ),
    ),
    (Kind.PROOF, re.compile(r"\b(?:prove|proof|derive|show that)\b")),
    (Kind.EXTRACTION, re.compile(r"\b(?:extract|pull out|find all|identify all|named entit)")),
    (Kind.LETTER, re.compile(r"\b(?:e-?mail|letter|reply to (?:the|this) customer|apolog)")),
    (Kind.YES_NO, re.compile(r"\byes or no\b|\b(?:true or false)\b|^(?:is|are|does|can|will) ")),
)
SHORT = re.compile(r"\b(?:brief(?:ly)?|short|one sentence|in a sentence|concise(?:ly)?|one word)\b")
LONG = re.compile(
    r"\b(?:essay|detail(?:ed|s)?|in depth|thorough(?:ly)?|step by step|comprehensive|guide|report|"
    r"article|story|complete|design)\b"
)

SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]{3}")),
    ("ar", re.compile(r"[\u0600-\u06ff]{2}")),
)
STOPWORDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("de", word_set("der die das und ist nicht ein eine wie was ich mir bitte für mit")),
    (
        "fr",
        word_set("le la les des est une un je vous comment pourquoi quel pour avec moi"),
    ),
    ("es", word_set("el los las una que es cómo por qué para con puedes dame del está")),
    ("pt", word_set("os uma não como é por que para com você meu qual do da")),
    ("it", word_set("il gli una che è come perché per con sono della mi puoi")),
)
ENGLISH = word_set("the is of and what how a to in me please why do can")


def read(question: str, system: str = "") -> Wanted:
    """Judge a question; `system` may name the labels to choose from."""
    ends = question if len(question) <= HEAD + TAIL else question[:HEAD] + question[-TAIL:]
    lower = ends.lower()
    language = language_of(ends[:400])
    labels = labels_in(ends) or labels_in(system[:HEAD])
    kind = Kind.LABEL if labels else _kind(lower)
    return Wanted(kind, _size(kind, lower), labels, language)


def _kind(lower: str) -> Kind:
    if SUM.search(lower) and ASKS_SUM.search(lower):
        return Kind.SUM
    if GREETING.match(lower) and len(lower.split()) <= 6:
        return Kind.GREETING
    for kind, mark in MARKS:
        if mark.search(lower):
            return kind
    return Kind.LIST if COUNT.search(lower) else Kind.EXPLANATION


def _size(kind: Kind, lower: str) -> int:
    if (counted := COUNT.search(lower)) is not None and kind is Kind.LIST:
        return min(max(int(counted[1]), 1), 50)
    if (words := WORDS.search(lower)) is not None:
        # Our sentences are about fourteen words long.
        return min(max(int(words[1]) // 14, 1), 120)
    if SHORT.search(lower):
        return 1
    if LONG.search(lower):
        return 16
    return 3 if len(lower) < 60 else 5


def labels_in(text: str) -> tuple[str, ...]:
    """The labels a text offers, if it offers some."""
    for offer in OPTIONS.finditer(text):
        # "classify as one of: a, b": what is offered comes last.
        choices = offer[1].rpartition(":")[2]
        found = [label.strip(" \"'`*()[]") for label in SEPARATOR.split(choices)]
        # "either an invoice" is one label; a list of clauses is none.
        words = [label for label in found if label and len(label.split()) <= 3]
        labels = [label for label in words if LABEL.fullmatch(label)]
        if 2 <= len(labels) <= 20 and len(labels) == len([each for each in found if each]):
            return tuple(dict.fromkeys(labels))
    return ()


def language_of(text: str) -> str:
    """The language of a short text, as an ISO 639 code; English when in doubt."""
    for language, script in SCRIPTS:
        if script.search(text):
            return language
    words = re.findall(r"\w+", text.lower())
    english = sum(word in ENGLISH for word in words)
    scores = [(sum(word in stops for word in words), code) for code, stops in STOPWORDS]
    score, language = max(scores)
    return language if score > english else "en"
