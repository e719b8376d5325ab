"""A Messages request as a call for a chat completion, and the way back.

    translated = from_request(document, headers, terms)
    translated.body, translated.document        the call, for the gateway's usual path
    translated.reply(chat)                      the message of a whole reply
    translated.events()                         the machine for a streamed one

Model names: Anthropic's are routed by patterns (`Terms.aliases`), as `auto` unless said otherwise;
all others mean what they mean on the chat endpoint.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from gateway.wire.anthropic import messages, options, reply, tools
from gateway.wire.anthropic.parsing import dumps, refuse, switch
from gateway.wire.anthropic.stream import MessageStream

ALIASES = (("claude*", "auto"), ("anthropic/*", "auto"))
SESSION_HEADER = b"x-claude-code-session-id"
# Claude Code's `metadata.user_id`: JSON with a session_id, formerly `user_…_session_UUID`.
_SESSION = re.compile(r"session(?:_id\"\s*:\s*\"|_)([0-9a-fA-F-]{8,64})")
_SESSION_HEADER = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the gateway's configuration says about translating.

    `aliases` are patterns of requested models with what is asked for instead, the first that
    matches wins; `reasons` says that a model behind some tier can reason; `max_output` is the most
    tokens that a model behind any tier can write (None: no limit is lowered).
    """

    aliases: tuple[tuple[str, str], ...] = ALIASES
    reasons: bool = False
    max_output: int | None = None


DEFAULT_TERMS = Terms()


@dataclass(frozen=True, slots=True)
class Translated:
    """A translated call. `session` is the conversation it belongs to, where the client tells."""

    body: bytes
    document: Mapping[str, Any]
    stream: bool
    session: str
    stops: tuple[str, ...]
    longer: Mapping[str, str]
    thoughts: bool

    def reply(self, chat: bytes) -> bytes:
        """The message that a whole chat reply with status 200 makes.

        Raises:
            UpstreamBroken: it is no chat reply.
        """
        return reply.translate(chat, stops=self.stops, longer=self.longer, thoughts=self.thoughts)

    def events(self, prompt_tokens: int = 0, request_id: str | None = None) -> MessageStream:
        """The machine that turns the chat stream into events.

        `prompt_tokens` is the assessed length of the prompt: the first event speaks of it before
        the upstream has counted.
        """
        return MessageStream(
            stops=self.stops,
            longer=self.longer,
            thoughts=self.thoughts,
            prompt_tokens=prompt_tokens,
            request_id=request_id,
        )


def from_request(
    document: Mapping[str, Any], headers: Mapping[bytes, bytes], terms: Terms = DEFAULT_TERMS
) -> Translated:
    """Translate the document of a call to `/v1/messages`; `headers` have lower-case names.

    Raises:
        InvalidValue: something in it is malformed or has no equivalent; `param` says what.
    """
    options.check(document)
    chat: dict[str, Any] = {"model": _model(document, terms)}
    chat["messages"] = messages.translate(document)
    longer: dict[str, str] = {}
    tools.translate(document, chat, longer)
    chat["max_completion_tokens"] = options.limit(document, terms.max_output)
    options.sample(document, chat)
    options.shape(document, chat, reasons=terms.reasons)
    stream = switch(document.get("stream"), "stream")
    if stream:
        chat["stream"] = True
        chat["stream_options"] = {"include_usage": True}
    chat |= {name: document[name] for name in options.KNOBS if name in document}
    return Translated(
        dumps(chat),
        chat,
        stream,
        _session(document, headers),
        tuple(chat.get("stop", ())),
        longer,
        options.wants_thoughts(document),
    )


def counted(tokens: int) -> bytes:
    """The reply to a call that wants a prompt counted."""
    return dumps({"input_tokens": tokens})


def _model(document: Mapping[str, Any], terms: Terms) -> str:
    model = document.get("model")
    if not isinstance(model, str) or not model:
        refuse("model", "Field required")
    return next((name for pattern, name in terms.aliases if fnmatchcase(model, pattern)), model)


def _session(document: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
    told = headers.get(SESSION_HEADER, b"").decode("latin-1")
    if _SESSION_HEADER.fullmatch(told):
        return told
    metadata = document.get("metadata")
    user = metadata.get("user_id") if isinstance(metadata, dict) else None
    found = _SESSION.search(user) if isinstance(user, str) else None
    return found[1] if found else ""
