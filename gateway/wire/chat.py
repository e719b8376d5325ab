"""A streamed chat reply, frame by frame: what may pass on, what it said, whether it is whole.

    event        WAITING             STREAMING             FAILED           DONE
    no data      dropped             passed                passed           dropped
    chunk        passed → STREAMING  passed                passed           dropped
    error        held → HELD         passed → FAILED       passed           dropped
    [DONE]       truncated           passed → DONE if      passed → DONE    dropped
                                     finished, else
                                     truncated
    end          truncated           truncated unless      —                —
                                     finished
    other        broken              broken                broken           dropped

Finished: every choice that was seen has a `finish_reason`. `[DONE]` is not needed for that, as
many servers omit it; without it none is made up, and to an unfinished reply it is not passed on,
as to a client it says that all is well. HELD drops all that follows: the caller may still try
another deployment. Truncated and broken are raised as soon as no byte is left to pass on, by
every later call too. A frame passes on with the bytes it came in, save what an upstream
adds because we, not the client, asked for usage: the chunk that only carries it, and
`"usage":null` in the others.

Most frames are like the one before, and are not parsed (`gateway.wire.template`).
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.call import Usage
from gateway.errors import UpstreamBroken, UpstreamError, UpstreamTruncated
from gateway.wire.event import object_in
from gateway.wire.members import cuts_at, members
from gateway.wire.reader import MAX_DEPTH, deeper_than
from gateway.wire.sse import MAX_FRAME, Splitter, cut_from_data, data_of, has_id, plain_data_of
from gateway.wire.template import Template, learn
from gateway.wire.text import chars_of
from gateway.wire.usage import usage_of

_DONE = b"[DONE]"
_BACKSLASH = 0x5C
_NULL_USAGE = b',"usage":null'
# What stands behind it in practice: the end, or the padding and the end.
_AFTER_USAGE = re.compile(rb'(?:,"obfuscation":"[0-9A-Za-z]*+")?\}\n\n')
_UNFINISHED = "The upstream's stream ended before the reply was finished."
_LESSONS = 64
"""Templates learnt a stream: some servers stamp every second anew; none gains from more."""


class ChatStream:
    """One streamed chat reply.

    Attributes:
        started: a chunk was seen; until then nothing is passed on.
        finished: all choices seen so far are finished.
        done: `[DONE]` was passed on; nothing more will be.
        usage: the token counts, once stated.
        model: the response model.
        text_chars: characters of all choices so far.
        error: what the upstream said in an error event: passed on when `started`, else held.
        saw_id: the stream sets event ids; a comment would break clients built on openai-python.
        broken: what the next call will raise; nothing more will pass on.
        sequence: -1, as chunks bear no numbers.
    """

    __slots__ = (
        "_id", "_lessons", "_over", "_seen", "_splitter", "_strip", "_template",
        "broken", "done", "error", "finished", "model", "saw_id", "sequence", "started",
        "text_chars", "usage",
    )  # fmt: skip

    def __init__(self, *, strip_usage: bool) -> None:
        self.started = False
        self.finished = False
        self.done = False
        self.usage: Usage | None = None
        self.model = ""
        self.text_chars = 0
        self.error: Mapping[str, Any] | None = None
        self.saw_id = False
        self.broken: UpstreamError | None = None
        # Chat chunks bear no numbers.
        self.sequence = -1
        self._id = ""
        self._strip = strip_usage
        self._splitter = Splitter()
        self._template: Template | None = None
        self._lessons = _LESSONS
        self._seen: set[int] = set()
        self._over: set[int] = set()

    def feed(self, data: bytes) -> bytes:
        """What may go on to the client now, possibly nothing.

        Raises:
            UpstreamBroken: when the bytes are no chat stream.
            UpstreamTruncated: when they say that an unfinished reply is done.
        """
        template = self._template
        if template is None or self._splitter.pending or len(data) > MAX_FRAME:
            return self._feed(data, b"")
        passed, chars, used = template.run(data)
        self.text_chars += chars
        return passed if used == len(data) else self._feed(data[used:], passed)

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
        if self.error is None and not (self.finished and (self.done or self._is_at_rest())):
            raise UpstreamTruncated(_UNFINISHED)

    def names(self) -> tuple[str, ...]:
        """The id that later calls may refer to the reply by, where it is stored."""
        return (self._id,) if self._id else ()

    def _is_closed(self) -> bool:
        return self.done or (self.error is not None and not self.started)

    def _is_at_rest(self) -> bool:
        rest = self._splitter.rest().strip(b"\r\n")
        return not rest or data_of(rest) == _DONE

    def _feed(self, data: bytes, before: bytes) -> bytes:
        if self.broken is not None:
            raise self.broken
        if self._is_closed():
            return b""
        passed = [before]
        try:
            for frame in self._splitter.feed(data):
                if self._is_closed():
                    break
                passed.append(self._pass(frame))
        except UpstreamError as broken:
            self.broken = broken
            self._template = None
            if not any(passed):
                raise
        return b"".join(passed)

    def _pass(self, frame: bytes) -> bytes:
        if self._template is not None:
            alike, chars, used = self._template.run(frame)
            if used == len(frame):
                self.text_chars += chars
                return alike
        data = plain_data_of(frame)
        plain = data is not None
        if data is None:
            data = data_of(frame)
            self.saw_id = self.saw_id or has_id(frame)
            if data is None:
                return frame if self.started else b""
        if data.startswith(_DONE):
            return self._end_mark(frame)
        document = object_in(data)
        error = document.get("error")
        if error:
            return self._failed(frame, error)
        chars = self._read(document)
        sent = frame
        if self._strip and "usage" in document:
            sent = _without_usage(frame, data, document)
        if plain and self._lessons and chars:
            self._template = learn(frame, sent, chars)
            self._lessons -= 1
        else:
            self._template = None
        return sent

    def _end_mark(self, frame: bytes) -> bytes:
        if not self.finished and self.error is None:
            raise UpstreamTruncated(_UNFINISHED)
        self.done = True
        self._template = None
        return frame

    def _failed(self, frame: bytes, error: object) -> bytes:
        self.error = error if isinstance(error, dict) else {"message": str(error)}
        return frame if self.started else b""

    def _read(self, document: Mapping[str, Any]) -> int:
        """Learn what a chunk says; gives the characters of its text."""
        choices = document.get("choices")
        if choices.__class__ is not list:
            if choices is not None or not isinstance(document.get("usage"), dict):
                message = "The upstream sent an event that is neither a chunk nor an error."
                raise UpstreamBroken(message)
            choices = []
        for choice in choices:
            index = choice.get("index", 0) if choice.__class__ is dict else None
            if index.__class__ is not int:
                message = "The upstream sent a chunk with a choice that is none."
                raise UpstreamBroken(message)
            self._seen.add(index)
            if choice.get("finish_reason"):
                self._over.add(index)
        self.finished = bool(self._seen) and self._seen == self._over
        if document.get("usage") is not None:
            self.usage = usage_of(document) or self.usage
        if not self.model:
            model = document.get("model")
            self.model = model if isinstance(model, str) else ""
        if not self.started:
            named = document.get("id")
            self._id = named if isinstance(named, str) else ""
        self.started = True
        chars = chars_of(choices, "delta")
        self.text_chars += chars
        return chars


def _without_usage(frame: bytes, data: bytes, document: Mapping[str, Any]) -> bytes:
    usage = document["usage"]
    if usage is None:
        return _without_null_usage(frame, data, document)
    return frame if document.get("choices") or not isinstance(usage, dict) else b""


def _without_null_usage(frame: bytes, data: bytes, document: Mapping[str, Any]) -> bytes:
    at = frame.rfind(_NULL_USAGE)
    if (
        at >= 0
        and _AFTER_USAGE.fullmatch(frame, at + len(_NULL_USAGE))
        and frame.find(b'"usage"') == at + 1
        and not (_BACKSLASH in frame and b"\\u00" in frame)
    ):
        return frame[:at] + frame[at + len(_NULL_USAGE) :]
    if deeper_than(document, MAX_DEPTH):
        message = f"The upstream sent an event with more than {MAX_DEPTH} levels of nesting."
        raise UpstreamBroken(message)
    found = members(data)
    nulls = [
        i for i, m in enumerate(found) if m.name == "usage" and data[m.value : m.end] == b"null"
    ]
    for cut in reversed(cuts_at(found, nulls)):
        frame = cut_from_data(frame, cut.start, cut.end)
    return frame
