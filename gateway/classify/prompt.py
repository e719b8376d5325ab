"""Reads a call's document once and says what a model would read of it.

Any JSON object gives a `Prompt`: nothing here raises, and nothing is rejected; that is for whoever
answers the call. Nothing is tokenised here either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.call import ImageSize
from gateway.catalog import Capability
from gateway.classify.functions import utf8_length, weigh
from gateway.classify.messages import Walk

TASK_HEAD = 1_500
TASK_TAIL = 500
CONTEXT = 500
"""Characters kept of the task's beginning and end, and of the system prompt."""

_STORED = frozenset(("previous_response_id", "conversation"))


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model would read.

    `texts` are all texts in order, each tokenised by itself; `text_bytes` their UTF-8 bytes and
    `chars` their characters; `overhead` the tokens around them. `plain` says that this is all
    there is: no tools, schema, media or anything unknown, so that counting is exact. `tool_bytes`,
    `schema_bytes` and `unread_bytes` (parts of no known shape) are bytes of JSON, `media_bytes`
    base64 of audio and files. `task` is the head and tail of the last user turn, `before` the
    head of the user turn before it, `context` that of the system prompt. `turns` are user turns.
    `stored` says that the upstream adds a conversation it keeps, which nobody here can count.
    `effort` is the reasoning effort asked for; empty when none or next to none.
    """

    texts: tuple[str, ...]
    chars: int
    text_bytes: int
    overhead: int
    plain: bool
    images: tuple[ImageSize, ...]
    needs: Capability
    task: str
    before: str
    context: str
    turns: int
    tools: int
    tool_bytes: int
    schema_bytes: int
    media_bytes: int
    unread_bytes: int
    stored: bool
    uses_tools: bool
    effort: str


def measure(document: Mapping[str, Any]) -> Prompt:
    """Walk a document once."""
    walk = Walk()
    walk.read(document)
    texts = walk.texts
    chars = sum(map(len, texts))
    ascii_only = all(map(str.isascii, texts))
    tools = named_tools(document)
    tool_bytes = weigh(tools) if tools else 0
    schema = schema_of(document)
    schema_bytes = weigh(schema) if schema is not None else 0
    stored = not _STORED.isdisjoint(document) and any(map(document.get, _STORED))
    needs = _needs(document, tools=bool(tools), schema=schema is not None)
    effort = _effort(document)
    if effort:
        needs |= Capability.REASONING
    if walk.needs is not Capability.NONE:
        needs |= walk.needs
    before, task = _asked(walk)
    return Prompt(
        texts=tuple(texts),
        chars=chars,
        text_bytes=chars if ascii_only else sum(map(utf8_length, texts)),
        overhead=walk.overhead,
        plain=walk.plain and not tools and schema is None and not stored,
        images=tuple(walk.images),
        needs=needs,
        task=task,
        before=before,
        context=walk.context[:CONTEXT],
        turns=len(walk.user),
        tools=len(tools),
        tool_bytes=tool_bytes,
        schema_bytes=schema_bytes,
        media_bytes=walk.media_bytes,
        unread_bytes=walk.unread_bytes,
        stored=stored,
        uses_tools=needs is not Capability.NONE and Capability.TOOLS in needs,
        effort=effort,
    )


def named_tools(document: Mapping[str, Any]) -> list[Any]:
    """The tools and legacy functions a call offers, whether or not it lets them be used."""
    tools, functions = document.get("tools"), document.get("functions")
    if isinstance(functions, list) and functions:
        return [*tools, *functions] if isinstance(tools, list) else functions
    return tools if isinstance(tools, list) else []


def schema_of(document: Mapping[str, Any]) -> object:
    """The JSON schema the answer must follow, if any: of `response_format` or `text.format`."""
    form = document.get("response_format")
    if form is None and isinstance(text := document.get("text"), dict):
        form = text.get("format")
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return None
    inner = form.get("json_schema")
    return inner if isinstance(inner, dict) else form


def _needs(document: Mapping[str, Any], *, tools: bool, schema: bool) -> Capability:
    needs = Capability.NONE
    if tools and document.get("tool_choice", document.get("function_call")) != "none":
        needs |= Capability.TOOLS
    if document.get("parallel_tool_calls") is True:
        needs |= Capability.PARALLEL_TOOLS
    if schema:
        needs |= Capability.JSON_SCHEMA
    logprobs = document.get("logprobs")
    # Completions ask for a number of them; 0 still asks for those of the chosen tokens.
    if logprobs is not None and logprobs is not False and isinstance(logprobs, int):
        needs |= Capability.LOGPROBS
    modalities = document.get("modalities")
    if document.get("audio") is not None or (
        isinstance(modalities, list) and "audio" in modalities
    ):
        needs |= Capability.AUDIO
    return needs


def _effort(document: Mapping[str, Any]) -> str:
    effort = document.get("reasoning_effort")
    if effort is None and isinstance(reasoning := document.get("reasoning"), dict):
        effort = reasoning.get("effort")
    return effort if isinstance(effort, str) and effort not in {"none", "minimal"} else ""


def _asked(walk: Walk) -> tuple[str, str]:
    """The user turn before the last, and the last: what the call is about."""
    if not walk.user:
        return "", _clip(walk.texts[-1]) if walk.texts else ""
    before = walk.turn(*walk.user[-2])[:CONTEXT] if len(walk.user) > 1 else ""
    return before, _clip(walk.turn(*walk.user[-1]))


def _clip(text: str) -> str:
    """The head and the tail of a long text; all of a short one."""
    if len(text) <= TASK_HEAD + TASK_TAIL:
        return text
    return text[:TASK_HEAD] + text[-TASK_TAIL:]
