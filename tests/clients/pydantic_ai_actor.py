"""What pydantic-ai is made to do, on chat completions and on responses."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, ImageUrl, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.output import NativeOutput
from pydantic_ai.providers.openai import OpenAIProvider

from tests.clients import acting
from tests.clients.acting import Stage

MODELS: Mapping[str, Any] = {"chat": OpenAIChatModel, "responses": OpenAIResponsesModel}
# What pydantic-ai makes up itself, anew for every run, or tells of the question.
OWN = ("timestamp", "run_id", "conversation_id", "workspace_ref", "model_id", "provider_url")


class Person(BaseModel):
    """A person."""

    name: str
    age: int
    likes: list[str]


def get_weather(city: str, days: int) -> str:
    """The weather in a city."""
    return acting.SKY


def agent(api: str, stage: Stage, **more: Any) -> Agent[None, Any]:
    """An agent as its users make it."""
    client = AsyncOpenAI(
        base_url=stage.url,
        api_key=acting.KEY,
        max_retries=0,
        timeout=acting.PATIENCE,
        default_headers=stage.headers,
    )
    name = more.pop("named", stage.model)
    model = MODELS[api](name, provider=OpenAIProvider(openai_client=client))
    return Agent(model, retries=0, **more)


def plain(value: Any) -> Any:
    """A message as plain data, without what pydantic-ai made up."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if key not in OWN}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def dumped(messages: Any) -> Any:
    """Messages as plain data."""
    return plain(ModelMessagesTypeAdapter.dump_python(messages, mode="json"))


def dump(result: Any) -> dict[str, Any]:
    """A run: what came out of it, and every message on the way."""
    messages = result.all_messages()
    [*_, last] = [each for each in messages if isinstance(each, ModelResponse)]
    output = result.output
    return {
        "output": output.model_dump() if isinstance(output, BaseModel) else output,
        "usage": str(result.usage),
        "model": last.model_name,
        "messages": dumped(messages),
    }


def ask(api: str, stage: Stage, text: Any, **more: Any) -> Any:
    try:
        return dump(agent(api, stage, **more).run_sync(text))
    except ModelHTTPError as error:
        # Its message quotes the model that was asked for.
        return {**acting.told(error), "message": ""}


def streamed(api: str, stage: Stage, text: str, **more: Any) -> Any:
    async def play() -> dict[str, Any]:
        seen: list[str] = []
        try:
            async with agent(api, stage, **more).run_stream(text) as run:
                # One by one: what came before an error counts.
                async for piece in run.stream_text(delta=True, debounce_by=None):
                    seen += [piece]
                told = {"model": run.response.model_name, "messages": dumped(run.all_messages())}
                return {**told, "chunks": seen, "error": None}
        except Exception as error:  # noqa: BLE001 - whatever a client raises is the result
            return {"chunks": seen, "error": acting.told(error)}

    return asyncio.run(play())


def hang_up(api: str, stage: Stage) -> Any:
    async def play() -> str:
        async with agent(api, stage).run_stream(acting.STALLED) as run:
            async for piece in run.stream_text(delta=True, debounce_by=None):
                return str(piece)
        return ""

    return asyncio.run(play())


def vision(api: str, stage: Stage) -> Any:
    return ask(api, stage, ["What is this?", ImageUrl(stage.image, force_download=False)])


CASES: Mapping[str, Callable[[str, Stage], Any]] = {
    "chat": lambda api, stage: ask(api, stage, acting.INFLATION),
    "stream": lambda api, stage: streamed(api, stage, acting.RIVERS),
    "tools_round": lambda api, stage: ask(api, stage, acting.CITIES, tools=[get_weather]),
    "tools_stream": lambda api, stage: streamed(api, stage, acting.WEATHER, tools=[get_weather]),
    "parse": lambda api, stage: ask(api, stage, acting.PERSON, output_type=Person),
    "parse_native": lambda api, stage: ask(
        api, stage, acting.PERSON, output_type=NativeOutput(Person)
    ),
    "vision": vision,
    "invalid": lambda api, stage: ask(api, stage, "Hello", model_settings={"temperature": 9}),
    "unknown_model": lambda api, stage: ask(api, stage, "Hello", named="gpt-nonesuch"),
    "server_error": lambda api, stage: ask(api, stage, acting.BROKEN),
    "silent": lambda api, stage: streamed(api, stage, acting.SILENT),
    "hang_up": hang_up,
}
ALL = acting.on_both(CASES)

if __name__ == "__main__":
    acting.perform(ALL, "pydantic-ai")
