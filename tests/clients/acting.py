"""What the frameworks' actors share: the stage, how results are told, the loop over the runs.

Imports nothing but the standard library: it runs in each client's own environment.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
DOCUMENTED = "http://127.0.0.1:8080"
KEY = "sk-client"
# Longer than any case needs.
PATIENCE = 20.0
INFLATION = "What is inflation?"
RIVERS = "Write two sentences about rivers, with an emoji."
WEATHER = "How is the weather in Oslo?"
CITIES = "How is the weather in Paris and London?"
PERSON = "Invent a person."
BROKEN = "[[fault:status=500]] Hello"
SILENT = "[[fault:silent after=3]] Tell me a story."
STALLED = "[[fault:stall after=9]] Tell me a story about the sea."
GET_WEATHER: Any = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
    "strict": True,
}
SKY = '{"sky":"clear","degrees":4}'


class Stage(NamedTuple):
    """Where a case plays: the address, the model to name, the mark its calls carry upstream."""

    url: str
    model: str
    mark: str
    image: str

    @property
    def headers(self) -> dict[str, str]:
        """What makes a call known to the upstream."""
        return {"x-client-request-id": self.mark}


Case = Callable[[Stage], Any]


def told(error: BaseException) -> dict[str, Any]:
    """An exception, as far as callers look at it."""
    fields = ("status_code", "code", "type", "param", "message", "body", "request_id")
    seen = {name: getattr(error, name) for name in fields if hasattr(error, name)}
    return {"raised": type(error).__name__, **seen}


def until_it_ends(chunks: Iterable[Any]) -> dict[str, Any]:
    """A stream's chunks, and what ended it."""
    seen: list[Any] = []
    try:
        seen.extend(chunks)
    except Exception as error:  # noqa: BLE001 - whatever a client raises is the result
        return {"chunks": seen, "error": told(error)}
    return {"chunks": seen, "error": None}


def on_both(cases: Mapping[str, Callable[[str, Stage], Any]]) -> dict[str, Case]:
    """Cases that take an API's name, on chat completions and, renamed, on responses."""
    return {
        **{name: partial(case, "chat") for name, case in cases.items()},
        **{f"responses_{name}": partial(case, "responses") for name, case in cases.items()},
    }


def documented(document: str, title: str = "") -> Callable[[Any], Any]:
    """The first Python that a document shows (under a title), which must give an `answer`."""
    text = (ROOT / document).read_text()
    section = text.partition(f"\n## {title}\n")[2] if title else text
    snippet = section.partition("```python\n")[2].partition("```")[0]

    def case(stage: Any) -> Any:
        here = snippet.replace(DOCUMENTED, stage.url.removesuffix("/v1"))
        said: dict[str, Any] = {}
        exec(here.replace('"auto"', repr(stage.model)), said)  # noqa: S102 - our own documentation
        return {"answered": bool(str(said["answer"]))}

    return case


def perform(cases: Mapping[str, Case], title: str) -> None:
    """Play every case of every run of the plan on standard input; results go to standard output.

    `title` is the client's in the documentation.
    """
    plan = json.load(sys.stdin)
    cases = {**cases, "documented": documented("docs/clients.md", title)}
    results = {each["name"]: _run(each, plan["image"], cases) for each in plan["runs"]}
    json.dump(results, sys.stdout, default=str)


def _run(plan: Mapping[str, Any], image: str, cases: Mapping[str, Case]) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for title, case in cases.items():
        if title in plan["skip"]:
            continue
        mark = f"{plan['mark']}/{plan['name']}/{title}"
        try:
            results[title] = case(Stage(plan["url"], plan["model"], mark, image))
        except Exception as error:  # noqa: BLE001 - whatever a client raises is the result
            results[title] = told(error)
    return results
