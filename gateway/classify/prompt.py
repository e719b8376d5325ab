"""Reads a call's document once and says what a model would read of it.

Any JSON object gives a `Prompt`: nothing here raises, and nothing is rejected; that is for whoever
answers the call. Nothing is tokenised here either.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.call import ImageSize
from gateway.catalog import Capability
from gateway.classify.functions import utf8_length, weigh
from gateway.classify.messages import AUDIO, TOOLS, Walk
from gateway.prices import PLAIN, Manner, service_named

TASK_HEAD = 1_500
TASK_TAIL = 500
CONTEXT = 500
"""Characters kept of the task's beginning and end, and of the system prompt."""

_STORED = frozenset(("previous_response_id", "conversation"))
OPTIONS = _STORED | {
    *("tools", "functions", "parallel_tool_calls", "response_format", "text"),
    *("logprobs", "modalities", "audio", "reasoning_effort", "reasoning", "service_tier"),
}
"""Members beside the messages that change what a model reads, or must be able to do."""

# As in `messages`: the bits, because combining flags is slow.
_PARALLEL_TOOLS = Capability.PARALLEL_TOOLS.value
_JSON_SCHEMA = Capability.JSON_SCHEMA.value
_LOGPROBS = Capability.LOGPROBS.value
_REASONING = Capability.REASONING.value
_NO_NEEDS = Capability.NONE


class Prompt(NamedTuple):
    """What a model would read.

    `texts` are all texts in order, each tokenised by itself; `text_bytes` their UTF-8 bytes and
    `chars` their characters; `overhead` the tokens around them. `plain` says that this is all
    there is (and images): no tools, schema, media or anything unknown, so that counting is exact.
    `task` is the head and tail of the last user turn, `before` the head of the user turn before
    it, `context` that of the system prompt. `turns` are user turns. `media_bytes` is base64 of
    files, and a part of that of sound; `unread_bytes` (parts of no known shape), `tool_bytes` and
    `schema_bytes` are bytes of JSON. `stored` says that the upstream adds a conversation it keeps,
    which nobody here can count. `effort` is the reasoning effort asked for; empty when none or next
    to none. `manner` is which prices may be asked.
    """

    texts: tuple[str, ...]
    chars: int
    text_bytes: int
    overhead: int
    plain: bool
    images: tuple[ImageSize, ...]
    needs: Capability
    uses_tools: bool
    task: str
    before: str
    context: str
    turns: int
    media_bytes: int
    unread_bytes: int
    tools: int = 0
    tool_bytes: int = 0
    schema_bytes: int = 0
    stored: bool = False
    effort: str = ""
    manner: Manner = PLAIN


def measure(document: Mapping[str, Any]) -> Prompt:
    """Walk a document once."""
    walk = Walk()
    walk.read(document)
    texts = walk.texts
    chars = sum(map(len, texts))
    before, task = _asked(walk)
    # By position: fourteen names would take longer than the fields.
    prompt = Prompt(
        tuple(texts),
        chars,
        chars if all(map(str.isascii, texts)) else sum(map(utf8_length, texts)),
        walk.overhead,
        walk.plain,
        tuple(walk.images),
        Capability(walk.needs) if walk.needs else _NO_NEEDS,
        walk.needs & TOOLS != 0,
        task,
        before,
        walk.context[:CONTEXT],
        len(walk.user),
        walk.media_bytes,
        walk.unread_bytes,
    )
    if walk.needs & AUDIO:
        prompt = prompt._replace(manner=Manner(hears=True))
    return prompt if OPTIONS.isdisjoint(document) else _with_options(prompt, walk.needs, document)


class Options(NamedTuple):
    """What stands beside the messages; `needs` are bits, the rest is as in `Prompt`."""

    needs: int
    tools: int
    tool_bytes: int
    schema_bytes: int
    stored: bool
    effort: str


def options(document: Mapping[str, Any], needs: int) -> Options:
    """Read what stands beside messages that have some needs themselves."""
    tools = named_tools(document)
    schema = schema_of(document)
    effort = _effort(document)
    needs |= _needs(document, tools=bool(tools), schema=schema is not None)
    if effort:
        needs |= _REASONING
    return Options(
        needs,
        len(tools),
        weigh(tools) if tools else 0,
        weigh(schema) if schema is not None else 0,
        not _STORED.isdisjoint(document) and any(map(document.get, _STORED)),
        effort,
    )


def _with_options(prompt: Prompt, needs: int, document: Mapping[str, Any]) -> Prompt:
    """Add what stands beside the messages."""
    found = options(document, needs)
    needs = found.needs
    return prompt._replace(
        plain=prompt.plain and not (found.tools or found.schema_bytes or found.stored),
        needs=Capability(needs) if needs else _NO_NEEDS,
        uses_tools=needs & TOOLS != 0,
        tools=found.tools,
        tool_bytes=found.tool_bytes,
        schema_bytes=found.schema_bytes,
        stored=found.stored,
        effort=found.effort,
        manner=manner_of(document, prompt.manner),
    )


def manner_of(document: Mapping[str, Any], so_far: Manner) -> Manner:
    """Which prices the options ask for, beside what the messages do."""
    service, speaks = service_named(document.get("service_tier")), _speaks(document)
    return so_far._replace(service=service, speaks=speaks) if service or speaks else so_far


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


def _needs(document: Mapping[str, Any], *, tools: bool, schema: bool) -> int:
    """The bits of what the options need."""
    needs = _JSON_SCHEMA if schema else 0
    if tools and document.get("tool_choice", document.get("function_call")) != "none":
        needs |= TOOLS
    if document.get("parallel_tool_calls") is True:
        needs |= _PARALLEL_TOOLS
    logprobs = document.get("logprobs")
    # Completions ask for a number of them; 0 still asks for those of the chosen tokens.
    if logprobs is not None and logprobs is not False and isinstance(logprobs, int):
        needs |= _LOGPROBS
    return needs | AUDIO if _speaks(document) else needs


def _speaks(document: Mapping[str, Any]) -> bool:
    """Whether the answer may be sound."""
    modalities = document.get("modalities")
    return document.get("audio") is not None or (
        isinstance(modalities, list) and "audio" in modalities
    )


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
