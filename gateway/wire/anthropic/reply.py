"""A chat reply as a message. Whole replies only; `stream` has the others."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import UpstreamBroken
from gateway.wire.anthropic.ending import at_first, ended, identified, named, processed, used
from gateway.wire.anthropic.parsing import dumps
from gateway.wire.reader import Unreadable, look

_THOUGHTS = ("reasoning_content", "reasoning")


def translate(
    body: bytes, *, stops: tuple[str, ...], longer: Mapping[str, str], thoughts: bool
) -> bytes:
    """The message of a chat reply with status 200.

    `longer` spells shortened tool names out; `thoughts` says that the caller wants them.

    Raises:
        UpstreamBroken: it is no chat reply, or calls a tool with something that is no JSON object.
    """
    document = _document(body)
    choice = document["choices"][0]
    said = choice.get("message")
    said = said if isinstance(said, dict) else {}
    content: list[dict[str, Any]] = []
    if thoughts and (thought := next((t for n in _THOUGHTS if _is_text(t := said.get(n))), "")):
        content.append({"type": "thinking", "thinking": thought, "signature": ""})
    refusal = said.get("refusal")
    refusal = refusal if isinstance(refusal, str) else ""
    spoken = said.get("content")
    content += [
        {"type": "text", "text": text, "citations": None}
        for text in (spoken, refusal)
        if _is_text(text)
    ]
    calls = said.get("tool_calls")
    cut = choice.get("finish_reason") == "length"
    for place, call in enumerate(calls if isinstance(calls, list) else ()):
        content += _called(call, f"{identified(document)[4:]}_{place}", longer, cut=cut)
    message = {
        "id": identified(document),
        "type": "message",
        "role": "assistant",
        "model": named(document),
        "content": content,
        **ended(choice, stops, called=bool(calls), refusal=refusal),
        "usage": {**(used(document) or at_first(0)), **processed(document)},
    }
    if "gateway" in document:
        # The decision, which the caller asked to see.
        message["gateway"] = document["gateway"]
    return dumps(message)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = look(body)
    except Unreadable as refusal:
        message = f"The upstream's reply is no JSON: {refusal}."
        raise UpstreamBroken(message) from None
    choices = document.get("choices") if isinstance(document, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        message = "The upstream answered something that is no chat reply with status 200."
        raise UpstreamBroken(message)
    found: Mapping[str, Any] = document
    return found


def _called(call: object, id_: str, longer: Mapping[str, str], *, cut: bool) -> list[Any]:
    function = call.get("function") if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict) or not isinstance(name, str):
        message = "The upstream's reply calls a tool that has no name."
        raise UpstreamBroken(message)
    arguments = function.get("arguments")
    try:
        given = look(arguments.encode()) if isinstance(arguments, str) and arguments else {}
    except (Unreadable, UnicodeEncodeError):
        given = None
    if not isinstance(given, dict):
        if cut:
            # The limit fell into the arguments; what is left of them calls nothing.
            return []
        message = "The model called a tool with arguments that are no JSON object."
        raise UpstreamBroken(message)
    known = call.get("id")
    own = known if _is_text(known) else f"toolu_{id_}"
    return [{"type": "tool_use", "id": own, "name": longer.get(name, name), "input": given}]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
