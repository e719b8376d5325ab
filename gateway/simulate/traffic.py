"""Realistic calls without end, for demonstrations and load: many kinds, in production's shares.

Bodies are whole chat requests for `auto`; the same seed gives the same calls.
"""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from gateway.simulate.material import fill, picture
from gateway.simulate.scenes import SCHEMAS, SYSTEMS, TEXTS, TOOLS, WEIGHTS

Body = dict[str, Any]
Message = dict[str, Any]

STREAMED_SHARE = 0.5
# Kinds whose answers are read by programs, at once and whole.
NEVER_STREAMED = frozenset({"classification", "extraction", "schema"})


def prompts(seed: int) -> Iterator[Body]:
    """Chat requests, for ever."""
    dice = Random(seed)  # noqa: S311 - invented traffic needs no secrets
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    while True:
        kind = dice.choices(kinds, weights)[0]
        yield _body(kind, dice)


def _body(kind: str, dice: Random) -> Body:
    text = fill(dice.choice(TEXTS[kind]), dice)
    messages = [*_system(kind, dice), *SHAPES.get(kind, _plain)(text, dice)]
    body: Body = {"model": "auto", "messages": messages}
    body.update(PARAMETERS.get(kind, _no_parameters)(dice))
    if kind not in NEVER_STREAMED and dice.random() < STREAMED_SHARE:
        body["stream"] = True
        if dice.random() < STREAMED_SHARE:
            body["stream_options"] = {"include_usage": True}
    return body


def _system(kind: str, dice: Random) -> list[Message]:
    if kind not in SYSTEMS:
        return []
    return [{"role": "system", "content": fill(SYSTEMS[kind], dice)}]


def _plain(text: str, _: Random) -> list[Message]:
    return [{"role": "user", "content": text}]


def _pictured(text: str, dice: Random) -> list[Message]:
    image = {"type": "image_url", "image_url": {"url": picture(dice)}}
    return [{"role": "user", "content": [{"type": "text", "text": text}, image]}]


def _continued(text: str, dice: Random) -> list[Message]:
    """A conversation of some turns, ending with a follow-up."""
    turns: list[Message] = []
    for _ in range(dice.randint(1, 6)):
        kind = dice.choice(("explanation", "writing", "code", "question"))
        turns.append({"role": "user", "content": fill(dice.choice(TEXTS[kind]), dice)})
        turns.append({"role": "assistant", "content": fill("{text}", dice)})
    return [*turns, {"role": "user", "content": text}]


def _tooled(text: str, dice: Random) -> list[Message]:
    """A question for a tool; half of the time the tool has answered already."""
    asked: Message = {"role": "user", "content": text}
    if dice.random() < STREAMED_SHARE:
        return [asked]
    call_id = f"call_{dice.getrandbits(64):016x}"
    named = {"name": "search_handbook", "arguments": '{"query":"' + dice.choice(WORDS) + '"}'}
    called = {"id": call_id, "type": "function", "function": named}
    return [
        asked,
        {"role": "assistant", "content": None, "tool_calls": [called]},
        {"role": "tool", "tool_call_id": call_id, "content": fill("{text}", dice)},
    ]


WORDS = ("deadline", "refund", "travel", "overtime", "security")


def _no_parameters(_: Random) -> Body:
    return {}


def _label(dice: Random) -> Body:
    return {"temperature": 0, "max_tokens": dice.choice((5, 10, 16))}


def _exact(_: Random) -> Body:
    return {"temperature": 0}


def _creative(dice: Random) -> Body:
    return {"temperature": dice.choice((0.7, 1.0, 1.2)), "max_completion_tokens": 800}


def _with_tools(dice: Random) -> Body:
    return {"tools": dice.sample(TOOLS, dice.randint(1, len(TOOLS)))}


def _with_schema(dice: Random) -> Body:
    return {"response_format": {"type": "json_schema", "json_schema": dice.choice(SCHEMAS)}}


SHAPES: Mapping[str, Callable[[str, Random], list[Message]]] = {
    "image": _pictured,
    "follow_up": _continued,
    "tools": _tooled,
}
PARAMETERS: Mapping[str, Callable[[Random], Body]] = {
    "classification": _label,
    "extraction": _exact,
    "sql": _exact,
    "writing": _creative,
    "tools": _with_tools,
    "schema": _with_schema,
}
