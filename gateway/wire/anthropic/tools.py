"""Tools and the choice among them.

Only tools with a schema of their own can be translated: those that Anthropic defines or runs itself
(`web_search_…`, `bash_…`) are known to its models only. Anthropic allows names of 128 characters
and OpenAI 64, so a longer one is shortened, the same way each time, and spelled out on the way
back.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from gateway.wire.anthropic.parsing import listed, mapping, refuse, switch, text
from gateway.wire.anthropic.schemas import is_strict

MAX_NAME = 64
_DIGEST_DIGITS = 8
_SERVER_TOOLS = ("web_search", "web_fetch", "code_execution", "tool_search", "mcp_toolset")
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def shortened(name: str) -> str:
    """A tool's name as OpenAI takes it; long ones that differ stay different."""
    if len(name) <= MAX_NAME:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_DIGITS]
    return f"{name[: MAX_NAME - _DIGEST_DIGITS - 1]}_{digest}"


def translate(document: Mapping[str, Any], chat: dict[str, Any], longer: dict[str, str]) -> None:
    """Put the tools and the choice into `chat`, and shortened names with their own into `longer`.

    Raises:
        InvalidValue: a tool or choice that has no equivalent.
    """
    offered = document.get("tools")
    tools = [] if offered is None else listed(offered, "tools")
    if tools:
        chat["tools"] = [_tool(tool, f"tools.{i}", longer) for i, tool in enumerate(tools)]
    choice = document.get("tool_choice")
    if choice is not None:
        _choose(mapping(choice, "tool_choice"), chat)


def _tool(value: object, param: str, longer: dict[str, str]) -> dict[str, Any]:
    tool = mapping(value, param)
    kind = tool.get("type")
    if kind is not None and kind != "custom":
        _refuse_kind(kind, param)
    name = text(tool.get("name"), f"{param}.name")
    schema = mapping(tool.get("input_schema"), f"{param}.input_schema")
    function: dict[str, Any] = {"name": shortened(name)}
    if function["name"] != name:
        longer[function["name"]] = name
    if tool.get("description") is not None:
        function["description"] = text(tool["description"], f"{param}.description")
    function["parameters"] = schema
    if switch(tool.get("strict"), f"{param}.strict") and is_strict(schema):
        function["strict"] = True
    return {"type": "function", "function": function}


def _refuse_kind(kind: object, param: str) -> None:
    if not isinstance(kind, str):
        refuse(f"{param}.type", "Input should be a valid string")
    if kind.startswith(_SERVER_TOOLS):
        refuse(param, f"{kind} runs on Anthropic's servers and cannot be called through here")
    refuse(param, f"{kind} is known to Anthropic's models only; offer a tool with an input_schema")


def _choose(choice: Mapping[str, Any], chat: dict[str, Any]) -> None:
    kind = choice.get("type")
    if "tools" not in chat:
        if kind not in {"auto", "none"}:
            refuse("tool_choice", "may only be specified while providing tools")
        return
    if kind == "tool":
        name = shortened(text(choice.get("name"), "tool_choice.name"))
        if all(tool["function"]["name"] != name for tool in chat["tools"]):
            refuse("tool_choice.name", "is none of the tools")
        chat["tool_choice"] = {"type": "function", "function": {"name": name}}
    elif isinstance(kind, str) and kind in _CHOICES:
        chat["tool_choice"] = _CHOICES[kind]
    else:
        refuse("tool_choice.type", "Input should be auto, any, tool or none")
    if switch(choice.get("disable_parallel_tool_use"), "tool_choice.disable_parallel_tool_use"):
        chat["parallel_tool_calls"] = False
