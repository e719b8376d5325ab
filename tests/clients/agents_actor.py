"""What OpenAI's Agents SDK is made to do, on chat completions and on responses."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI, DefaultAsyncHttpxClient
from pydantic import BaseModel

from tests.clients import acting
from tests.clients.acting import Stage

MODELS: Mapping[str, Any] = {
    "chat": OpenAIChatCompletionsModel,
    "responses": OpenAIResponsesModel,
}


class Person(BaseModel):
    """A person."""

    name: str
    age: int
    likes: list[str]


def get_weather(city: str, days: int) -> str:
    """The weather in a city."""
    return acting.SKY


WEATHER = function_tool(get_weather)


def agent(api: str, stage: Stage, names: list[str], **more: Any) -> Agent:
    """An agent as its users make it; `names` collects the models that answered.

    The SDK does not tell which, so the gateway's header does.
    """

    async def note(reply: Any) -> None:
        names.append(reply.headers.get("x-gateway-model", stage.model))

    client = AsyncOpenAI(
        http_client=DefaultAsyncHttpxClient(event_hooks={"response": [note]}),
        base_url=stage.url,
        api_key=acting.KEY,
        max_retries=0,
        timeout=acting.PATIENCE,
        default_headers=stage.headers,
    )
    model = MODELS[api](model=more.pop("named", stage.model), openai_client=client)
    settings = ModelSettings(include_usage=True, temperature=more.pop("temperature", None))
    return Agent(name="Assistant", model=model, model_settings=settings, **more)


def plain(value: Any) -> Any:
    """A result as plain data, without what the SDK notes of the question."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="json", warnings=False))
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items() if name != "provider_data"}
    return [plain(each) for each in value] if isinstance(value, list) else value


def dump(result: Any, names: list[str]) -> dict[str, Any]:
    """A run: who answered, what came out of it, and every item on the way."""
    return {
        "model": names[0],
        "output": plain(result.final_output),
        "items": plain(result.to_input_list()),
        "usage": [str(each.usage) for each in result.raw_responses],
        "ids": [each.response_id for each in result.raw_responses],
    }


def dump_event(event: Any, names: list[str]) -> list[Any]:
    """What came of a stream; on chat completions the SDK makes it, of the model asked for."""
    if event.type != "raw_response_event":
        return []
    seen = plain(event.data)
    if "response" in seen:
        seen["response"]["model"] = names[0]
    return [seen]


def ask(api: str, stage: Stage, text: Any, **more: Any) -> Any:
    names: list[str] = []
    return dump(Runner.run_sync(agent(api, stage, names, **more), text), names)


def streamed(api: str, stage: Stage, text: str, **more: Any) -> Any:
    async def play() -> dict[str, Any]:
        seen: list[Any] = []
        names: list[str] = []
        run = Runner.run_streamed(agent(api, stage, names, **more), text)
        try:
            # One by one: what came before an error counts.
            async for event in run.stream_events():
                seen += dump_event(event, names)
        except Exception as error:  # noqa: BLE001 - whatever a client raises is the result
            return {"chunks": seen, "error": acting.told(error)}
        return {"run": dump(run, names), "chunks": seen, "error": None}

    return asyncio.run(play())


def hang_up(api: str, stage: Stage) -> Any:
    async def play() -> list[Any]:
        run = Runner.run_streamed(agent(api, stage, []), acting.STALLED)
        async for event in run.stream_events():
            if event.type == "raw_response_event":
                run.cancel()
        return ["left"]

    return asyncio.run(play())


def vision(api: str, stage: Stage) -> Any:
    picture = {"type": "input_image", "image_url": stage.image, "detail": "low"}
    content = [{"type": "input_text", "text": "What is this?"}, picture]
    return ask(api, stage, [{"role": "user", "content": content}])


CASES: Mapping[str, Callable[[str, Stage], Any]] = {
    "chat": lambda api, stage: ask(api, stage, acting.INFLATION),
    "stream": lambda api, stage: streamed(api, stage, acting.RIVERS),
    "tools_round": lambda api, stage: ask(api, stage, acting.CITIES, tools=[WEATHER]),
    "tools_stream": lambda api, stage: streamed(api, stage, acting.WEATHER, tools=[WEATHER]),
    "parse": lambda api, stage: ask(api, stage, acting.PERSON, output_type=Person),
    "vision": vision,
    "invalid": lambda api, stage: ask(api, stage, "Hello", temperature=9),
    "unknown_model": lambda api, stage: ask(api, stage, "Hello", named="gpt-nonesuch"),
    "server_error": lambda api, stage: ask(api, stage, acting.BROKEN),
    "silent": lambda api, stage: streamed(api, stage, acting.SILENT),
    "hang_up": hang_up,
}
ALL = acting.on_both(CASES)

if __name__ == "__main__":
    # Traces would go to OpenAI.
    set_tracing_disabled(disabled=True)
    acting.perform(ALL, "OpenAI Agents SDK")
