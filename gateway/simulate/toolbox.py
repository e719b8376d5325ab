"""Which tools a call offers, and which of them may or must be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.simulate import refusals
from gateway.simulate.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Tool:
    """A function with the schema of its arguments, or a custom tool (schema None: free text)."""

    name: str
    description: str
    schema: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The usable tools; `required` says that one must be called, `named` that it was named."""

    tools: tuple[Tool, ...] = ()
    required: bool = False
    named: bool = False
    parallel: bool = True


NO_TOOLS = Toolbox()


def open_toolbox(document: Mapping[str, Any]) -> Toolbox:
    """Read `tools`, `tool_choice` and `parallel_tool_calls`.

    Raises:
        Refusal: when they contradict each other or are malformed.
    """
    listed = document.get("tools")
    choice = document.get("tool_choice")
    if not listed:
        if choice not in (None, "none", "auto"):
            message = (
                "Invalid value for 'tool_choice': "
                "'tool_choice' is only allowed when 'tools' are specified."
            )
            refusals.refuse_value("tool_choice", message, None)
        return NO_TOOLS
    if not isinstance(listed, list):
        refusals.refuse_type("tools", "an array of objects", listed)
    tools = tuple(_tool(f"tools[{index}]", each) for index, each in enumerate(listed))
    parallel = document.get("parallel_tool_calls") is not False
    match choice:
        case None | "auto":
            return Toolbox(tools, parallel=parallel)
        case "none":
            return NO_TOOLS
        case "required":
            return Toolbox(tools, required=True, parallel=parallel)
        case {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(allowed)}}:
            names = {name_of(each) for each in allowed}
            usable = tuple(tool for tool in tools if tool.name in names)
            return Toolbox(usable, required=mode == "required" and bool(usable), parallel=parallel)
        case dict():
            return Toolbox((_named(tools, choice),), required=True, named=True, parallel=False)
    message = f"Invalid value: '{choice}'. Supported values are: 'none', 'auto', and 'required'."
    raise Refusal(400, message, param="tool_choice", code="invalid_value")


def _tool(param: str, listed: object) -> Tool:
    if not isinstance(listed, dict):
        refusals.refuse_type(param, "an object", listed)
    kind = listed.get("type", "function")
    if kind not in ("function", "custom"):
        message = f"Invalid value: '{kind}'. Supported values are: 'function' and 'custom'."
        refusals.refuse_value(f"{param}.type", message)
    body = listed.get(kind)
    if not isinstance(body, dict):
        refusals.refuse_missing(f"{param}.{kind}")
    name = body.get("name")
    if not isinstance(name, str) or not name:
        refusals.refuse_missing(f"{param}.{kind}.name")
    schema = body.get("parameters") or {}
    if not isinstance(schema, dict):
        refusals.refuse_type(f"{param}.function.parameters", "an object", schema)
    return Tool(name, str(body.get("description") or ""), schema if kind == "function" else None)


def _named(tools: tuple[Tool, ...], choice: Mapping[str, Any]) -> Tool:
    name = name_of(choice)
    for tool in tools:
        if tool.name == name:
            return tool
    message = f"Tool choice '{name}' not found in 'tools' parameter."
    raise Refusal(400, message, param="tool_choice")


def name_of(choice: object) -> str:
    """The name in a tool choice or a tool call; empty if there is none."""
    match choice:
        case {"function": {"name": str(name)}} | {"custom": {"name": str(name)}}:
            return name
    return ""
