"""Checkable facts about a call, in words, and what published scores say of each tier at such work.

A signal is a fact that anybody can check in the call: tools, images, turns, length, script, what
the first words ask for. None is a verdict. Each is read in one pass over at most 2,000 characters
by word look-ups, never by a pattern that can backtrack, so a hostile text costs what a friendly one
does.

A prior says what share of the full model's quality a smaller tier keeps at work of a kind, by the
GPT-4.1 family's published scores (nano / mini / full):

    tools         ComplexFuncBench 5.7/49.3/65.5, TauBench retail 22.6/55.8/68.0, airline 14/36/49.4
    long          128k: MRCR 36.6/47.2/57.2, Graphwalks 25/61.7/61.7; beyond: 12/33/46, 2.9/15/19
    turns         Multi-IF 57.2/67.0/70.8, MultiChallenge 15.0/35.8/38.3
    images        MMMU 55.4/72.7/74.8, MathVista 56.2/73.1/72.2, CharXiv 40.5/56.8/56.7
    code at size  Aider 9.8/34.7/51.6, SWE-Lancer 15.3/33.0/35.1
    reasoning     GPQA 50.3/65.0/66.3, AIME 29.4/49.6/48.1
    many demands  IFEval 74.5/84.1/87.4
    scripts       MMMLU 66.9/78.5/87.3 beside MMLU 80.1/87.5/90.2: the gap doubles

A kind of work that rests on wording alone moves a prediction half as far, so that a caller buys
little by writing "prove"; the text's own difficulty is the learned model's to judge.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from gateway.classify.cues import (
    CUES,
    CUES_WITHOUT_SPACES,
    DEMANDING,
    SMALL,
    SMALL_TALK,
    Kind,
    script_of,
)
from gateway.classify.prompt import Prompt

HEAD = 200
TAIL = 100
"""Characters at both ends of a task where what is asked for is looked for."""

SMALL_TALK_CHARS = 60
SHORT_ANSWER = 16
"""A completion limit in tokens that only a label, a word or a number fits into."""

DEMANDS = 4
"""Questions or numbered steps from which a task counts as many-sided."""

LONG = 64_000
VERY_LONG = 400_000
SIZED_CODE = 2_000
"""Prompt tokens from which a prior for length, and for code within a larger whole, applies."""

SOME_TURNS = 4
MANY_TURNS = 12

# A member looked up on its class takes ten times as long as a name of the module.
_SMALL_TALK, _CODE, _SHORT, _OTHER = Kind.SMALL_TALK, Kind.CODE, Kind.SHORT, Kind.OTHER

# Shares of the full model's quality that nano and mini keep (from the table above; reasoning and
# demands, which rest on wording, with half the loss).
_ALL = (1.0, 1.0)
_TOOLS = (0.23, 0.77)
_LONG = (0.40, 0.83)
_VERY_LONG = (0.21, 0.65)
_SOME_TURNS = (0.81, 0.95)
_MANY_TURNS = (0.60, 0.94)
_IMAGES = (0.75, 0.98)
_SIZED_CODE = (0.32, 0.80)
_REASONING = (0.85, 0.99)
_MANY_DEMANDS = (0.92, 0.98)

# Factors on the predicted gap to the full model.
_FOREIGN_SCRIPT = 1.5
_EASY = {Kind.SMALL_TALK: 0.3, Kind.LABEL: 0.7, Kind.EXTRACT: 0.7, Kind.SHORT: 0.7}

_CUE_WORDS = frozenset(CUES)
_CUES_WITHOUT_SPACES = re.compile("|".join(CUES_WITHOUT_SPACES))
_CODE_MARKS = ("def ", "();", "){", ") {", "</", "#include", "import ", "=>", "->", "&&")
_MARKS = b".,;:!?()[]{}<>\"'`*#"
_PUNCTUATION = bytes.maketrans(_MARKS, b" " * len(_MARKS))
_PUNCTUATION_ELSEWHERE = tuple(".,:!?¿¡。，、！？：")
_WORDS_WANTED = re.compile(r"([1-9][0-9]{1,4})[ -]?(?:word|palabra|mots|wörter|слов|字|단어)")


class Signals(NamedTuple):
    """What was found: the words for people, and what follows from it.

    `kind` is the kind of work, `shares` what nano and mini keep of the full model's quality at
    most, `gap` a factor on the predicted gap, `words_wanted` a length the task states (0: none).
    """

    words: tuple[str, ...]
    kind: Kind
    shares: tuple[float, float]
    gap: float
    words_wanted: int


def defined(context: str) -> Kind:
    """The kind of work that a system prompt defines, if any."""
    kind = _named(_words(context[:HEAD].lower()))
    # It speaks of many things; only small, repeated work is defined there.
    return kind if kind in SMALL else _OTHER


def read(
    prompt: Prompt,
    tokens: int,
    max_completion: int | None,
    defined: Callable[[str], Kind] = defined,
) -> Signals:
    """Read the signals of a prompt of about `tokens` tokens.

    System prompts repeat, so `defined` may be one that remembers.
    """
    task = prompt.task
    ends = task if len(task) <= HEAD + TAIL else f"{task[:HEAD]} {task[-TAIL:]}"
    ends = ends.lower()
    kind = _kind(task, ends)
    if kind is _OTHER and prompt.context:
        kind = defined(prompt.context)
    if kind is _OTHER and max_completion is not None and max_completion <= SHORT_ANSWER:
        kind = _SHORT
    code = kind is _CODE or _has_code(task, ends)
    script = script_of(task)
    demands = _demands(task)
    if kind is _OTHER and not code and not script and demands < DEMANDS and _bare(prompt, tokens):
        return Signals((), kind, _ALL, 1.0, _words_wanted(ends))
    return Signals(
        (*_asked(kind, code=code, demands=demands, script=script), *_carried(prompt, tokens)),
        _CODE if code and kind is _OTHER else kind,
        _shares(prompt, tokens, kind, code=code, demands=demands),
        _EASY.get(kind) or (_FOREIGN_SCRIPT if script else 1.0),
        _words_wanted(ends),
    )


def temper(quality: tuple[float, float, float], signals: Signals) -> tuple[float, float, float]:
    """Combine the quality predicted from the text with the priors; never decreasing with tier."""
    nano, mini, full = quality
    if signals.shares is _ALL and signals.gap == 1.0 and 0.0 <= nano <= mini <= full <= 1.0:
        return quality
    full = min(max(full, 0.0), 1.0)
    nano = min(full - (full - nano) * signals.gap, full * signals.shares[0])
    mini = min(full - (full - mini) * signals.gap, full * signals.shares[1])
    nano = max(nano, 0.0)
    return nano, max(mini, nano), full


def _bare(prompt: Prompt, tokens: int) -> bool:
    """Whether a call brings along nothing worth a word: a few texts of usual length, no more."""
    return prompt.plain and not prompt.images and prompt.turns < SOME_TURNS and tokens <= LONG


def _kind(task: str, ends: str) -> Kind:
    """The kind of work that the task's words name."""
    words = _words(ends)
    if len(task) <= SMALL_TALK_CHARS and words and SMALL_TALK.issuperset(words):
        return _SMALL_TALK
    kind = _named(words)
    if kind is _OTHER and not ends.isascii():
        return _named(_CUES_WITHOUT_SPACES.findall(ends))
    return kind


def _words(text: str) -> list[str]:
    """The words of a lower-case text without punctuation."""
    if text.isascii():
        # Bytes are translated six times as fast as a text.
        return text.encode().translate(_PUNCTUATION).decode().split()
    # Translating other scripts takes ten times as long as replacing the few marks that matter.
    for mark in _PUNCTUATION_ELSEWHERE:
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
    return sum(map(ends.__contains__, _CODE_MARKS)) > 1


def _words_wanted(ends: str) -> int:
    """A length in words that the task states."""
    if ends.isascii() and not ("word" in ends or "palabra" in ends or "mots" in ends):
        return 0
    stated = _WORDS_WANTED.search(ends)
    return int(stated[1]) if stated else 0


def _demands(task: str) -> int:
    """How many questions there are, or how far a numbered list goes, up to what matters."""
    asked = task.count("?") if "?" in task else 0
    if not task.isascii():
        asked += task.count("？")
    if "\n" not in task or "\n2." not in task:
        return asked
    return max(asked, *(n for n in range(2, DEMANDS + 1) if f"\n{n}." in task))


def _shares(
    prompt: Prompt, tokens: int, kind: Kind, *, code: bool, demands: int
) -> tuple[float, float]:
    """The lowest share that any prior leaves to nano and to mini."""
    found = [_ALL]
    if prompt.uses_tools:
        found.append(_TOOLS)
    if tokens > LONG:
        found.append(_VERY_LONG if tokens > VERY_LONG else _LONG)
    if prompt.images:
        found.append(_IMAGES)
    if kind is not _SMALL_TALK:
        if prompt.turns >= SOME_TURNS:
            found.append(_MANY_TURNS if prompt.turns >= MANY_TURNS else _SOME_TURNS)
        if code and tokens > SIZED_CODE:
            found.append(_SIZED_CODE)
        if kind in DEMANDING:
            found.append(_REASONING)
        if demands >= DEMANDS:
            found.append(_MANY_DEMANDS)
    return _ALL if len(found) == 1 else (min(n for n, _ in found), min(m for _, m in found))


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
