"""What a user of OpenAI's Python SDK does; runs under SDK 1, 2 and 3 alike, alone in its venv.

    script.py BASE_URL MODEL

Prints one JSON object: case → what came of it, without what differs from run to run.
"""

# This file is run by other Pythons than the project's: it must not import from it.
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

import openai
from openai import OpenAI

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwAD"
    "hgGAWjR9awAAAABJRU5ErkJggg=="
)
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "person",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["name", "age"],
            "additionalProperties": False,
        },
    },
}


def said(text: str) -> Any:
    return [{"role": "user", "content": text}]


def plain(thing: Any) -> dict[str, Any]:
    """An SDK object as JSON, without the clock."""
    document: dict[str, Any] = thing.model_dump(exclude_unset=True)
    document.pop("created", None)
    return document


def failing(call: Callable[[], Any]) -> Any:
    try:
        call()
    except openai.APIStatusError as error:
        return [type(error).__name__, error.status_code, error.code, error.type, error.param]
    except openai.APIError as error:
        return [type(error).__name__]
    return "no error"


def breaking(chunks: Iterable[Any]) -> str:
    try:
        for _ in chunks:
            pass
    except Exception:  # noqa: BLE001 - SDKs raise errors of several libraries here
        return "raised"
    return "ended as if whole"


def cases(client: Any, model: str) -> dict[str, Any]:
    create = client.chat.completions.create
    picture = [
        {"type": "text", "text": "What is in this picture?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    closing = create(model=model, messages=said("Write a long essay on tides."), stream=True)
    first = plain(next(iter(closing)))
    closing.close()
    usage = {"include_usage": True}
    return {
        "chat": plain(create(model=model, messages=said("What is the capital of France?"))),
        "stream": [plain(c) for c in create(model=model, messages=said("Hello!"), stream=True)],
        "stream with usage": [
            plain(c)
            for c in create(model=model, messages=said("Hello!"), stream=True, stream_options=usage)
        ],
        "tools": plain(create(model=model, messages=said("Weather in Oslo?"), tools=[TOOL])),
        "streamed tools": [
            plain(c)
            for c in create(
                model=model, messages=said("Weather in Oslo?"), tools=[TOOL], stream=True
            )
        ],
        "structured output": plain(
            create(model=model, messages=said("Ada is 36."), response_format=SCHEMA)
        ),
        "vision": plain(create(model=model, messages=[{"role": "user", "content": picture}])),
        "closed stream": first,
        "400": failing(lambda: create(model=model, messages=[])),
        "404": failing(lambda: create(model="gpt-99", messages=said("Hi"))),
        "429": failing(
            lambda: create(model=model, messages=said("[[fault:status=429 retry-after=30]] Hi"))
        ),
        "500": failing(lambda: create(model=model, messages=said("[[fault:status=500]] Hi"))),
        "timeout": failing(
            lambda: create(model=model, messages=said("[[fault:slow=5]] Hi"), timeout=0.5)
        ),
        "cut stream": breaking(
            create(model=model, messages=said("[[fault:cut]] Explain tides."), stream=True)
        ),
        "a model": client.models.retrieve("gpt-4.1-mini").id,
    }


if __name__ == "__main__":
    client = OpenAI(base_url=sys.argv[1], api_key="client-key", max_retries=0, timeout=30)
    json.dump(cases(client, sys.argv[2]), sys.stdout)
