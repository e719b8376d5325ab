"""What we think of a call before choosing: length, needs, difficulty, signals.

One tokenizer pass over the head and tail of what is asked serves length and difficulty. A short
plain prompt is thereby counted exactly; of a longer one the rest is estimated from its bytes, at
the rate its own sample shows, within bounds that are sure. Where a bound decides something, `count`
counts. What was asked before, word for word, is neither split nor judged again.

What cannot be seen cannot be bounded: a conversation that the upstream keeps is not in any figure
(the signal `stored conversation` says so).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from gateway.call import Assessment
from gateway.classify import signals
from gateway.classify.asking import asked
from gateway.classify.cues import Kind
from gateway.classify.difficulty import excerpt
from gateway.classify.functions import pieces, schema_pieces, utf8_length
from gateway.classify.priors import GPT_41, Priors
from gateway.classify.prompt import Prompt, measure, named_tools, schema_of
from gateway.classify.signals import Context, Signals
from gateway.classify.tokens import Tokenizer

EXACT_CHARS = 2_000
EXACT_TEXTS = 6
"""What is counted whole, if the task is: system prompts and turns repeat, and are remembered."""

REMEMBERED = 1_024
"""Texts, system prompts and earlier turns above all, whose counts and kinds are remembered, and as
many tasks with what was predicted for them. None counted is longer than `EXACT_CHARS`, no task than
an excerpt, no context than 500 characters: 12 MB if all were emoji."""

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
"""For parts of unknown shape, and base64 of files: a guess, bounded by their bytes."""

MOST_CHOICES = 128
"""The largest `n` the API takes; more is an error there, and no sum of ours."""

# Tokens of a usual answer, by what is asked for.
ANSWERS = {
    Kind.SMALL_TALK: 30,
    Kind.LABEL: 10,
    Kind.EXTRACT: 120,
    Kind.SUMMARY: 200,
    Kind.PROSE: 1_000,
    Kind.CODE: 700,
    Kind.PROOF: 900,
    Kind.CONCURRENCY: 900,
    Kind.SHORT: 10,
    Kind.GIVEN: 60,
    Kind.OTHER: 300,
}
# A member looked up on its class takes ten times as long as a name of the module.
_SMALL_TALK, _TRANSLATE, _OTHER = Kind.SMALL_TALK, Kind.TRANSLATE, Kind.OTHER
TOOL_ANSWER = 120
SCHEMA_ANSWER = 60
SCHEMA_MOST = 800
SCHEMA_BYTES = 12
TOKENS_PER_WORD = 1.35
_THINKING = {"low": 300, "medium": 1_000, "high": 3_000}
_LONGEST_THINKING = 6_000


class DifficultyModel(Protocol):
    """Predicts quality from text alone."""

    def estimate(self, ids: Sequence[int], task: str) -> tuple[float, float, float]:
        """The quality of nano, mini and full, each 0–1, for a task and its tokens."""
        ...


class Assessor:
    """Assesses calls, from any thread; of those before it remembers what repeated texts are."""

    __slots__ = ("_at_once", "_counted", "_defined", "_judged", "_priors", "_tokenizer")

    def __init__(
        self,
        tokenizer: Tokenizer,
        difficulty: DifficultyModel,
        priors: Priors = GPT_41,
        at_once: Callable[[Mapping[str, Any]], Assessment | None] | None = None,
    ) -> None:
        """`at_once` (`gateway.classify.reader`) says the same as the steps here, or None."""

        def judge(task: str) -> tuple[int, tuple[float, float, float]]:
            ids = tokenizer.ids(task)
            return len(ids), difficulty.estimate(ids, task)

        self._tokenizer = tokenizer
        self._at_once = at_once
        self._priors = priors
        self._judged: Callable[[str], tuple[int, tuple[float, float, float]]]
        self._judged = lru_cache(REMEMBERED)(judge)
        self._counted: Callable[[str], int] = lru_cache(REMEMBERED)(tokenizer.count)
        self._defined: Callable[[str], Context] = lru_cache(REMEMBERED)(signals.defined)

    def assess(self, document: Mapping[str, Any]) -> Assessment:
        """Assess a call's document; any JSON object gives an answer."""
        if self._at_once is not None and (seen := self._at_once(document)) is not None:
            return seen
        prompt = measure(document)
        task = excerpt(prompt.task)
        shown = asked(task)
        if shown is not task or (prompt.before and len(task) < FOLLOW_UP):
            sample, judged = self._counted(task), None
        else:
            sample, judged = self._judged(task)
        tokens, bounds = self._length(prompt, task, sample)
        if shown is not task:
            prompt = prompt._replace(task=shown)
        allowed, choices = _allowed(document), _choices(document)
        found = signals.read(prompt, tokens, allowed, self._defined, self._priors)
        if judged is None:
            _, judged = self._judged(_with_before(prompt, shown, found))
        quality = signals.temper(judged, found)
        expected = _answer(prompt, found, sample, len(task))
        expected += thinking(prompt.effort)
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
            prompt.manner,
        )

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

    def _length(self, prompt: Prompt, task: str, sample: int) -> tuple[int, tuple[int, int]]:
        """The best estimate of the prompt's tokens, and what they surely lie between.

        `sample` is the tokens of what is read of the task.
        """
        texts = prompt.texts
        if (
            prompt.plain
            and task is prompt.task
            and prompt.chars <= EXACT_CHARS
            and len(texts) <= EXACT_TEXTS
        ):
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


def thinking(effort: str) -> int:
    """Tokens of the reasoning that an effort asks for; empty is none."""
    return _THINKING.get(effort, _LONGEST_THINKING) if effort else 0


def _with_before(prompt: Prompt, task: str, found: Signals) -> str:
    """A task, with the turn before it where it makes little sense alone."""
    if not prompt.before or len(task) >= FOLLOW_UP or found.kind is _SMALL_TALK:
        return task
    return f"{prompt.before}\n{task}"


def _unseen(prompt: Prompt) -> int:
    """A guess at what has no text."""
    unread = prompt.unread_bytes // UNREAD_BYTES_PER_TOKEN
    return unread + prompt.media_bytes // MEDIA_BYTES_PER_TOKEN


def _answer(prompt: Prompt, found: Signals, sample: int, read: int) -> int:
    """Tokens of the answer to expect, for one choice and without limits.

    `sample` is the tokens of the characters of the task that were `read`.
    """
    if found.words_wanted:
        return int(found.words_wanted * TOKENS_PER_WORD)
    if prompt.schema_bytes:
        return min(SCHEMA_ANSWER + prompt.schema_bytes // SCHEMA_BYTES, SCHEMA_MOST)
    if found.kind is _TRANSLATE:
        return 20 + max(sample, sample * prompt.chars // max(read, 1))
    if found.kind is _OTHER and prompt.tools:
        return TOOL_ANSWER
    return ANSWERS[found.kind]


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
