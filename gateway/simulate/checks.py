"""The checks OpenAI makes on a chat request's messages and numbers, with its messages."""

from collections.abc import Mapping
from typing import Any, NoReturn

from gateway.simulate import refusals

ROLES = ("system", "assistant", "user", "function", "tool", "developer")
NEED_CONTENT = frozenset({"system", "user", "developer", "tool"})

INTEGERS: tuple[tuple[str, int, int | None], ...] = (
    ("n", 1, 128),
    ("max_tokens", 1, None),
    ("max_completion_tokens", 1, None),
    ("top_logprobs", 0, 20),
)
DECIMALS: tuple[tuple[str, float, float], ...] = (
    ("temperature", 0, 2),
    ("top_p", 0, 1),
    ("presence_penalty", -2, 2),
    ("frequency_penalty", -2, 2),
)


def check_numbers(document: Mapping[str, Any]) -> None:
    """Refuse numbers of the wrong type or out of range; null counts as absent."""
    for param, low, high in INTEGERS:
        value = document.get(param)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            refusals.refuse_type(param, "an integer", value)
        _check_range(param, value, low, high, integer=True)
    for param, low_, high_ in DECIMALS:
        value = document.get(param)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            refusals.refuse_type(param, "a decimal", value)
        _check_range(param, value, low_, high_, integer=False)


def _check_range(
    param: str, value: float, low: float, high: float | None, *, integer: bool
) -> None:
    if value < low:
        refusals.refuse_range(param, value, low, integer=integer)
    if high is not None and value > high:
        refusals.refuse_range(param, value, high, integer=integer)


def check_messages(document: Mapping[str, Any]) -> None:
    """Refuse a conversation OpenAI would not continue."""
    messages = document.get("messages")
    if messages is None:
        refusals.refuse_missing("messages")
    if not isinstance(messages, list):
        refusals.refuse_type("messages", "an array of objects", messages)
    if not messages:
        message = (
            "Invalid 'messages': empty array. Expected an array with minimum length 1, "
            "but got an empty array instead."
        )
        refusals.refuse_value("messages", message, "empty_array")
    for index, each in enumerate(messages):
        _check_message(f"messages[{index}]", each)
    _check_tool_turns(messages)


def _check_message(param: str, message: object) -> None:
    if not isinstance(message, dict):
        refusals.refuse_type(param, "an object", message)
    role = message.get("role")
    if role is None:
        refusals.refuse_missing(f"{param}.role")
    if role not in ROLES:
        options = ", ".join(f"'{each}'" for each in ROLES[:-1])
        text = f"Invalid value: '{role}'. Supported values are: {options}, and '{ROLES[-1]}'."
        refusals.refuse_value(f"{param}.role", text)
    content = message.get("content")
    if content is None and role in NEED_CONTENT:
        text = "Invalid value for 'content': expected a string, got null."
        refusals.refuse_value(f"{param}.content", text, None)
    if content is not None and not isinstance(content, (str, list)):
        expected = "one of a string or array of objects"
        refusals.refuse_type(f"{param}.content", expected, content)
    _check_calls(f"{param}.tool_calls", message.get("tool_calls"))


def _check_calls(param: str, calls: object) -> None:
    if calls is None:
        return
    if not isinstance(calls, list):
        refusals.refuse_type(param, "an array of objects", calls)
    for index, call in enumerate(calls):
        if not isinstance(call, dict):
            refusals.refuse_type(f"{param}[{index}]", "an object", call)
        if not isinstance(call.get("id"), str):
            refusals.refuse_missing(f"{param}[{index}].id")


def _check_tool_turns(messages: list[dict[str, Any]]) -> None:
    waiting: set[str] = set()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            call_id = message.get("tool_call_id")
            if not isinstance(call_id, str) or call_id not in waiting:
                text = (
                    "Invalid parameter: messages with role 'tool' must be a response to a "
                    "preceeding message with 'tool_calls'."
                )
                refusals.refuse_value(f"messages.[{index}].role", text, None)
            waiting.discard(call_id)
            continue
        if waiting:
            _refuse_unanswered(waiting)
        waiting = {call["id"] for call in message.get("tool_calls") or ()}
    if waiting:
        _refuse_unanswered(waiting)


def _refuse_unanswered(waiting: set[str]) -> NoReturn:
    text = (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
        + ", ".join(sorted(waiting))
    )
    refusals.refuse_value("messages", text, None)
