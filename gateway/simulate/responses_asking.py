"""Reads a `/responses` request into the `Ask` that chat would make of it.

It is refused in the words of this API. Built-in tools, conversations and `background` are not
simulated: such a call gets a text, at once. Unknown parameters pass.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.catalog import Catalog
from gateway.simulate import refusals
from gateway.simulate.asking import Ask, read_document, read_json
from gateway.simulate.refusals import Refusal
from gateway.simulate.responses_memory import Memory
from gateway.wire.responses.view import view

FEWEST_TOKENS = 16
TOOLS = frozenset({"function", "custom"})
CHOICES = TOOLS | {"allowed_tools"}
# What chat calls things, and what they are called here; the first that fits comes first.
RENAMED = (
    ("response_format.json_schema", "text.format"),
    ("response_format", "text.format"),
    ("max_completion_tokens", "max_output_tokens"),
    ("'messages'", "'input'"),
    ("messages[", "input["),
    ("messages.[", "input["),
    ("].function.", "]."),
    ("].custom.", "]."),
)


class Asked(NamedTuple):
    """A request as it came, and what it asks in chat's words; `said` is without instructions."""

    request: Mapping[str, Any]
    ask: Ask
    said: list[dict[str, Any]]


def read(body: bytes, catalog: Catalog, memory: Memory) -> Asked:
    """Read and check a request; an earlier response's conversation comes before its own.

    Raises:
        Refusal: as OpenAI would refuse it.
    """
    request = read_json(body)
    if not isinstance(request, dict):
        refusals.refuse_type("body", "an object", request)
    given = request.get("input")
    earlier = _earlier(request, memory)
    if given is None and not earlier:
        refusals.refuse_missing("input")
    if given is not None and not isinstance(given, str | list):
        refusals.refuse_type("input", "one of a string or array of objects", given)
    _check_limit(request.get("max_output_tokens"))
    _check_types(request)
    chat = _chat(request)
    own = view({name: value for name, value in request.items() if name != "instructions"})
    said = [*earlier, *filter(_is_message, own["messages"])]
    chat["messages"] = [*_instructions(request), *said]
    _check_calls(said)
    try:
        return Asked(request, read_document(chat, catalog), said)
    except Refusal as refusal:
        raise translated(refusal) from None


def translated(refusal: Refusal) -> Refusal:
    """A refusal of chat as it is worded here."""
    if refusal.code == "model_not_found":
        name = refusal.message.partition("`")[2].rpartition("`")[0]
        message = f"The requested model '{name}' does not exist."
        return Refusal(400, message, param="model", code="model_not_found")
    if refusal.code == "context_length_exceeded":
        refusal.param = "input"
        refusal.message = (
            "Your input exceeds the context window of this model. "
            "Please adjust your input and try again."
        )
        return refusal
    if refusal.param == "messages":
        refusal.param = "input"
    for there, here in RENAMED:
        refusal.message = refusal.message.replace(there, here)
        refusal.param = refusal.param and refusal.param.replace(there, here)
    return refusal


def _earlier(request: Mapping[str, Any], memory: Memory) -> list[dict[str, Any]]:
    name = request.get("previous_response_id")
    if name is None:
        return []
    if not isinstance(name, str):
        refusals.refuse_type("previous_response_id", "a string", name)
    stored = memory.find(name)
    if stored is None:
        raise Refusal(
            400,
            f"Previous response with id '{name[:100]}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    return stored.messages


def _check_limit(limit: object) -> None:
    if isinstance(limit, int) and limit < FEWEST_TOKENS:
        refusals.refuse_range("max_output_tokens", limit, FEWEST_TOKENS, integer=True)


def _check_types(request: Mapping[str, Any]) -> None:
    tools = request.get("tools")
    listed = enumerate(tools) if isinstance(tools, list) else ()
    named = [(f"tools[{index}]", tool) for index, tool in listed]
    for param, tool in (*named, ("tool_choice", request.get("tool_choice"))):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind is not None and not isinstance(kind, str):
            refusals.refuse_type(f"{param}.type", "a string", kind)


def _chat(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request's view, without what only built-in tools are told."""
    chat = view(request)
    if isinstance(tools := chat.get("tools"), list):
        chat["tools"] = [tool for tool in tools if _kind(tool) in TOOLS]
    choice = chat.get("tool_choice")
    if isinstance(choice, dict):
        chat["tool_choice"] = _choice(choice) if _kind(choice) in CHOICES else "auto"
    if not chat.get("logprobs"):
        chat.pop("top_logprobs", None)
    if request.get("stream_options") is not None:
        chat["stream_options"] = request["stream_options"]
    return chat


def _kind(tool: object) -> str:
    # What is no object is left to chat's checks.
    return str(tool.get("type")) if isinstance(tool, dict) else "function"


def _choice(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """A choice as chat nests it; `view` has nested all but lists."""
    if choice["type"] != "allowed_tools":
        return choice
    listed = view({"tools": choice.get("tools")}).get("tools", [])
    allowed = {"mode": choice.get("mode"), "tools": listed}
    return {"type": "allowed_tools", "allowed_tools": allowed}


def _instructions(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if request.get("instructions") is not None:
        yield {"role": "system", "content": request["instructions"]}


def _is_message(message: object) -> bool:
    """Not an item that chat has no word for, such as a web search of an earlier turn."""
    return not isinstance(message, dict) or "type" not in message


def _check_calls(messages: list[dict[str, Any]]) -> None:
    """Refuse calls without outputs, and outputs without calls."""
    turns = [message for message in messages if isinstance(message, dict)]
    called = [call["id"] for turn in turns for call in turn.get("tool_calls") or ()]
    given = [turn.get("tool_call_id") for turn in turns if turn.get("role") == "tool"]
    for name in given:
        if name not in called:
            text = f"No tool call found for function call output with call_id {name}."
            refusals.refuse_value("input", text, None)
    for name in called:
        if name not in given:
            text = f"No tool output found for function call {name}."
            refusals.refuse_value("input", text, None)
