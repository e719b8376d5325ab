"""Checkable facts about a call, in words, and what published scores say of each tier at such work.

A signal is a fact that anybody can check in the call: tools, images, turns, length, script, what
the first words ask for. None is a verdict. Each is read in one pass over at most 2,000 characters
by word look-ups, never by a pattern that can backtrack, so a hostile text costs what a friendly one
does.

What published scores say of each tier at such work is in `gateway.classify.priors`.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from gateway.classify.cues import (
    CLOSED_ANSWERS,
    CUES,
    CUES_WITHOUT_SPACES,
    DEMANDING,
    SMALL,
    SMALL_TALK,
    Kind,
    script_of,
)
from gateway.classify.given import given, offered
from gateway.classify.priors import (
    ALL,
    DEMANDS,
    GPT_41,
    LONG,
    SOME_TURNS,
    Asked,
    Priors,
    Shares,
    shares,
)
from gateway.classify.prompt import Prompt

HEAD = 200
TAIL = 100
"""Characters at both ends of a task where what is asked for is looked for."""

SMALL_TALK_CHARS = 60
SHORT_ANSWER = 16
"""A completion limit in tokens that only a label, a word or a number fits into."""

# A member looked up on its class takes ten times as long as a name of the module.
_SMALL_TALK, _LABEL, _CODE = Kind.SMALL_TALK, Kind.LABEL, Kind.CODE
_SHORT, _GIVEN, _OTHER = Kind.SHORT, Kind.GIVEN, Kind.OTHER

# Factors on the predicted gap to the full model. Work on a text that is given is about as hard for
# every text, so the words of the text count for less.
FOREIGN_SCRIPT = 1.2
EASY = {
    Kind.SMALL_TALK: 0.3,
    Kind.LABEL: 0.4,
    Kind.EXTRACT: 0.4,
    Kind.TRANSLATE: 0.4,
    Kind.SUMMARY: 0.4,
    Kind.SHORT: 0.7,
    Kind.GIVEN: 0.6,
}

_CUE_WORDS = frozenset(CUES)
_CUES_WITHOUT_SPACES = re.compile("|".join(CUES_WITHOUT_SPACES))
_CLOSED_ANSWERS = re.compile("|".join(map(re.escape, CLOSED_ANSWERS)))
EITHER = (" or ", " o ", " ou ", " oder ")
CODE_MARKS = ("def ", "();", "){", ") {", "</", "#include", "import ", "=>", "->", "&&")
MARKS = b".,;:!?()[]{}<>\"'`*#"
_PUNCTUATION = bytes.maketrans(MARKS, b" " * len(MARKS))
PUNCTUATION_ELSEWHERE = tuple(".,:!?¿¡。，、！？：")
LENGTH_UNITS = ("word", "palabra", "mots", "wörter", "слов", "字", "단어")
_WORDS_WANTED = re.compile(rf"([1-9][0-9]{{1,4}})[ -]?(?:{'|'.join(LENGTH_UNITS)})")


class Signals(NamedTuple):
    """What was found: the words for people, and what follows from it.

    `kind` is the kind of work, `shares` what nano and mini keep of the full model's quality at
    most, `gap` a factor on the predicted gap, `words_wanted` a length the task states (0: none).
    """

    words: tuple[str, ...]
    kind: Kind
    shares: Shares
    gap: float
    words_wanted: int


class Context(NamedTuple):
    """What a system prompt says: the kind of work it defines, if any, and how many demands."""

    kind: Kind
    demands: int


_NO_CONTEXT = Context(_OTHER, 0)


def defined(context: str) -> Context:
    """What a system prompt defines."""
    kind = _named(_words(context[:HEAD].lower()))
    # It speaks of many things; only small, repeated work is defined there.
    return Context(kind if kind in SMALL else _OTHER, max(_listed(context), context.count("\n- ")))


def read(
    prompt: Prompt,
    tokens: int,
    max_completion: int | None,
    defined: Callable[[str], Context] = defined,
    priors: Priors = GPT_41,
) -> Signals:
    """Read the signals of a prompt of about `tokens` tokens.

    System prompts repeat, so `defined` may be one that remembers.
    """
    task = prompt.task
    ends = _ends(task)
    script = script_of(task)
    kind = _kind(task, ends, script)
    context = defined(prompt.context) if prompt.context else _NO_CONTEXT
    if kind is _OTHER:
        kind = context.kind
    if kind is _OTHER and max_completion is not None and max_completion <= SHORT_ANSWER:
        kind = _SHORT
    code = kind is _CODE or _has_code(task, ends)
    demands = max(_demands(task), context.demands)
    if kind is _OTHER and not code and not script and demands < DEMANDS and _bare(prompt, tokens):
        return Signals((), kind, ALL, priors.gap, _words_wanted(ends))
    return Signals(
        (*_asked(kind, code=code, demands=demands, script=script), *_carried(prompt, tokens)),
        _CODE if code and kind is _OTHER else kind,
        shares(priors, prompt, tokens, Asked(kind, code, demands)),
        priors.gap * (EASY.get(kind) or (FOREIGN_SCRIPT if script else 1.0)),
        _words_wanted(ends),
    )


def kind_of(text: str) -> Kind:
    """The kind of work that a text names by itself."""
    return _kind(text, _ends(text), script_of(text))


def temper(quality: tuple[float, float, float], signals: Signals) -> tuple[float, float, float]:
    """Combine the quality predicted from the text with the priors; never decreasing with tier."""
    nano, mini, full = quality
    if signals.shares is ALL and signals.gap == 1.0 and 0.0 <= nano <= mini <= full <= 1.0:
        return quality
    full = min(max(full, 0.0), 1.0)
    nano = min(full - (full - nano) * signals.gap, full * signals.shares[0])
    mini = min(full - (full - mini) * signals.gap, full * signals.shares[1])
    nano = max(nano, 0.0)
    return nano, max(mini, nano), full


def _ends(task: str) -> str:
    """Where what is asked for is looked for, in lower case."""
    return (task if len(task) <= HEAD + TAIL else f"{task[:HEAD]} {task[-TAIL:]}").lower()


def _bare(prompt: Prompt, tokens: int) -> bool:
    """Whether a call brings along nothing worth a word: a few texts of usual length, no more."""
    return prompt.plain and not prompt.images and prompt.turns < SOME_TURNS and tokens <= LONG


def _kind(task: str, ends: str, script: str) -> Kind:
    """The kind of work that the task's words name."""
    words = _words(ends)
    if len(task) <= SMALL_TALK_CHARS and words and SMALL_TALK.issuperset(words):
        return _SMALL_TALK
    kind = _named(words)
    if kind is _OTHER and script:
        kind = _named(_CUES_WITHOUT_SPACES.findall(ends))
    if kind is not _OTHER:
        return kind
    return _LABEL if _closed(ends, script) else by_marks(task, ends)


def by_marks(task: str, ends: str) -> Kind:
    """The kind of work that a task without telling words shows by its marks."""
    if offered(task, ends):
        return _LABEL
    return _GIVEN if given(task) else _OTHER


def _closed(ends: str, script: str) -> bool:
    """Whether a task names the answers it takes."""
    # In Latin script it takes one of four words; each is found far sooner than fifty phrases.
    if not script and not any([word in ends for word in EITHER]):
        return False
    return _CLOSED_ANSWERS.search(ends) is not None


def _words(text: str) -> list[str]:
    """The words of a lower-case text without punctuation."""
    if text.isascii():
        # Bytes are translated six times as fast as a text.
        return text.encode().translate(_PUNCTUATION).decode().split()
    # Translating other scripts takes ten times as long as replacing the few marks that matter.
    for mark in PUNCTUATION_ELSEWHERE:
        text = text.replace(mark, " ")
    return text.split()


def _named(words: list[str]) -> Kind:
    """The kind that the first telling word names; code and prose yield to what is demanding."""
    named = _OTHER
    if _CUE_WORDS.isdisjoint(words):
        return named
    for word in words:
        kind = CUES.get(word)
        if kind is None:
            continue
        if kind in DEMANDING or (kind in SMALL and named is _OTHER):
            return kind
        named = kind if named is _OTHER else named
    return named


def _has_code(task: str, ends: str) -> bool:
    """Fenced code anywhere, or two kinds of marks that prose does not have."""
    # One character is found ten times as fast as two or three, here and in `_demands`.
    if "`" in task and "```" in task:
        return True
    if not ("(" in ends or "=" in ends or "<" in ends or "&" in ends):
        return False
    return sum(map(ends.__contains__, CODE_MARKS)) > 1


def _words_wanted(ends: str) -> int:
    """A length in words that the task states."""
    if not any(map(ends.__contains__, LENGTH_UNITS)):
        return 0
    stated = _WORDS_WANTED.search(ends)
    return int(stated[1]) if stated else 0


def _demands(task: str) -> int:
    """How many questions there are, or how far a numbered list goes, up to what matters."""
    asked = task.count("?") if "?" in task else 0
    if not task.isascii():
        asked += task.count("？")
    return max(asked, _listed(task))


def _listed(text: str) -> int:
    """How far a numbered list goes, up to what matters."""
    if "\n" not in text or "\n2." not in text:
        return 0
    return max(n for n in range(2, DEMANDS + 1) if f"\n{n}." in text)


def _asked(kind: Kind, *, code: bool, demands: int, script: str) -> list[str]:
    """What the task says."""
    found = [] if kind is _OTHER else [str(kind)]
    if code and kind is not _CODE:
        found.append("code")
    if demands >= DEMANDS:
        found.append("many demands")
    if script:
        found.append(f"{script} script")
    return found


def _carried(prompt: Prompt, tokens: int) -> list[str]:
    """What the call brings along."""
    found: list[str] = []
    if prompt.tools:
        found.append(f"{prompt.tools} tools" if prompt.tools > 1 else "1 tool")
    elif prompt.uses_tools:
        found.append("tool results")
    if prompt.schema_bytes:
        found.append("json schema")
    if prompt.images:
        found.append(f"{len(prompt.images)} images" if len(prompt.images) > 1 else "1 image")
    if prompt.media_bytes:
        found.append("audio or files")
    if prompt.turns >= SOME_TURNS:
        found.append(f"multi-turn {prompt.turns}")
    if tokens > LONG:
        found.append(f"long context {round(tokens, -4) // 1000}k")
    if prompt.stored:
        found.append("stored conversation")
    return found
