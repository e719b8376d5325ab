"""What LangChain's `ChatOpenAI` is made to do, on chat completions and on responses."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from tests.clients import acting
from tests.clients.acting import Stage


class Person(BaseModel):
    """A person."""

    name: str
    age: int
    likes: list[str]


def get_weather(city: str, days: int) -> str:
    """The weather in a city."""
    return acting.SKY


WEATHER = tool(get_weather)


def model(api: str, stage: Stage, **more: Any) -> ChatOpenAI:
    """A model as its users make it."""
    usual = {
        "base_url": stage.url,
        "api_key": acting.KEY,
        "model": stage.model,
        "default_headers": stage.headers,
        "max_retries": 0,
        "timeout": acting.PATIENCE,
        "stream_usage": True,
        "use_responses_api": api == "responses",
        "include_response_headers": True,
    }
    return ChatOpenAI(**{**usual, **more})


def dump(message: BaseMessage) -> dict[str, Any]:
    """A message, without the id LangChain makes up for a run."""
    seen: dict[str, Any] = message.model_dump(mode="json")
    if str(seen.get("id")).startswith(("lc_run", "run-")):
        del seen["id"]
    return {**seen, "model": message.response_metadata.get("model_name")}


def streamed(stage: Stage, asked: Any, text: str) -> dict[str, Any]:
    told = acting.until_it_ends(dump(chunk) for chunk in asked.stream(text))
    return {"model": answering(stage, told["chunks"]), **told}


def answering(stage: Stage, chunks: list[Any]) -> str:
    """The model that answers a stream, which only a header says from its beginning."""
    fields = chunks[0]["response_metadata"].get("headers", {})
    return str(fields.get("x-gateway-model", stage.model))


def tools(api: str, stage: Stage) -> Any:
    return dump(model(api, stage).bind_tools([WEATHER]).invoke(acting.CITIES))


def tools_round(api: str, stage: Stage) -> Any:
    asked = model(api, stage).bind_tools([WEATHER])
    question = HumanMessage(acting.WEATHER)
    asking = asked.invoke([question])
    answers: list[ToolMessage] = [WEATHER.invoke(call) for call in asking.tool_calls]
    return [dump(asking), dump(asked.invoke([question, asking, *answers]))]


def tools_stream(api: str, stage: Stage) -> Any:
    return streamed(stage, model(api, stage).bind_tools([WEATHER]), acting.WEATHER)


def parse(api: str, stage: Stage) -> Any:
    asked = model(api, stage).with_structured_output(Person, include_raw=True).invoke(acting.PERSON)
    return {"parsed": asked["parsed"].model_dump(), "raw": dump(asked["raw"])}


def vision(api: str, stage: Stage) -> Any:
    picture = {"type": "image_url", "image_url": {"url": stage.image, "detail": "low"}}
    content = [{"type": "text", "text": "What is this?"}, picture]
    return dump(model(api, stage).invoke([HumanMessage(content)]))


def hang_up(api: str, stage: Stage) -> Any:
    chunks = [dump(chunk) for chunk in islice(model(api, stage).stream(acting.STALLED), 2)]
    return {"model": answering(stage, chunks), "chunks": chunks}


CASES: Mapping[str, Callable[[str, Stage], Any]] = {
    "chat": lambda api, stage: dump(model(api, stage).invoke(acting.INFLATION)),
    "stream": lambda api, stage: streamed(stage, model(api, stage), acting.RIVERS),
    "tools": tools,
    "tools_round": tools_round,
    "tools_stream": tools_stream,
    "parse": parse,
    "vision": vision,
    "invalid": lambda api, stage: model(api, stage, temperature=9).invoke("Hello"),
    "unknown_model": lambda api, stage: model(api, stage, model="gpt-nonesuch").invoke("Hello"),
    "server_error": lambda api, stage: model(api, stage).invoke(acting.BROKEN),
    "silent": lambda api, stage: streamed(stage, model(api, stage), acting.SILENT),
    "hang_up": hang_up,
}
ALL = acting.on_both(CASES)

if __name__ == "__main__":
    acting.perform(ALL, "LangChain")
