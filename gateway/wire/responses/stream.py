"""A streamed response, event by event: what may pass on, what it said, whether it is whole.

    event            WAITING              STREAMING             FAILED        OVER
    no data          dropped              passed                passed        dropped
    error            held → HELD          passed → FAILED       passed        dropped
    last             passed → OVER        passed → OVER         passed → OVER dropped
    any other typed  passed → STREAMING   passed                passed        dropped
    [DONE]           truncated            truncated             dropped       dropped
    end              truncated            truncated             —             —
    untyped          broken               broken                broken        dropped

The last event is `response.completed`, `response.incomplete`, `response.failed` or
`response.cancelled`. There is no `[DONE]` on this API: servers that add one all the same must not
pass it on, least of all behind an unfinished response. HELD drops all that follows: the caller may
still try another deployment. Bytes are never changed, nor sequence numbers; events of types not
known here pass like any other.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.call import Usage
from gateway.errors import UpstreamBroken, UpstreamError, UpstreamTruncated
from gateway.wire.event import object_in
from gateway.wire.responses.errors import error_in
from gateway.wire.responses.reply import Facts, facts
from gateway.wire.sse import Splitter, data_of, has_id

MAX_EVENT = 64 << 20
"""Bytes; twice the largest request that is taken in by default.

The events that begin and end a response repeat the request's instructions and tools, and those of
images carry them: a frame may be as large as a request or a reply.
"""

LAST = frozenset(
    f"response.{status}" for status in ("completed", "incomplete", "failed", "cancelled")
)
_LIFECYCLE = LAST | {"response.created", "response.queued", "response.in_progress"}
_DONE = b"[DONE]"
_DELTA = ".delta"
# Sound is no text; its deltas are base64.
_SOUND = "response.audio.delta"
# A delta of text as OpenAI writes it: no bracket or brace can hide in it, as its strings are plain.
_PLAIN_DELTA = re.compile(
    rb"event: response\.(?:output_text|function_call_arguments)\.delta\n"
    rb'data: \{"type":"response\.(?:output_text|function_call_arguments)\.delta"'
    rb'(?:,"(?:content_index|output_index|sequence_number)":[0-9]{1,15}'
    rb'|,"(?:item_id|obfuscation)":"[0-9A-Za-z_-]*+"|,"logprobs":\[\]'
    rb'|,"delta":"(?P<text>[ !#-\[\]-~]*+)")*+\}\n\n'
)
_NUMBER = re.compile(rb'"sequence_number":([0-9]{1,15})')
_UNFINISHED = "The upstream's stream ended before the response was finished."


class ResponseStream:
    """One streamed response; to be used as `gateway.wire.chat.ChatStream` is.

    Attributes:
        started: an event was seen; until then nothing is passed on.
        finished: the last event has come.
        done: the last event was passed on; nothing more will be.
        usage: the token counts, once stated.
        model: the response model.
        text_chars: characters of all texts so far, and of what tools were given.
        error: what the upstream said in an error event, or in a response that failed.
        saw_id: the stream sets event ids.
        broken: what the next call will raise; nothing more will pass on.
        facts: what the last event that held the response said of it.
        sequence: the last event's sequence number; -1 before the first.
    """

    __slots__ = (
        "_held", "_splitter",
        "broken", "done", "error", "facts", "finished", "model", "saw_id", "sequence", "started",
        "text_chars", "usage",
    )  # fmt: skip

    def __init__(self) -> None:
        self.started = False
        self.finished = False
        self.done = False
        self.usage: Usage | None = None
        self.model = ""
        self.text_chars = 0
        self.error: Mapping[str, Any] | None = None
        self.saw_id = False
        self.broken: UpstreamError | None = None
        self.facts: Facts | None = None
        self.sequence = -1
        self._splitter = Splitter(MAX_EVENT)
        self._held = False

    def feed(self, data: bytes) -> bytes:
        """What may go on to the client now, possibly nothing.

        Raises:
            UpstreamBroken: when the bytes are no stream of typed events.
            UpstreamTruncated: when they say that an unfinished response is done.
        """
        if self.broken is not None:
            raise self.broken
        if self.done or self._held:
            return b""
        passed: list[bytes] = []
        try:
            for frame in self._splitter.feed(data):
                passed.append(self._pass(frame))
                if self.done or self._held:
                    break
        except UpstreamError as broken:
            self.broken = broken
            if not any(passed):
                raise
        return b"".join(passed)

    def end(self) -> None:
        """The body has ended: was it whole? An error that was passed on needs no second one.

        Raises:
            UpstreamTruncated: when it was not.
            UpstreamError: `broken`, if it is set.
        """
        if self.broken is not None:
            raise self.broken
        if not self.started:
            message = "The upstream's stream ended before its first event."
            raise UpstreamTruncated(message)
        if not self.finished and self.error is None:
            raise UpstreamTruncated(_UNFINISHED)

    def names(self) -> tuple[str, ...]:
        """The ids that later calls may refer to the response by, strongest first."""
        return self.facts.names() if self.facts is not None else ()

    def _pass(self, frame: bytes) -> bytes:
        plain = _PLAIN_DELTA.fullmatch(frame)
        if plain is not None:
            return self._plain(frame, plain)
        data = _plain_data_of(frame)
        if data is None:
            data = data_of(frame)
            self.saw_id = self.saw_id or has_id(frame)
            if data is None:
                return frame if self.started else b""
        if data.startswith(_DONE):
            if self.error is None:
                raise UpstreamTruncated(_UNFINISHED)
            return b""
        document = object_in(data)
        wrong = error_in(document)
        if wrong is not None:
            self.error = wrong
            self._held = not self.started
            self._number(document)
            return frame if self.started else b""
        self._read(document)
        self.started = True
        return frame

    def _plain(self, frame: bytes, plain: re.Match[bytes]) -> bytes:
        """A delta that needs no parsing; its text is ASCII without escapes."""
        self.started = True
        self.text_chars += len(plain["text"] or b"")
        number = _NUMBER.search(frame)
        if number is not None:
            self.sequence = int(number[1])
        return frame

    def _read(self, document: Mapping[str, Any]) -> None:
        kind = document.get("type")
        if not isinstance(kind, str):
            message = "The upstream sent an event that has no type and is no error."
            raise UpstreamBroken(message)
        self._number(document)
        if kind in _LIFECYCLE:
            self._look_at(document.get("response"), kind)
        elif kind.endswith(_DELTA) and kind != _SOUND:
            delta = document.get("delta")
            self.text_chars += len(delta) if isinstance(delta, str) else 0

    def _number(self, document: Mapping[str, Any]) -> None:
        number = document.get("sequence_number")
        if isinstance(number, int):
            self.sequence = number

    def _look_at(self, response: object, kind: str) -> None:
        if isinstance(response, dict):
            self.facts = facts(response)
            self.model = self.model or self.facts.model
            self.usage = self.facts.usage or self.usage
        if kind in LAST:
            self.finished = self.done = True
            if kind == "response.failed" and self.error is None:
                said = self.facts.error if self.facts is not None else None
                self.error = said or {"message": "The response failed."}


def _plain_data_of(frame: bytes) -> bytes | None:
    """The data of a frame that is an event line, one data line, LF and nothing else."""
    at = frame.find(b"\n")
    if (
        frame.startswith(b"event: ")
        and frame.startswith(b"data: ", at + 1)
        and frame.find(b"\n", at + 1) == len(frame) - 2
        and b"\r" not in frame
    ):
        return frame[at + 7 : -2]
    return None
