"""What LiteLLM's SDK is made to do, as a client of OpenAI-compatible chat and responses."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any

# Before it is imported: it would fetch its table of prices from the net.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from pydantic import BaseModel

from tests.clients import acting
from tests.clients.acting import Stage

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


class Person(BaseModel):
    """A person."""

    name: str
    age: int
    likes: list[str]


def usual(stage: Stage, **more: Any) -> dict[str, Any]:
    """The arguments of every call."""
    return {
        "model": f"openai/{more.pop('named', stage.model)}",
        "api_base": stage.url,
        "api_key": acting.KEY,
        "max_retries": 0,
        "timeout": acting.PATIENCE,
        "extra_headers": stage.headers,
        **more,
    }


def dump(found: Any) -> Any:
    """What LiteLLM gives, as plain data."""
    return found.model_dump(mode="json", warnings=False)


def chat(stage: Stage, content: Any, **more: Any) -> Any:
    messages = [{"role": "user", "content": content}]
    return litellm.completion(messages=messages, **usual(stage, **more))


def pieces(stage: Stage, text: str, **more: Any) -> Iterator[Any]:
    """A stream's chunks; LiteLLM writes the model asked for into each, so a header names it."""
    chunks = chat(stage, text, stream=True, **more)
    fields = chunks._hidden_params["additional_headers"]
    name = fields.get("llm_provider-x-gateway-model", stage.model)
    return ({**dump(chunk), "model": name} for chunk in chunks)


def streamed(stage: Stage, text: str, **more: Any) -> Any:
    return acting.until_it_ends(pieces(stage, text, stream_options={"include_usage": True}, **more))


def tools_round(stage: Stage) -> Any:
    question = {"role": "user", "content": acting.WEATHER}
    call = usual(stage, tools=TOOLS)
    asking = litellm.completion(messages=[question], **call)
    message = asking.choices[0].message
    answers = [
        {"role": "tool", "tool_call_id": each.id, "content": acting.SKY}
        for each in message.tool_calls or ()
    ]
    answered = litellm.completion(messages=[question, message, *answers], **call)
    return [dump(asking), dump(answered)]


def vision(stage: Stage) -> Any:
    picture = {"type": "image_url", "image_url": {"url": stage.image, "detail": "low"}}
    return dump(chat(stage, [{"type": "text", "text": "What is this?"}, picture]))


def responses(stage: Stage, text: str, **more: Any) -> Any:
    return dump(litellm.responses(input=text, **usual(stage, **more)))


def responses_streamed(stage: Stage, text: str) -> Any:
    return acting.until_it_ends(
        map(dump, litellm.responses(input=text, stream=True, **usual(stage)))
    )


CASES: Mapping[str, Callable[[Stage], Any]] = {
    "chat": lambda stage: dump(chat(stage, acting.INFLATION)),
    "stream": partial(streamed, text=acting.RIVERS),
    "tools": lambda stage: dump(chat(stage, acting.CITIES, tools=TOOLS)),
    "tools_round": tools_round,
    "tools_stream": partial(streamed, text=acting.WEATHER, tools=TOOLS),
    "parse": lambda stage: dump(chat(stage, acting.PERSON, response_format=Person)),
    "vision": vision,
    "invalid": lambda stage: dump(chat(stage, "Hello", temperature=9)),
    "unknown_model": lambda stage: dump(chat(stage, "Hello", named="gpt-nonesuch")),
    "server_error": lambda stage: dump(chat(stage, acting.BROKEN)),
    "silent": partial(streamed, text=acting.SILENT),
    "hang_up": lambda stage: list(islice(pieces(stage, acting.STALLED), 2)),
    "responses_chat": partial(responses, text=acting.INFLATION),
    "responses_stream": partial(responses_streamed, text=acting.RIVERS),
    "responses_parse": partial(responses, text=acting.PERSON, text_format=Person),
    "responses_invalid": partial(responses, text="Hello", temperature=9),
    "responses_unknown_model": partial(responses, text="Hello", named="gpt-nonesuch"),
    "responses_server_error": partial(responses, text=acting.BROKEN),
    "responses_silent": partial(responses_streamed, text=acting.SILENT),
}

if __name__ == "__main__":
    litellm.suppress_debug_info = True
    # Responses of models it does not know are asked for whole, and cut into a stream afterwards.
    known = {"litellm_provider": "openai", "mode": "chat", "supports_native_streaming": True}
    litellm.register_model({"auto": known, "mini": known})
    acting.perform(CASES, "LiteLLM's SDK")
