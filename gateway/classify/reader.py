"""Hands the classifier's tables to C, which then assesses an ordinary call at once.

`_reader.h` takes the steps of `gateway.classify.assess` without an object for each; every figure
and every word it uses comes from here, so that there is one place for each. It refuses what is not
ordinary (images, sound, files, parts of unknown shape, other prices, halves of surrogate pairs,
tasks that `gateway.classify.asking` may have to change): Python looks at that. Without the compiled
module, Python looks at everything, and says the same.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from gateway.call import Assessment
from gateway.catalog import Capability
from gateway.classify import assess, encoder, signals, tokens
from gateway.classify.cues import (
    BLOCKS,
    CLOSED_ANSWERS,
    CUES,
    CUES_WITHOUT_SPACES,
    DEMANDING,
    SCRIPT_SAMPLE,
    SMALL,
    SMALL_TALK,
    Kind,
)
from gateway.classify.difficulty import FIELD, OFFSET, Difficulty
from gateway.classify.given import MOST
from gateway.classify.messages import TOOLS
from gateway.classify.priors import (
    DEMANDS,
    GPT_41,
    LONG,
    MANY_TURNS,
    SIZED_CODE,
    SOME_TURNS,
    VERY_LONG,
    Priors,
)
from gateway.classify.prompt import OPTIONS, manner_of, options
from gateway.classify.shown import LEAST, LIKE_LATIN, TO_CHANGE
from gateway.prices import PLAIN

AtOnce = Callable[[Mapping[str, Any]], Assessment | None]

_KINDS = tuple(Kind)
_SMALL_WORD = 32
"""The bit of a word that greetings consist of; below it stands a kind's number, from one on."""


def assessor(
    tokenizer: tokens.Tokenizer, difficulty: Difficulty, priors: Priors = GPT_41
) -> assess.Assessor:
    """The assessor of this installation: at once where the compiled module is there."""
    at_once = None
    if encoder.COMPILED:
        at_once = reader(encoder.swift(), tokenizer, difficulty, priors)
    return assess.Assessor(tokenizer, difficulty, priors, at_once)


def reader(
    module: ModuleType,
    tokenizer: tokens.Tokenizer,
    difficulty: Difficulty,
    priors: Priors = GPT_41,
) -> AtOnce:
    """What assesses ordinary calls, by a compiled module whose encoder the tokenizer has."""
    pairs, stretched, fixed = difficulty.folded()
    model = (tokenizer.encoder, pairs, stretched, _figures(fixed, priors), _numbers())
    found: AtOnce = module.Reader(model, _tables(), _rest()).read
    return found


def _figures(fixed: "array[float]", priors: Priors) -> "array[float]":
    """In the order of `Figures` in `_known.h`."""
    by_work = (
        *(priors.tools, priors.long, priors.very_long, priors.some_turns, priors.many_turns),
        *(priors.images, priors.sized_code, priors.reasoning, priors.many_demands, priors.schema),
    )
    rates = (
        assess.BYTES_PER_TOKEN * assess.PSEUDO_TOKENS,
        assess.TOKENS_PER_WORD,
        priors.gap,
        signals.FOREIGN_SCRIPT,
    )
    return array("d", (*fixed, *rates, *[share for pair in by_work for share in pair]))


def _numbers() -> "array[int]":
    """In the order of `Numbers` in `_known.h`."""
    lengths = (
        *(FIELD, OFFSET, assess.PSEUDO_TOKENS, assess.EXACT_CHARS, assess.EXACT_TEXTS),
        *(assess.FOLLOW_UP, assess.JSON_BYTES_PER_TOKEN, assess.JSON_SLACK),
        *(tokens.LONGEST_TOKEN, assess.MOST_CHOICES),
    )
    facts = (
        *(signals.SMALL_TALK_CHARS, signals.SHORT_ANSWER, DEMANDS),
        *(LONG, VERY_LONG, SIZED_CODE, SOME_TURNS, MANY_TURNS),
    )
    answers = (
        *(assess.TOOL_ANSWER, assess.SCHEMA_ANSWER, assess.SCHEMA_MOST, assess.SCHEMA_BYTES),
        *map(_KINDS.index, (Kind.SMALL_TALK, Kind.LABEL, Kind.TRANSLATE)),
        *map(_KINDS.index, (Kind.CODE, Kind.SHORT, Kind.OTHER)),
    )
    return array("q", (*lengths, *facts, *answers, TOOLS, MOST, LEAST))


def _tables() -> tuple[object, ...]:
    """Kinds of work, and the words and phrases that name them."""
    kinds = [
        (
            str(kind),
            kind in SMALL,
            kind in DEMANDING,
            signals.EASY.get(kind, 0.0),
            assess.ANSWERS.get(kind, 0),
        )
        for kind in _KINDS
    ]
    values = {cue: _KINDS.index(kind) + 1 for cue, kind in CUES.items()}
    words = dict(values)
    for word in SMALL_TALK:
        words[word] = words.get(word, 0) | _SMALL_WORD
    return (
        kinds,
        list(words.items()),
        [(cue, values[cue]) for cue in CUES_WITHOUT_SPACES],
        *map(_listed, (CLOSED_ANSWERS, signals.EITHER, signals.CODE_MARKS, signals.LENGTH_UNITS)),
        signals.MARKS.decode(),
        "".join(signals.PUNCTUATION_ELSEWHERE),
        TO_CHANGE,
        LIKE_LATIN,
    )


def _listed(phrases: Iterable[str]) -> list[tuple[str, int]]:
    return [(phrase, 1) for phrase in phrases]


def _rest() -> tuple[object, ...]:
    """Scripts, words for people, what stands beside messages, and what is made."""
    scripts = ["", *dict.fromkeys(script for _, script in BLOCKS if script)]
    return (
        [(start, scripts.index(script)) for start, script in BLOCKS],
        [f"{script} script" for script in scripts],
        SCRIPT_SAMPLE,
        "code",
        "many demands",
        _beside,
        _by_marks,
        OPTIONS,
        Assessment,
        PLAIN,
        [Capability(bits) for bits in range(sum(one.value for one in Capability) + 1)],
    )


def _by_marks(task: str, ends: str) -> int:
    return _KINDS.index(signals.by_marks(task, ends))


def _beside(document: Mapping[str, Any], needs: int) -> tuple[int, int, int, int, bool, int] | None:
    """What stands beside the messages, as `Options` in `_known.h`; None: it has other prices."""
    if manner_of(document, PLAIN) is not PLAIN:
        return None
    found = options(document, needs)
    return (*found[:5], assess.thinking(found.effort))
