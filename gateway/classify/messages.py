"""Walks over what a model would read: messages, items, parts and plain prompts.

Chat Completions (`messages`), Responses (`input`, `instructions`) and Completions (`prompt`) are
gathered into the same few heaps. Documents are hostile: whatever JSON stands where a message or a
part should be is weighed and passed over; nothing raises and nothing is rejected.

Overhead follows the published formula: 3 tokens a message, its role, 1 a name, 3 to prime the
reply.

Most messages are a role and a text. They are read where they are met (`Walk._messages`); a method
call each would double what a walk costs.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.call import ImageSize
from gateway.catalog import Capability
from gateway.classify.functions import weigh
from gateway.classify.images import size_of

MESSAGE = 3
ROLE = 1
NAME = 1
PRIMING = 3
TOOL_CALL = 4
"""Around a call of a tool or its result; no figure is published."""

SOUND_BYTES_PER_TOKEN = 16
"""Of base64, at least: a token is a tenth of a second, the thinnest MP3 takes 133 bytes for it."""

# Combining flags takes a microsecond each time, so a walk combines their bits.
TOOLS = Capability.TOOLS.value
VISION = Capability.VISION.value
AUDIO = Capability.AUDIO.value

# Each is one token of o200k_base.
_ROLES = frozenset(("user", "assistant", "system", "developer", "tool", "function"))
_TEXT_PARTS = frozenset((None, "text", "input_text", "output_text", "summary_text"))
_IMAGE_PARTS = frozenset(("image_url", "input_image"))
_MEDIA_PARTS = frozenset(("file", "input_file"))
_CALLS = frozenset(("function_call", "custom_tool_call"))
_OUTPUTS = frozenset(("function_call_output", "custom_tool_call_output"))


class Walk:
    """What a walk over one document gathers.

    `texts` are in order, each tokenised by itself; `user` has the range of texts of each user
    turn; `plain` says that nothing but texts, roles and names was met; `needs` are the bits of
    `Capability`.
    """

    __slots__ = (
        "context",
        "images",
        "media_bytes",
        "needs",
        "overhead",
        "plain",
        "texts",
        "unread_bytes",
        "user",
    )

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.overhead = 0
        self.plain = True
        self.images: list[ImageSize] = []
        self.needs = 0
        self.context = ""
        self.user: list[tuple[int, int]] = []
        self.media_bytes = 0
        self.unread_bytes = 0

    def read(self, document: Mapping[str, Any]) -> None:
        """Walk a document; call it once."""
        messages = document.get("messages")
        if messages is None:
            messages = document.get("input")
            if (instructions := document.get("instructions")) is not None:
                self._message({"role": "system", "content": instructions})
        if messages is None and not self.overhead:
            self._completion(document.get("prompt"))
            return
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        self._messages(messages if isinstance(messages, list) else (messages,))
        self.overhead += PRIMING

    def turn(self, start: int, end: int) -> str:
        """The texts of a range as one."""
        return self.texts[start] if end == start + 1 else "\n".join(self.texts[start:end])

    def _completion(self, prompt: object) -> None:
        """A prompt without messages: a text, several, or tokens."""
        for item in prompt if isinstance(prompt, list) else (prompt,):
            if isinstance(item, str):
                self.texts.append(item)
            elif isinstance(item, int):
                self.overhead += 1
            elif isinstance(item, list):
                self.overhead += len(item)
            else:
                self._unknown(item)

    def _messages(self, messages: Iterable[object]) -> None:
        texts = self.texts
        for message in messages:
            if not isinstance(message, dict) or len(message) != 2:
                self._message(message)
                continue
            role, content = message.get("role"), message.get("content")
            if role is None or not isinstance(content, str):
                self._message(message)
                continue
            texts.append(content)
            if role == "assistant":
                self.overhead += MESSAGE + ROLE
            else:
                self._role(role, len(texts) - 1)

    def _message(self, message: object) -> None:
        if not isinstance(message, dict):
            self._unknown(message)
            return
        role = message.get("role")
        if role is None and message.get("type", "message") != "message":
            self._item(message)
            return
        start = len(self.texts)
        content = message.get("content")
        if isinstance(content, str):
            self.texts.append(content)
        elif content is not None:
            self._parts(content)
        self._role(role, start)
        if content is None or len(message) > 2:
            self._rest(message)

    def _role(self, role: object, start: int) -> None:
        """Note who said the texts since `start`."""
        self.overhead += MESSAGE + ROLE
        if role == "user":
            self.user.append((start, len(self.texts)))
        elif role == "system" or role == "developer":
            self.context = self.context or self.turn(start, len(self.texts))
        elif isinstance(role, str) and role not in _ROLES:
            self.overhead -= ROLE
            self.texts.append(role)

    def _rest(self, message: dict[str, Any]) -> None:
        """What a message may hold beside its role and content."""
        if isinstance(name := message.get("name"), str):
            self.texts.append(name)
            self.overhead += NAME
        if isinstance(refusal := message.get("refusal"), str):
            self.texts.append(refusal)
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            self._call(call.get("function", call) if isinstance(call, dict) else call)
        if (call := message.get("function_call")) is not None:
            self._call(call)
        if message.get("tool_call_id") is not None:
            self.needs |= TOOLS
            self.plain = False
        if isinstance(message.get("audio"), dict):
            self.needs |= AUDIO
            self.plain = False

    def _call(self, call: object) -> None:
        """A tool that was called: its name and what it was given."""
        self.needs |= TOOLS
        self.plain = False
        self.overhead += TOOL_CALL
        if not isinstance(call, dict):
            self._unknown(call)
            return
        for key in ("name", "arguments", "input"):
            if isinstance(text := call.get(key), str):
                self.texts.append(text)

    def _item(self, item: dict[str, Any]) -> None:
        """An item of a Responses `input` that is no message."""
        kind = item.get("type")
        if not isinstance(kind, str):
            self._unknown(item)
        elif kind in _CALLS:
            self._call(item)
        elif kind in _OUTPUTS:
            self.needs |= TOOLS
            self.plain = False
            self.overhead += TOOL_CALL
            self._parts(item.get("output"))
        else:
            self._unknown(item)

    def _parts(self, content: object) -> None:
        for part in content if isinstance(content, list) else (content,):
            if isinstance(part, str):
                self.texts.append(part)
            elif isinstance(part, dict):
                self._part(part)
            else:
                self._unknown(part)

    def _part(self, part: dict[str, Any]) -> None:
        kind = part.get("type")
        if kind is not None and not isinstance(kind, str):
            self._unknown(part)
            return
        text = part.get("refusal") if kind == "refusal" else part.get("text")
        if isinstance(text, str) and (kind in _TEXT_PARTS or kind == "refusal"):
            self.texts.append(text)
        elif kind in _IMAGE_PARTS:
            self._image(part)
        elif kind in _MEDIA_PARTS:
            self._media(part)
        elif kind == "input_audio":
            self.needs |= AUDIO
            self.media_bytes += -(-weigh(part) // SOUND_BYTES_PER_TOKEN)
            self.plain = False
        else:
            self._unknown(part)

    def _image(self, part: dict[str, Any]) -> None:
        image = part.get("image_url")
        nested = image if isinstance(image, dict) else part
        url = image.get("url") if isinstance(image, dict) else image
        low = nested.get("detail") == "low"
        self.images.append(size_of(url if isinstance(url, str) else "", low=low))
        self.needs |= VISION

    def _media(self, part: dict[str, Any]) -> None:
        self.media_bytes += weigh(part)
        self.plain = False

    def _unknown(self, value: object) -> None:
        if value is None:
            return
        self.unread_bytes += weigh(value)
        self.plain = False
