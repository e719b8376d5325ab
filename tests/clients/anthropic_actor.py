"""What anthropic-python is made to do: Messages, answered by the gateway's tiers."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import anthropic
from pydantic import BaseModel

from tests.clients import acting
from tests.clients.acting import Stage

TOOLS: Any = [
    {
        "name": "get_weather",
        "description": "The weather in a city",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
]


class Person(BaseModel):
    """What structured output is read into."""

    name: str
    age: int
    likes: list[str]


def client(stage: Stage) -> anthropic.Anthropic:
    """A client as its users make it: the address is that without `/v1`."""
    return anthropic.Anthropic(
        base_url=stage.url.removesuffix("/v1"),
        api_key=acting.KEY,
        max_retries=0,
        timeout=acting.PATIENCE,
        default_headers=stage.headers,
    )


def usual(stage: Stage, content: Any, **more: Any) -> dict[str, Any]:
    """The arguments of every call."""
    messages = [{"role": "user", "content": content}]
    return {"model": stage.model, "max_tokens": 500, "messages": messages, **more}


def dump(found: BaseModel) -> dict[str, Any]:
    """Everything the client read, fields it does not know included."""
    seen: dict[str, Any] = found.model_dump(mode="json", warnings=False)
    if seen.get("type") == "message_start":
        # An estimate, and only where a call was assessed; what was counted comes last.
        del seen["message"]["usage"]["input_tokens"]
    return seen


def ask(stage: Stage, content: Any, **more: Any) -> Any:
    return dump(client(stage).messages.create(**usual(stage, content, **more)))


def streamed(stage: Stage, content: Any, **more: Any) -> Any:
    call = usual(stage, content, stream=True, **more)
    return acting.until_it_ends(map(dump, client(stage).messages.create(**call)))


def stream_events(stage: Stage) -> Any:
    with client(stage).messages.stream(**usual(stage, "Greet me.")) as events:
        kinds = [event.type for event in events]
        return {"kinds": kinds, "final": dump(events.get_final_message())}


def tools_round(stage: Stage) -> Any:
    call = usual(stage, acting.WEATHER, tools=TOOLS)
    asking = client(stage).messages.create(**call)
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": acting.SKY}
        for block in asking.content
        if block.type == "tool_use"
    ]
    call["messages"] += [
        {"role": "assistant", "content": asking.content},
        {"role": "user", "content": results},
    ]
    return [dump(asking), dump(client(stage).messages.create(**call))]


def parse(stage: Stage) -> Any:
    asked = client(stage).messages.parse(**usual(stage, acting.PERSON), output_format=Person)
    found = asked.parsed_output
    return {"parsed": found and found.model_dump(), "reply": dump(asked)}


def vision(stage: Stage) -> Any:
    data = stage.image.partition(",")[2]
    source = {"type": "base64", "media_type": "image/png", "data": data}
    return ask(stage, [{"type": "image", "source": source}, {"type": "text", "text": "What?"}])


def counted(stage: Stage) -> Any:
    call = usual(stage, acting.INFLATION, tools=TOOLS)
    del call["max_tokens"]
    return dump(client(stage).messages.count_tokens(**call))


def hang_up(stage: Stage) -> Any:
    with client(stage).messages.create(**usual(stage, acting.STALLED, stream=True)) as events:
        return dump(next(events))


CASES: Mapping[str, Callable[[Stage], Any]] = {
    "chat": partial(ask, content=acting.INFLATION, system="Be brief.", stop_sequences=["END"]),
    "stream": partial(streamed, content=acting.RIVERS),
    "stream_events": stream_events,
    "tools": partial(ask, content=acting.CITIES, tools=TOOLS),
    "tools_round": tools_round,
    "tools_stream": partial(
        streamed, content=acting.WEATHER, tools=TOOLS, tool_choice={"type": "any"}
    ),
    "parse": parse,
    "vision": vision,
    "counted": counted,
    "invalid": partial(ask, content="Hello", extra_body={"temperature": 9}),
    "untranslatable": partial(ask, content="Hello", extra_body={"top_k": 3}),
    "unknown_model": partial(ask, content="Hello", extra_body={"model": "gpt-nonesuch"}),
    "server_error": partial(ask, content=acting.BROKEN),
    "torn": partial(streamed, content=acting.SILENT),
    "hang_up": hang_up,
    "its_document": acting.documented("docs/anthropic.md"),
}

if __name__ == "__main__":
    acting.perform(CASES, "anthropic-python")
