"""What LlamaIndex is made to do: `OpenAILike` on chat completions, `OpenAIResponses`.

`OpenAI` itself knows the names of OpenAI's models only, and refuses `auto`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAIResponses
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from tests.clients import acting
from tests.clients.acting import Stage

WINDOW = 1_000_000


class Person(BaseModel):
    """A person."""

    name: str
    age: int
    likes: list[str]


def get_weather(city: str, days: int) -> str:
    """The weather in a city."""
    return acting.SKY


TOOL = FunctionTool.from_defaults(get_weather)


def model(api: str, stage: Stage, **more: Any) -> Any:
    """A model as its users make it."""
    usual = {
        "api_base": stage.url,
        "api_key": acting.KEY,
        "model": stage.model,
        "default_headers": stage.headers,
        "max_retries": 0,
        "timeout": acting.PATIENCE,
        "context_window": WINDOW,
    }
    if api == "responses":
        return OpenAIResponses(**{**usual, **more})
    kinds = {"is_chat_model": True, "is_function_calling_model": True}
    return OpenAILike(**{**usual, **kinds, **more})


def plain(value: Any) -> Any:
    """A result as plain data."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", warnings=False)
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def said(text: str) -> list[ChatMessage]:
    """A question."""
    return [ChatMessage(role="user", content=text)]


def dump(reply: Any) -> dict[str, Any]:
    """A reply, and what it was read from."""
    raw = plain(reply.raw)
    return {"message": plain(reply.message), "raw": raw, "delta": reply.delta}


def streamed(api: str, stage: Stage, text: str) -> Any:
    return acting.until_it_ends(map(dump, model(api, stage).stream_chat(said(text))))


def tools_round(api: str, stage: Stage) -> Any:
    asked = model(api, stage)
    call = asked.chat_with_tools([TOOL], user_msg=acting.WEATHER)
    found = asked.get_tool_calls_from_response(call)
    answers = [
        ChatMessage(
            role="tool", content=acting.SKY, additional_kwargs={"tool_call_id": each.tool_id}
        )
        for each in found
    ]
    chat_history = [*said(acting.WEATHER), call.message, *answers]
    answered = asked.chat_with_tools([TOOL], chat_history=chat_history)
    return [dump(call), [each.tool_kwargs for each in found], dump(answered)]


def tools_stream(api: str, stage: Stage) -> Any:
    chunks = model(api, stage).stream_chat_with_tools([TOOL], user_msg=acting.CITIES)
    return acting.until_it_ends(map(dump, chunks))


def parse(api: str, stage: Stage) -> Any:
    reply = model(api, stage).as_structured_llm(Person).chat(said(acting.PERSON))
    return {"parsed": plain(reply.raw)}


def vision(api: str, stage: Stage) -> Any:
    blocks = [TextBlock(text="What is this?"), ImageBlock(url=stage.image, detail="low")]
    return dump(model(api, stage).chat([ChatMessage(role="user", blocks=blocks)]))


def hang_up(api: str, stage: Stage) -> Any:
    chunks = model(api, stage).stream_chat(said(acting.STALLED))
    first = dump(next(chunks))
    chunks.close()
    return first


CASES: Mapping[str, Callable[[str, Stage], Any]] = {
    "chat": lambda api, stage: dump(model(api, stage).chat(said(acting.INFLATION))),
    "stream": lambda api, stage: streamed(api, stage, acting.RIVERS),
    "tools_round": tools_round,
    "tools_stream": tools_stream,
    "parse": parse,
    "vision": vision,
    "invalid": lambda api, stage: dump(model(api, stage).chat(said("Hello"), top_p=9)),
    "unknown_model": lambda api, stage: dump(
        model(api, stage, model="gpt-nonesuch").chat(said("Hello"))
    ),
    "server_error": lambda api, stage: dump(model(api, stage).chat(said(acting.BROKEN))),
    "silent": lambda api, stage: streamed(api, stage, acting.SILENT),
    "hang_up": hang_up,
}
ALL = acting.on_both(CASES)

if __name__ == "__main__":
    acting.perform(ALL, "LlamaIndex")
