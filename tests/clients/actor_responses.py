"""What openai-python is made to do on the Responses API; imported by the actor of its releases."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pydantic

from tests.clients import acting

CUT = "[[fault:cut after=3]] Tell me a story."
ERROR_EVENT = "[[fault:error_event after=3]] Tell me a story."
SLOW = "[[fault:slow=20]] Hello"
# Longer than any case needs, shorter than the fault it meets.
SHORT_TIMEOUT = 0.4
TOOLS: Any = [{"type": "function", **acting.GET_WEATHER}]


class Person(pydantic.BaseModel):
    """What structured output is read into."""

    name: str
    age: int
    likes: list[str]


def call(stage: Any, text: Any, **more: Any) -> dict[str, Any]:
    """The arguments of a usual call."""
    headers = {"x-client-request-id": stage.mark}
    return {"model": stage.model, "input": text, "extra_headers": headers, **more}


def dump(found: pydantic.BaseModel) -> dict[str, Any]:
    """Everything the client read, fields it does not know included."""
    seen = found.model_dump(mode="json", warnings=False)
    return {**seen, "_request_id": getattr(found, "_request_id", None)}


def plain(stage: Any, text: Any, **more: Any) -> Any:
    return dump(stage.client.responses.create(**call(stage, text, **more)))


def streamed(stage: Any, text: str, **more: Any) -> Any:
    events = stage.client.responses.create(**call(stage, text, **more), stream=True)
    return acting.until_it_ends(map(dump, events))


def events(stage: Any) -> Any:
    with stage.client.responses.stream(**call(stage, "Greet me.")) as found:
        kinds = [event.type for event in found]
        return {"kinds": kinds, "final": dump(found.get_final_response())}


def tools_round(stage: Any) -> Any:
    asked = call(stage, acting.CITIES, tools=TOOLS)
    first = stage.client.responses.create(**asked)
    answers = [
        {"type": "function_call_output", "call_id": item.call_id, "output": acting.SKY}
        for item in first.output
        if item.type == "function_call"
    ]
    asked["input"] = [{"role": "user", "content": acting.CITIES}, *first.output, *answers]
    return [dump(first), dump(stage.client.responses.create(**asked))]


def chained(stage: Any) -> Any:
    """A turn that refers to the one before, which is fetched and deleted afterwards."""
    first = stage.client.responses.create(**call(stage, "My name is Ada."))
    more = {"previous_response_id": first.id}
    second = stage.client.responses.create(**call(stage, "What is my name?", **more))
    again = stage.client.responses.retrieve(second.id)
    stage.client.responses.delete(second.id)
    return [dump(first), dump(second), dump(again)]


def parse(stage: Any) -> Any:
    return dump(stage.client.responses.parse(**call(stage, acting.PERSON), text_format=Person))


def vision(stage: Any) -> Any:
    picture = {"type": "input_image", "image_url": stage.image, "detail": "low"}
    content = [{"type": "input_text", "text": "What is this?"}, picture]
    return plain(stage, [{"role": "user", "content": content}])


def hang_up(stage: Any) -> Any:
    with stage.client.responses.create(**call(stage, acting.STALLED), stream=True) as found:
        return [dump(next(found)) for _ in range(3)]


CASES: Mapping[str, Callable[[Any], Any]] = {
    "responses_chat": partial(plain, text=acting.INFLATION, metadata={"a": "b"}, store=False),
    "responses_stream": partial(streamed, text=acting.RIVERS),
    "responses_events": events,
    "responses_tools_round": tools_round,
    "responses_tools_stream": partial(streamed, text=acting.WEATHER, tools=TOOLS),
    "responses_chained": chained,
    "responses_parse": parse,
    "responses_vision": vision,
    "responses_invalid": partial(plain, text="Hello", temperature=9),
    "responses_unknown_model": lambda stage: plain(stage._replace(model="gpt-nonesuch"), "Hello"),
    "responses_server_error": partial(plain, text=acting.BROKEN),
    "responses_timeout": partial(plain, text=SLOW, timeout=SHORT_TIMEOUT),
    "responses_cut": partial(streamed, text=CUT),
    "responses_silent": partial(streamed, text=acting.SILENT),
    "responses_error_event": partial(streamed, text=ERROR_EVENT),
    "responses_hang_up": hang_up,
}
