"""An `Ask` → its choices: what each says or calls, why it ends, and how many tokens it is.

Deterministic: the same question with the same seed gets the same answer.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from random import Random
from string import ascii_letters, digits
from typing import Any

from gateway.catalog import Capability
from gateway.simulate.asking import Ask, text_of, texts
from gateway.simulate.faults import unmarked
from gateway.simulate.hints import Hints
from gateway.simulate.instances import instance
from gateway.simulate.pieces import Meter, split
from gateway.simulate.prose import after_tools, reply
from gateway.simulate.toolbox import Tool, name_of

ALPHABET = ascii_letters + digits
# As compact as the real thing writes it.
compact = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))

MOST_PARALLEL = 4
# Tokens thought per effort, assumed; in whole steps, as usage reports them.
EFFORTS: Mapping[str, int] = {"none": 0, "minimal": 0, "low": 128, "medium": 512, "high": 2_048}
STEP = 64


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool; `arguments` is JSON text, or the plain input of a custom tool."""

    id: str
    name: str
    arguments: str
    custom: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer. `pieces` join to `text`, a piece a token; with tool calls there is no text."""

    text: str | None
    calls: tuple[ToolCall, ...]
    finish: str
    tokens: int
    pieces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """All choices of a call, its id, and the tokens thought before them."""

    id: str
    choices: tuple[Choice, ...]
    reasoning: int

    @property
    def tokens(self) -> int:
        """Completion tokens, thought included."""
        return self.reasoning + sum(choice.tokens for choice in self.choices)


def roll(seed: int, fingerprint: bytes, purpose: str) -> Random:
    """Dice that fall alike for the same question, seed and purpose."""
    text = b"%d %b %b" % (seed, fingerprint, purpose.encode())
    number = int.from_bytes(blake2b(text, digest_size=8).digest())
    return Random(number)  # noqa: S311 - nothing secret is made with these dice


def identifier(prefix: str, length: int, dice: Random) -> str:
    """An id as OpenAI's look."""
    return prefix + "".join(dice.choices(ALPHABET, k=length))


def answer(ask: Ask, meter: Meter, seed: int) -> Answer:
    """Everything that will be said to a call."""
    dice = roll(seed, ask.fingerprint, "id")
    reasoning = _reasoning(ask, dice)
    limit = ask.limit - reasoning
    if limit <= 0:
        spent = Choice("", (), "length", 0)
        return Answer(identifier("chatcmpl-", 29, dice), (spent,) * ask.n, ask.limit)
    choices = tuple(
        _choice(ask, meter, limit, roll(seed, ask.fingerprint, f"choice {index}"))
        for index in range(ask.n)
    )
    return Answer(identifier("chatcmpl-", 29, dice), choices, reasoning)


def _reasoning(ask: Ask, dice: Random) -> int:
    if Capability.REASONING not in ask.model.capabilities:
        return 0
    effort = ask.document.get("reasoning_effort") or "medium"
    typical = EFFORTS.get(effort, EFFORTS["high"]) if isinstance(effort, str) else 0
    return round(typical * dice.lognormvariate(0.0, 0.4) / STEP) * STEP


def _choice(ask: Ask, meter: Meter, limit: int, dice: Random) -> Choice:
    messages = ask.document["messages"]
    question = _question(messages)
    toolbox = ask.toolbox
    if toolbox.tools and (toolbox.required or messages[-1]["role"] != "tool"):
        calls = tuple(_calls(ask, question, dice))
        return _calling(calls, meter, limit, "stop" if toolbox.named else "tool_calls")
    if ask.schema is not None:
        text = compact(instance(ask.schema, Hints(question)))
    elif messages[-1]["role"] == "tool":
        text = after_tools(_results(messages))
    else:
        system = "\n".join(texts(messages, "system", "developer"))
        text = reply(question, system, dice)
    return _saying(_stopped(text, ask.stop), meter, limit)


def _question(messages: list[dict[str, Any]]) -> str:
    """The last thing a user said, or whatever was said last."""
    said = list(texts(messages, "user")) or [text_of(messages[-1].get("content"))]
    return unmarked(said[-1])


def _results(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What tools answered since the assistant spoke, with their names."""
    names: dict[str, str] = {}
    found: list[tuple[str, str]] = []
    for message in messages:
        if message["role"] == "tool":
            found.append((names[message["tool_call_id"]], text_of(message.get("content"))))
            continue
        found.clear()
        for call in message.get("tool_calls") or ():
            names[call["id"]] = name_of(call) or "tool"
    return found


def _stopped(text: str, stops: tuple[str, ...]) -> str:
    """A text up to the first of its stop sequences."""
    ends = [text.find(stop) for stop in stops]
    return text[: min((end for end in ends if end >= 0), default=len(text))]


def _saying(text: str, meter: Meter, limit: int) -> Choice:
    said = meter.cut(text, limit)
    tokens = meter.text(said)
    finish = "stop" if said == text else "length"
    return Choice(said, (), finish, tokens, tuple(split(said, tokens)))


def _calling(calls: tuple[ToolCall, ...], meter: Meter, limit: int, finish: str) -> Choice:
    tokens = meter.message(message_of(None, calls))
    if tokens <= limit:
        return Choice(None, calls, finish, tokens)
    # Cut short, arguments end in mid-JSON there as well.
    first = calls[0]
    cut = ToolCall(first.id, first.name, meter.cut(first.arguments, limit), first.custom)
    return Choice(None, (cut,), "length", limit)


def message_of(text: str | None, calls: tuple[ToolCall, ...]) -> dict[str, Any]:
    """An assistant's message."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [call_of(call, call.arguments) for call in calls]
    return message


def call_of(call: ToolCall, arguments: str) -> dict[str, Any]:
    """A tool call as a reply shows it."""
    if call.custom:
        custom = {"name": call.name, "input": arguments}
        return {"id": call.id, "type": "custom", "custom": custom}
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _calls(ask: Ask, question: str, dice: Random) -> Iterator[ToolCall]:
    """The tools the question speaks of, each called once; one tool once for each name in a list.

    Without any that match, the first.
    """
    hints = Hints(question)
    tools = ask.toolbox.tools
    spoken = [tool for tool in tools if _words(tool.name) & hints.words]
    chosen = spoken or [max(tools, key=lambda tool: len(_words(tool.description) & hints.words))]
    if not ask.toolbox.parallel:
        yield _call(chosen[0], hints, dice)
        return
    if len(chosen) == 1 and _is_enumeration(question, hints):
        chosen *= min(len(hints.names), MOST_PARALLEL)
    for turn, tool in enumerate(chosen[:MOST_PARALLEL]):
        yield _call(tool, Hints(question, turn), dice)


def _words(text: str) -> frozenset[str]:
    """The telling words of a tool's name or description: `getWeather` → get, weather."""
    spaced = re.sub(r"([A-Z])", r" \1", text).lower()
    return frozenset(word for word in re.findall(r"[a-z]{4,}", spaced))


def _is_enumeration(question: str, hints: Hints) -> bool:
    """Whether names stand side by side, as in `Paris and London`."""
    pairs = zip(hints.names, hints.names[1:], strict=False)
    return any(
        f"{left}{joint}{right}" in question for left, right in pairs for joint in (" and ", ", ")
    )


def _call(tool: Tool, hints: Hints, dice: Random) -> ToolCall:
    call_id = identifier("call_", 24, dice)
    if tool.schema is None:
        return ToolCall(call_id, tool.name, hints.text_for("input"), custom=True)
    schema = {"type": "object", **tool.schema}
    if not schema.get("properties"):
        # A function without parameters is called with none.
        schema.setdefault("additionalProperties", False)
    return ToolCall(call_id, tool.name, compact(instance(schema, hints)), custom=False)
