"""What instructor is made to do: structured output in its modes, streamed and not."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import instructor
from openai import OpenAI
from pydantic import BaseModel

from tests.clients import acting
from tests.clients.acting import Stage

MODES: Mapping[str, Any] = {
    "tools": instructor.Mode.TOOLS,
    "json_schema": instructor.Mode.JSON_SCHEMA,
    "responses_tools": instructor.Mode.RESPONSES_TOOLS,
}


class Person(BaseModel):
    """A person."""

    name: str
    age: int
    likes: list[str]


def client(mode: str, stage: Stage) -> Any:
    """A client as its users make it."""
    inner = OpenAI(
        base_url=stage.url,
        api_key=acting.KEY,
        max_retries=0,
        timeout=acting.PATIENCE,
        default_headers=stage.headers,
    )
    return instructor.from_openai(inner, mode=MODES[mode])


def usual(stage: Stage, text: str) -> dict[str, Any]:
    """The arguments of every call."""
    messages = [{"role": "user", "content": text}]
    return {"model": stage.model, "messages": messages, "max_retries": 0}


def dump(found: BaseModel) -> Any:
    """Everything a model read, and what it was read from."""
    raw = getattr(found, "_raw_response", None)
    seen = found.model_dump(mode="json", warnings=False)
    return {**seen, "raw": raw.model_dump(mode="json", warnings=False)} if raw else seen


def parse(mode: str, stage: Stage) -> Any:
    asked = client(mode, stage).create(response_model=Person, **usual(stage, acting.PERSON))
    return dump(asked)


def partially(mode: str, stage: Stage) -> Any:
    asked = client(mode, stage).create_partial(response_model=Person, **usual(stage, acting.PERSON))
    return acting.until_it_ends(map(dump, asked))


def each_of(mode: str, stage: Stage) -> Any:
    asked: Iterable[Any] = client(mode, stage).create_iterable(
        response_model=Person, **usual(stage, acting.PERSON)
    )
    return acting.until_it_ends(map(dump, asked))


def plain(stage: Stage, text: str, **more: Any) -> Any:
    """A call without a model to read into."""
    call = {**usual(stage, text), **more}
    return dump(client("tools", stage).create(response_model=None, **call))


def failing(stage: Stage, text: str, **more: Any) -> Any:
    """A call that ends in an error, which instructor wraps: its cause is what counts."""
    call = {**usual(stage, text), **more}
    try:
        return dump(client("tools", stage).create(response_model=Person, **call))
    except Exception as error:  # noqa: BLE001 - whatever a client raises is the result
        return acting.told(cause(error))


def cause(error: BaseException) -> BaseException:
    """The first error of a chain."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def vision(stage: Stage) -> Any:
    call = usual(stage, "")
    call["messages"][0]["content"] = ["Who is this?", instructor.Image.from_base64(stage.image)]
    return dump(client("json_schema", stage).create(response_model=Person, **call))


CASES: Mapping[str, Callable[[Stage], Any]] = {
    "chat": partial(plain, text=acting.INFLATION),
    **{f"{mode}_parse": partial(parse, mode) for mode in MODES},
    **{f"{mode}_partial": partial(partially, mode) for mode in MODES},
    "tools_each": partial(each_of, "tools"),
    "vision": vision,
    "invalid": partial(failing, text="Hello", temperature=9),
    "unknown_model": partial(failing, text="Hello", model="gpt-nonesuch"),
    "server_error": partial(failing, text=acting.BROKEN),
}

if __name__ == "__main__":
    acting.perform(CASES, "instructor")
