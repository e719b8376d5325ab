"""What we think of a call before choosing: length, needs, difficulty, signals.

One tokenizer pass over the head and tail of what is asked serves length and difficulty. A short
plain prompt is thereby counted exactly; of a longer one the rest is estimated from its bytes, at
the rate its own sample shows, within bounds that are sure. Where a bound decides something, `count`
counts.

What cannot be seen cannot be bounded: a conversation that the upstream keeps is not in any figure
(the signal `stored conversation` says so).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from gateway.call import Assessment
from gateway.classify import signals
from gateway.classify.cues import Kind
from gateway.classify.functions import pieces, schema_pieces, utf8_length
from gateway.classify.prompt import Prompt, measure, named_tools, schema_of
from gateway.classify.signals import Signals
from gateway.classify.tokens import Tokenizer

LONG_BODY = 64 * 1024
"""Bytes of a body from which assessing takes longer than the loop may be held up."""

EXACT_CHARS = 2_000
EXACT_TEXTS = 6
"""What is counted whole: its tokens cost no more than those of any head and tail."""

REMEMBERED = 1_024
"""Texts, system prompts and earlier turns above all, whose counts and kinds are remembered. None
counted is longer than `EXACT_CHARS`, no context than 500 characters: 8 MB if all were emoji."""

FOLLOW_UP = 40
"""Characters below which a turn ("and why?") is judged together with the one before it."""

BYTES_PER_TOKEN = 4.3
PSEUDO_TOKENS = 40
"""The rate a sample is blended with: measured between 4.0 (Korean) and 9.5 (Russian), English
prose and code 4 to 5, JSON of numbers 2."""

JSON_BYTES_PER_TOKEN = 5
"""For tools and schemas, measured against the published formula: 4.7 to 5.7."""

JSON_SLACK = 20
"""A bound for JSON is twice its bytes and this for each tool: enumerations of digits need it."""

UNREAD_BYTES_PER_TOKEN = 4
MEDIA_BYTES_PER_TOKEN = 16
"""For parts of unknown shape, and base64 of files and audio: a guess, bounded by their bytes."""

MOST_CHOICES = 128
"""The largest `n` the API takes; more is an error there, and no sum of ours."""

# Tokens of a usual answer, by what is asked for.
_ANSWERS = {
    Kind.SMALL_TALK: 30,
    Kind.LABEL: 10,
    Kind.EXTRACT: 120,
    Kind.SUMMARY: 200,
    Kind.PROSE: 1_000,
    Kind.CODE: 700,
    Kind.PROOF: 900,
    Kind.CONCURRENCY: 900,
    Kind.SHORT: 10,
    Kind.OTHER: 300,
}
# A member looked up on its class takes ten times as long as a name of the module.
_SMALL_TALK, _TRANSLATE, _OTHER = Kind.SMALL_TALK, Kind.TRANSLATE, Kind.OTHER
_TOOL_ANSWER = 120
_SCHEMA_ANSWER = 60
_SCHEMA_MOST = 800
_TOKENS_PER_WORD = 1.35
_THINKING = {"low": 300, "medium": 1_000, "high": 3_000}
_LONGEST_THINKING = 6_000


class DifficultyModel(Protocol):
    """Predicts quality from text alone."""

    def estimate(self, ids: Sequence[int], task: str) -> tuple[float, float, float]:
        """The quality of nano, mini and full, each 0–1, for a task and its tokens."""
        ...


class Assessor:
    """Assesses calls, from any thread; of those before it remembers what repeated texts are."""

    __slots__ = ("_counted", "_defined", "_difficulty", "_tokenizer")

    def __init__(self, tokenizer: Tokenizer, difficulty: DifficultyModel) -> None:
        self._tokenizer = tokenizer
        self._difficulty = difficulty
        self._counted: Callable[[str], int] = lru_cache(REMEMBERED)(tokenizer.count)
        self._defined: Callable[[str], Kind] = lru_cache(REMEMBERED)(signals.defined)

    def assess(self, document: Mapping[str, Any]) -> Assessment:
        """Assess a call's document; any JSON object gives an answer."""
        prompt = measure(document)
        ids = self._tokenizer.ids(prompt.task)
        tokens, bounds = self._length(prompt, len(ids))
        allowed, choices = _allowed(document), _choices(document)
        found = signals.read(prompt, tokens, allowed, self._defined)
        quality = signals.temper(self._predict(prompt, ids, found), found)
        expected = _answer(prompt, found, len(ids))
        if prompt.effort:
            expected += _THINKING.get(prompt.effort, _LONGEST_THINKING)
        if allowed is not None and allowed < expected:
            expected = allowed
        # By position: names would take longer than the fields.
        return Assessment(
            tokens,
            bounds,
            expected * choices,
            None if allowed is None else allowed * choices,
            prompt.needs,
            quality,
            quality[2] - quality[0],
            found.words,
            prompt.images,
        )

    @staticmethod
    def is_long(body_bytes: int) -> bool:
        """Whether a body of so many bytes should be assessed in a thread."""
        return body_bytes > LONG_BODY

    def count(self, document: Mapping[str, Any], stop_above: int | None = None) -> int:
        """Count the tokens of a prompt's texts, tools and schema (for a thread).

        Exact for plain prompts; tools and schemas follow the published formula, and files, audio
        and unknown parts stay estimates. With `stop_above`, counting ends once it is exceeded.
        """
        prompt = measure(document)
        schema = schema_of(document)
        tool_texts, tool_overhead = pieces(named_tools(document))
        inner = schema.get("schema") if isinstance(schema, dict) else None
        schema_texts, schema_overhead = schema_pieces(inner)
        tokens = prompt.overhead + tool_overhead + schema_overhead + _unseen(prompt)
        for text in (*prompt.texts, *tool_texts, *schema_texts):
            if stop_above is None:
                tokens += self._tokenizer.count(text)
            elif tokens <= stop_above:
                tokens += self._tokenizer.count_bounded(text, stop_above - tokens)
        return tokens

    def _length(self, prompt: Prompt, sample: int) -> tuple[int, tuple[int, int]]:
        """The best estimate of the prompt's tokens, and what they surely lie between.

        `sample` is the tokens of the task.
        """
        texts, task = prompt.texts, prompt.task
        if prompt.plain and prompt.chars <= EXACT_CHARS and len(texts) <= EXACT_TEXTS:
            tokens = prompt.overhead
            for text in texts:
                tokens += sample if text is task else self._counted(text)
            return tokens, (tokens, tokens)
        sampled = utf8_length(task)
        rate = (sampled + BYTES_PER_TOKEN * PSEUDO_TOKENS) / (sample + PSEUDO_TOKENS)
        rest = max(prompt.text_bytes - sampled, 0)
        json_bytes = prompt.tool_bytes + prompt.schema_bytes
        low, high = self._tokenizer.bounds(prompt.text_bytes)
        if prompt.plain:
            low, high = low + prompt.overhead, high + prompt.overhead
        else:
            high += prompt.overhead + 2 * json_bytes + JSON_SLACK * (prompt.tools + 1)
            high += prompt.media_bytes + prompt.unread_bytes
        tokens = prompt.overhead + sample + int(rest / rate)
        tokens += json_bytes // JSON_BYTES_PER_TOKEN + _unseen(prompt)
        return min(max(tokens, low), high), (low, high)

    def _predict(
        self, prompt: Prompt, ids: Sequence[int], found: Signals
    ) -> tuple[float, float, float]:
        task = prompt.task
        if len(task) < FOLLOW_UP and prompt.before and found.kind is not _SMALL_TALK:
            task = f"{prompt.before}\n{task}"
            ids = self._tokenizer.ids(task)
        return self._difficulty.estimate(ids, task)


def _unseen(prompt: Prompt) -> int:
    """A guess at what has no text."""
    unread = prompt.unread_bytes // UNREAD_BYTES_PER_TOKEN
    return unread + prompt.media_bytes // MEDIA_BYTES_PER_TOKEN


def _answer(prompt: Prompt, found: Signals, task_tokens: int) -> int:
    """Tokens of the answer to expect, for one choice and without limits."""
    if found.words_wanted:
        return int(found.words_wanted * _TOKENS_PER_WORD)
    if prompt.schema_bytes:
        return min(_SCHEMA_ANSWER + prompt.schema_bytes // 12, _SCHEMA_MOST)
    if found.kind is _TRANSLATE:
        whole = task_tokens * prompt.chars // max(len(prompt.task), 1)
        return 20 + max(task_tokens, whole)
    if found.kind is _OTHER and prompt.tools:
        return _TOOL_ANSWER
    return _ANSWERS[found.kind]


def _allowed(document: Mapping[str, Any]) -> int | None:
    """The limit on one completion, by whichever name the endpoint has for it."""
    for name in ("max_completion_tokens", "max_tokens", "max_output_tokens"):
        limit = document.get(name)
        if isinstance(limit, int) and limit > 0 and limit is not True:
            return limit
    return None


def _choices(document: Mapping[str, Any]) -> int:
    """How many completions are paid for."""
    choices = 1
    for name in ("n", "best_of"):
        wanted = document.get(name)
        if isinstance(wanted, int) and wanted > choices:
            choices = min(wanted, MOST_CHOICES)
    return choices
