"""A Responses request as the chat call that would say the same, to look at and never to send.

Whoever assesses calls thereby sees one kind of call, and the same call gets the same tier on both
APIs. What chat has no word for (calls of built-in tools, the name of a stored conversation) stays
as it is; a reader of calls weighs what it does not know. Any JSON object has a view.
"""

from collections.abc import Callable, Mapping
from typing import Any

_SAME = (
    *("model", "stream", "temperature", "top_p", "top_logprobs", "parallel_tool_calls", "store"),
    *("metadata", "service_tier", "user", "safety_identifier", "prompt_cache_key"),
    *("previous_response_id", "conversation", "models", "provider", "plugins", "cache"),
)
_LOGPROBS = "message.output_text.logprobs"
_TOOLS = frozenset(("function", "custom"))
_TEXT_PARTS = frozenset(("input_text", "output_text"))
Seen = dict[str, Any]


def view(document: Mapping[str, Any]) -> Seen:
    """The chat call of a request's document."""
    chat: Seen = {name: document[name] for name in _SAME if name in document}
    chat["messages"] = _messages(document)
    tools = document.get("tools")
    if isinstance(tools, list):
        chat["tools"] = [_nested(tool) for tool in tools]
    if (choice := document.get("tool_choice")) is not None:
        chat["tool_choice"] = _nested(choice)
    if (limit := document.get("max_output_tokens")) is not None:
        chat["max_completion_tokens"] = limit
    include = document.get("include")
    if isinstance(include, list) and _LOGPROBS in include:
        chat["logprobs"] = True
    reasoning = document.get("reasoning")
    if isinstance(reasoning, dict) and reasoning.get("effort") is not None:
        chat["reasoning_effort"] = reasoning["effort"]
    text = document.get("text")
    if isinstance(text, dict):
        chat |= _shaped(text)
    return chat


def _messages(document: Mapping[str, Any]) -> list[Any]:
    said: list[Any] = []
    if (instructions := document.get("instructions")) is not None:
        said.append({"role": "system", "content": instructions})
    given = document.get("input")
    if isinstance(given, str):
        said.append({"role": "user", "content": given})
    elif isinstance(given, list):
        for item in given:
            _add(item, said)
    elif given is not None:
        said.append(given)
    return said


def _add(item: object, said: list[Any]) -> None:
    """Add an input item to the messages."""
    if not isinstance(item, dict):
        said.append(item)
        return
    kind = item.get("type", "message")
    if kind == "message" or (kind is None and "role" in item):
        said.append(_message(item))
    elif isinstance(kind, str) and kind in _ITEMS:
        _ITEMS[kind](item, said)
    else:
        said.append(item)


def _message(item: Mapping[str, Any]) -> Seen:
    content = item.get("content")
    if isinstance(content, list):
        content = [_part(part) for part in content]
        if item.get("role") == "assistant" and len(content) == 1 and _is_text(content[0]):
            # What chat has for a model's own words is a text.
            content = content[0]["text"]
    return {"role": item.get("role"), "content": content}


def _is_text(part: object) -> bool:
    return isinstance(part, dict) and part.keys() == {"type", "text"} and part["type"] == "text"


def _part(part: object) -> object:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str):
        return part
    if kind in _TEXT_PARTS:
        return {"type": "text", "text": part.get("text")}
    if kind == "input_image":
        image = {"url": part.get("image_url")}
        if part.get("detail") is not None:
            image["detail"] = part["detail"]
        return {"type": "image_url", "image_url": image}
    if kind == "input_file":
        held = {name: value for name, value in part.items() if name != "type"}
        return {"type": "file", "file": held}
    return part


def _call(item: Mapping[str, Any], said: list[Any]) -> None:
    """A call belongs to the assistant's message before it, as one turn is one message in chat."""
    custom = item.get("type") == "custom_tool_call"
    kind, given = ("custom", "input") if custom else ("function", "arguments")
    told = {"name": item.get("name"), given: item.get(given)}
    call = {"id": item.get("call_id"), "type": kind, kind: told}
    last = said[-1] if said else None
    # What has a type is the request's own item: to look at, not to change.
    if isinstance(last, dict) and last.get("role") == "assistant" and "type" not in last:
        last.setdefault("tool_calls", []).append(call)
    else:
        said.append({"role": "assistant", "content": None, "tool_calls": [call]})


def _output(item: Mapping[str, Any], said: list[Any]) -> None:
    output = item.get("output")
    if isinstance(output, list):
        output = [_part(part) for part in output]
    said.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": output})


def _nothing(item: Mapping[str, Any], said: list[Any]) -> None:
    """Reasoning and references: what they stand for is not in the request."""


_ITEMS: Mapping[str, Callable[[Mapping[str, Any], list[Any]], None]] = {
    "function_call": _call,
    "custom_tool_call": _call,
    "function_call_output": _output,
    "custom_tool_call_output": _output,
    "item_reference": _nothing,
    "reasoning": _nothing,
}


def _nested(tool: object) -> object:
    """A tool, or the choice of one: flat here, nested in chat."""
    kind = tool.get("type") if isinstance(tool, dict) else None
    if not isinstance(tool, dict) or not isinstance(kind, str) or kind not in _TOOLS:
        return tool
    return {"type": kind, kind: {name: value for name, value in tool.items() if name != "type"}}


def _shaped(text: Mapping[str, Any]) -> Seen:
    shaped: Seen = {}
    form = text.get("format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        inner = {name: value for name, value in form.items() if name != "type"}
        shaped["response_format"] = {"type": "json_schema", "json_schema": inner}
    elif form is not None:
        shaped["response_format"] = form
    if text.get("verbosity") is not None:
        shaped["verbosity"] = text["verbosity"]
    return shaped
