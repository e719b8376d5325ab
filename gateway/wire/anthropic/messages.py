"""Turns and their blocks as chat messages.

system                      one system message; Claude Code's line for Anthropic's billing goes
text, image                 a text, or parts
document of plain text      a text, its title first
tool_use                    a tool call of the assistant's message
tool_result                 a tool message before the rest of its turn; an error is named in
                            its text, and images follow in the turn, as tools answer in text
thinking, redacted_…        nothing: signed for the model that thought them
anything else               refused
"""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.wire.anthropic.parsing import dumps, listed, mapping, refuse, text
from gateway.wire.anthropic.tools import shortened

_BILLING = "x-anthropic-billing-header:"
_SILENT = frozenset(("thinking", "redacted_thinking"))
_PREFILL = (
    "These models do not continue a message of the assistant's (prefill): the conversation must "
    "end with a user message."
)
Chat = dict[str, Any]
Read = Callable[[Mapping[str, Any], str], list[Chat]]


def translate(document: Mapping[str, Any]) -> list[Chat]:
    """The chat messages of a request.

    Raises:
        InvalidValue: a turn or block that has no equivalent; `param` says which.
    """
    turns = listed(document.get("messages"), "messages")
    if not turns:
        refuse("messages", "at least one message is required")
    chat = _system(document.get("system"))
    role = ""
    for place, turn in enumerate(turns):
        param = f"messages.{place}"
        message = mapping(turn, param)
        role = text(message.get("role"), f"{param}.role")
        if role not in _ROLES:
            refuse(f"{param}.role", "Input should be user, assistant or system")
        chat += _ROLES[role](message, f"{param}.content")
    if role == "assistant":
        refuse("messages", _PREFILL)
    return chat


def _system(value: object, param: str = "system") -> list[Chat]:
    if value is None:
        return []
    texts = [value] if isinstance(value, str) else _texts(value, param)
    # It differs from call to call, and would undo the upstream's prompt cache.
    told = [t for t in texts if t and not t.startswith(_BILLING)]
    return [{"role": "system", "content": "\n\n".join(told)}] if told else []


def _texts(value: object, param: str) -> list[str]:
    found = []
    for place, item in enumerate(listed(value, param)):
        block = mapping(item, f"{param}.{place}")
        if block.get("type") != "text":
            refuse(f"{param}.{place}.type", "only text can be said here")
        found.append(text(block.get("text"), f"{param}.{place}.text"))
    return found


def _from_system(message: Mapping[str, Any], param: str) -> list[Chat]:
    return _system(message.get("content"), param)


def _from_user(message: Mapping[str, Any], param: str) -> list[Chat]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"role": "user", "content": content}]
    results: list[Chat] = []
    parts: list[Chat] = []
    for place, item in enumerate(listed(content, param)):
        where = f"{param}.{place}"
        block = mapping(item, where)
        if block.get("type") == "tool_result":
            result, images = _result(block, where)
            results.append(result)
            parts += images
        else:
            parts += _part(block, where)
    if not results and not parts:
        refuse(param, "user messages must have non-empty content")
    return [*results, *([{"role": "user", "content": _plainly(parts)}] if parts else [])]


def _from_assistant(message: Mapping[str, Any], param: str) -> list[Chat]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"role": "assistant", "content": content}]
    texts: list[str] = []
    calls: list[Chat] = []
    for place, item in enumerate(listed(content, param)):
        where = f"{param}.{place}"
        block = mapping(item, where)
        kind = block.get("type")
        if kind == "text":
            texts.append(text(block.get("text"), f"{where}.text"))
        elif kind == "tool_use":
            calls.append(_call(block, where))
        elif kind not in _SILENT:
            refuse(f"{where}.type", _foreign(kind))
    said: Chat = {"role": "assistant"}
    if texts or not calls:
        said["content"] = "".join(texts)
    if calls:
        said["tool_calls"] = calls
    # A turn of nothing but thoughts says nothing.
    return [said] if calls or said["content"] else []


_ROLES: Mapping[str, Read] = {
    "user": _from_user,
    "assistant": _from_assistant,
    "system": _from_system,
}


def _call(block: Mapping[str, Any], param: str) -> Chat:
    name = shortened(text(block.get("name"), f"{param}.name"))
    given = mapping(block.get("input"), f"{param}.input")
    return {
        "id": text(block.get("id"), f"{param}.id"),
        "type": "function",
        "function": {"name": name, "arguments": dumps(given).decode()},
    }


def _result(block: Mapping[str, Any], param: str) -> tuple[Chat, list[Chat]]:
    """A tool's message, and the images it cannot hold."""
    call = text(block.get("tool_use_id"), f"{param}.tool_use_id")
    content = block.get("content")
    parts: list[Chat] = []
    if isinstance(content, str):
        parts = [_text_part(content)]
    elif content is not None:
        for place, item in enumerate(listed(content, f"{param}.content")):
            where = f"{param}.content.{place}"
            parts += _part(mapping(item, where), where)
    texts = [part for part in parts if part["type"] == "text"]
    images = [part for part in parts if part["type"] != "text"]
    if block.get("is_error") is True:
        texts.insert(0, _text_part("Error:"))
    if images:
        texts.append(_text_part("(Its images follow.)"))
        images.insert(0, _text_part(f"Images from the result of tool call {call}:"))
    said = "\n".join([part["text"] for part in texts])
    return {"role": "tool", "tool_call_id": call, "content": said}, images


def _part(block: Mapping[str, Any], param: str) -> list[Chat]:
    """A block of a user's turn or a tool's result."""
    kind = block.get("type")
    if kind == "image":
        return [_image(mapping(block.get("source"), f"{param}.source"), f"{param}.source")]
    if kind == "document":
        return _document(block, param)
    if isinstance(kind, str) and kind in _SILENT:
        return []
    if kind != "text":
        refuse(f"{param}.type", _foreign(kind))
    return [_text_part(text(block.get("text"), f"{param}.text"))]


def _text_part(said: str) -> Chat:
    return {"type": "text", "text": said}


def _image(source: Mapping[str, Any], param: str) -> Chat:
    kind = source.get("type")
    if kind == "base64":
        media = text(source.get("media_type"), f"{param}.media_type")
        url = f"data:{media};base64,{text(source.get('data'), f'{param}.data')}"
    elif kind == "url":
        url = text(source.get("url"), f"{param}.url")
    else:
        refuse(f"{param}.type", "an image must be given as base64 or url")
    return {"type": "image_url", "image_url": {"url": url}}


def _document(block: Mapping[str, Any], param: str) -> list[Chat]:
    source = mapping(block.get("source"), f"{param}.source")
    if source.get("type") != "text":
        refuse(f"{param}.source.type", "only documents of plain text can be passed on")
    heads = [block.get("title"), block.get("context")]
    texts = [said for said in heads if isinstance(said, str) and said]
    texts.append(text(source.get("data"), f"{param}.source.data"))
    return [_text_part("\n\n".join(texts))]


def _plainly(parts: list[Chat]) -> str | list[Chat]:
    """A single text is said as one; every server reads that."""
    if len(parts) == 1 and parts[0]["type"] == "text":
        return str(parts[0]["text"])
    return parts


def _foreign(kind: object) -> str:
    if not isinstance(kind, str):
        return "Input should be a valid string"
    return f"{kind[:64]} has no equivalent behind this gateway"
