"""Which conversation a call belongs to, and whether it hands over what tools answered.

The first of these names it: the caller's session (`x-session-id` and the headers of agents),
`prompt_cache_key`, else a checksum of how it begins: the system prompt and the first thing the user
said (their first 512 characters and their lengths), and the user the caller names. A conversation
only grows at its end, so every later call of it has the same beginning. Two that begin alike are
taken for one: they share a tier at worst, never a reply.

A call that is no part of a conversation yet is named only where there will be something to keep: a
prompt long enough to be cached, or tools that will come back with results.
"""

from collections.abc import Mapping
from typing import Any
from zlib import adler32, crc32

HEAD = 512
LONGEST_NAME = 200
# Where the first answer of a conversation is looked for.
FIRST_MESSAGES = 8

# Not sets: a stranger's role may be a list, which cannot be looked up.
_SYSTEM = ("system", "developer")
_RESULTS = ("tool", "function")


def conversation(document: Mapping[str, Any], session: str | None, *, keeps: bool) -> str | None:
    """The name of a call's conversation, None where it has none.

    `keeps` says that even a first call leaves something worth coming back to.
    """
    if session is not None:
        return f"s:{session[:LONGEST_NAME]}"
    key = document.get("prompt_cache_key")
    if isinstance(key, str) and key:
        return f"k:{key[:LONGEST_NAME]}"
    messages = document.get("messages")
    if not isinstance(messages, list) or not (keeps or _answered(messages)):
        return None
    said = _beginning(messages)
    if said is None:
        return None
    system, user = said
    who = document.get("safety_identifier") or document.get("user")
    heads = f"{system[:HEAD]}\n{user[:HEAD]}"
    if isinstance(who, str):
        heads = f"{heads}\n{who[:HEAD]}"
    return f"b:{_mark(heads)}.{len(system):x}.{len(user):x}"


def beginning(document: Mapping[str, Any]) -> str | None:
    """A name for the system prompt, which calls of one application share; None without one."""
    messages = document.get("messages")
    if not isinstance(messages, list) or (said := _beginning(messages)) is None or not said[0]:
        return None
    system = said[0]
    return f"{_mark(system[:HEAD])}.{len(system):x}"


def hands_results(document: Mapping[str, Any]) -> bool:
    """Whether the call's last word is a tool's."""
    messages = document.get("messages")
    if not isinstance(messages, list) or not messages:
        return False
    last = messages[-1]
    return isinstance(last, dict) and last.get("role") in _RESULTS


def _answered(messages: list[Any]) -> bool:
    """Whether a model has spoken before."""
    if len(messages) < 2:
        return False
    for message in messages[:FIRST_MESSAGES]:
        if isinstance(message, dict) and message.get("role") == "assistant":
            return True
    return False


def _beginning(messages: list[Any]) -> tuple[str, str] | None:
    """The first system prompt ("" without one) and the first user turn, if there is one."""
    system = ""
    for message in messages[:FIRST_MESSAGES]:
        if not isinstance(message, dict):
            continue
        role = message.get("role")
        if role == "user":
            return system, _text(message.get("content"))
        if role in _SYSTEM and not system:
            system = _text(message.get("content"))
    return None


def _text(content: object) -> str:
    """A message's text, or the first of its texts."""
    if isinstance(content, str):
        return content
    for part in content[:FIRST_MESSAGES] if isinstance(content, list) else ():
        if isinstance(part, dict) and isinstance(text := part.get("text"), str):
            return text
    return ""


def _mark(text: str) -> str:
    """A text in few characters.

    Checksums take a fifth of a digest's time; whoever forges them shares a tier with himself.
    """
    # A lone surrogate is legal JSON and no UTF-8.
    data = text.encode("utf-8", "surrogatepass")
    return f"{crc32(data):x}.{adler32(data):x}"
