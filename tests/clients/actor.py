"""What one release of openai-python is made to do. Runs in an environment of its own.

Reads a plan from standard input and writes `{run: {case: result}}` to standard output. It imports
nothing but the client and other actors: what it sees must not depend on the project it tests.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import openai
import pydantic

from tests.clients import acting, actor_responses

# Longer than any case needs, shorter than the fault it meets.
SHORT_TIMEOUT = 0.4
# The simulated rate limit has passed by then.
BREATH = 0.2
SLOW = "[[fault:slow=20]] Hello"
STALLED = "[[fault:stall after=3]] Tell me a story about the sea."
TOOLS: Any = [{"type": "function", "function": acting.GET_WEATHER}]


class Person(pydantic.BaseModel):
    """What structured output is read into."""

    name: str
    age: int
    likes: list[str]


class Stage(NamedTuple):
    """Where a case plays: the client, the model it names, the mark its calls carry upstream."""

    client: openai.OpenAI
    url: str
    model: str
    mark: str
    image: str

    def call(self, text: str, **more: Any) -> dict[str, Any]:
        """The arguments of a usual call."""
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": text}],
            "extra_headers": {"x-client-request-id": self.mark},
            **more,
        }


def dump(found: pydantic.BaseModel) -> dict[str, Any]:
    """Everything the client read, fields it does not know included."""
    # What was parsed is of a type its field was not declared with: pydantic would warn.
    seen = found.model_dump(mode="json", warnings=False)
    return {**seen, "_request_id": getattr(found, "_request_id", None)}


def told(error: BaseException) -> dict[str, Any]:
    """An exception, as far as callers look at it."""
    fields = ("status_code", "code", "type", "param", "message", "body", "request_id")
    seen = {name: getattr(error, name) for name in fields if hasattr(error, name)}
    return {"raised": type(error).__name__, **seen}


def streamed(chunks: Any) -> dict[str, Any]:
    """A stream's chunks, and what ended it."""
    seen: list[Any] = []
    try:
        seen.extend(dump(chunk) for chunk in chunks)
    except Exception as error:  # noqa: BLE001 - whatever a client raises is the result
        return {"chunks": seen, "error": told(error)}
    return {"chunks": seen, "error": None}


# What is asked in a plain call, and what else is said: the result is the reply, or what it raises.
CALLS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "chat": ("What is inflation?", {}),
    "options": ("Name a colour.", {"n": 2, "logprobs": True, "top_logprobs": 2, "stop": ["."],
                "max_completion_tokens": 12, "metadata": {"a": "b"}, "service_tier": "flex"}),
    "tools": ("How is the weather in Paris and London?", {"tools": TOOLS}),
    "json_schema": ("Answer in JSON.", {"response_format": {"type": "json_schema", "json_schema":
                    {"name": "answer", "schema": {"type": "object", "properties": {}}}}}),
    "invalid": ("Hello", {"temperature": 9}),
    "no_messages": ("", {"messages": []}),
    "unknown_model": ("Hello", {"model": "gpt-nonesuch"}),
    "too_long": ("word " * 1_100_000, {}),
    "server_error": ("[[fault:status=500]] Hello", {}),
    "timeout": (SLOW, {"timeout": SHORT_TIMEOUT}),
}  # fmt: skip
# The same for streams: the result is their chunks, and what ended them.
STREAMS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "stream": ("Write two sentences about rivers, with an emoji.", {}),
    "stream_usage": ("Count to five.", {"stream_options": {"include_usage": True}, "n": 2}),
    "stream_unpadded": ("Count.", {"stream_options": {"include_obfuscation": False}}),
    "stream_logprobs": ("Count.", {"logprobs": True, "top_logprobs": 2}),
    "tools_stream": ("How is the weather in Rome?", {"tools": TOOLS, "tool_choice": "required"}),
    "invalid_stream": ("Hello", {"top_logprobs": 99, "logprobs": True}),
    "stream_timeout": (STALLED, {"timeout": SHORT_TIMEOUT}),
    "cut": ("[[fault:cut after=3]] Tell me a story.", {}),
    "silent": ("[[fault:silent after=3]] Tell me a story.", {}),
    "error_event": ("[[fault:error_event after=3]] Tell me a story.", {}),
}


def plain(stage: Stage, text: str, more: Mapping[str, Any]) -> Any:
    return dump(stage.client.chat.completions.create(**stage.call(text, **more)))


def stream(stage: Stage, text: str, more: Mapping[str, Any]) -> Any:
    call = stage.call(text, **more, stream=True)
    return streamed(stage.client.chat.completions.create(**call))


def stream_events(stage: Stage) -> Any:
    with stage.client.chat.completions.stream(**stage.call("Greet me.")) as events:
        kinds = [event.type for event in events]
        return {"kinds": kinds, "final": dump(events.get_final_completion())}


def tools_round(stage: Stage) -> Any:
    call = stage.call("How is the weather in Oslo?", tools=TOOLS)
    first = stage.client.chat.completions.create(**call).choices[0].message
    answers = [
        {"role": "tool", "tool_call_id": asked.id, "content": '{"sky":"clear","degrees":4}'}
        for asked in first.tool_calls or ()
    ]
    call["messages"] += [first, *answers]
    return dump(stage.client.chat.completions.create(**call))


def parse(stage: Stage) -> Any:
    call = stage.call("Invent a person.", response_format=Person)
    return dump(stage.client.chat.completions.parse(**call))


def vision(stage: Stage) -> Any:
    call = stage.call("")
    url = {"url": stage.image, "detail": "low"}
    parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": url}]
    call["messages"][0]["content"] = parts
    return dump(stage.client.chat.completions.create(**call))


def headers(stage: Stage) -> Any:
    raw = stage.client.chat.completions.with_raw_response.create(**stage.call("Hello"))
    return {"model": raw.parse().model, "headers": dict(raw.headers)}


def stream_headers(stage: Stage) -> Any:
    call = stage.call("Hello", stream=True)
    with stage.client.chat.completions.with_streaming_response.create(**call) as raw:
        lines = list(raw.iter_lines())
        model = json.loads(lines[0].removeprefix("data: "))["model"]
        return {"model": model, "headers": dict(raw.headers), "lines": lines}


def kept(stage: Stage) -> Any:
    """The same call twice, where the gateway keeps the reply."""
    call = stage.call("What is a kept reply?")
    call["extra_headers"] = {**call["extra_headers"], "x-gateway-cache": "force"}
    twice = [stage.client.chat.completions.with_raw_response.create(**call) for _ in range(2)]
    return [
        {"reply": dump(raw.parse()), "cache": raw.headers.get("x-gateway-cache")} for raw in twice
    ]


def hang_up(stage: Stage) -> Any:
    call = stage.call(STALLED, stream=True)
    with stage.client.chat.completions.create(**call) as chunks:
        return [dump(next(chunks)) for _ in range(3)]


def models(stage: Stage) -> Any:
    return {
        "ids": [model.id for model in stage.client.models.list()],
        "one": stage.client.models.retrieve("gpt-4.1").id,
        "kind": stage.client.models.retrieve("gpt-4.1").object,
    }


def async_stream(stage: Stage) -> Any:
    async def play() -> list[Any]:
        async with asking(stage) as client:
            call = stage.call("Write a sentence about hills.", stream=True)
            return [dump(chunk) async for chunk in await client.chat.completions.create(**call)]

    return asyncio.run(play())


def async_hang_up(stage: Stage) -> Any:
    """A task that waits for a reply is cancelled."""

    async def play() -> str:
        async with asking(stage) as client:
            with suppress(TimeoutError):
                await asyncio.wait_for(client.chat.completions.create(**stage.call(SLOW)), 0.3)
                return "answered"
            return "cancelled"

    return asyncio.run(play())


def asking(stage: Stage) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=stage.url, api_key="sk-client", max_retries=0)


def rate_limited(stage: Stage) -> Any:
    """The last: the gateway lets a deployment rest as long as it asked to be left alone."""
    call = stage.call("[[fault:status=429 retry-after=0.05]] Hello")
    try:
        return dump(stage.client.chat.completions.create(**call))
    except openai.RateLimitError as error:
        names = ("retry-after", "retry-after-ms")
        return {**told(error), "waits": {name: error.response.headers.get(name) for name in names}}
    finally:
        time.sleep(BREATH)


OTHERS: tuple[Callable[[Stage], Any], ...] = (
    stream_events, tools_round, parse, vision, headers, stream_headers, kept, hang_up, models,
    async_stream, async_hang_up, rate_limited,
)  # fmt: skip
CASES: Mapping[str, Callable[[Stage], Any]] = {
    **{name: partial(plain, text=text, more=more) for name, (text, more) in CALLS.items()},
    **{name: partial(stream, text=text, more=more) for name, (text, more) in STREAMS.items()},
    **actor_responses.CASES,
    "readme": acting.documented("README.md", "Start"),
    "migrating": acting.documented("docs/migrating.md"),
    **{case.__name__: case for case in OTHERS},
}


def run(plan: Mapping[str, Any], image: str) -> dict[str, Any]:
    """Play every case of a run."""
    results: dict[str, Any] = {}
    url, name = plan["url"], plan["name"]
    with openai.OpenAI(base_url=url, api_key="sk-client", max_retries=0, timeout=60) as client:
        for title, case in CASES.items():
            if title in plan["skip"]:
                continue
            stage = Stage(client, url, plan["model"], f"{plan['mark']}/{name}/{title}", image)
            try:
                results[title] = case(stage)
            except Exception as error:  # noqa: BLE001 - whatever a client raises is the result
                results[title] = told(error)
    return results


def main() -> None:
    """Play every run."""
    plan = json.load(sys.stdin)
    results = {each["name"]: run(each, plan["image"]) for each in plan["runs"]}
    json.dump(results, sys.stdout, default=str)


if __name__ == "__main__":
    main()
