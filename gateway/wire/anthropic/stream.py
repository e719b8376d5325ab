"""A chat stream as the events of a message.

Its input is what `gateway.wire.chat.ChatStream` passes on, usage included: whole or cut anywhere,
and with the gateway's own error frames. A message's blocks come one after another, so whatever is
said next closes the block that is open.

    chat              WAITING              SPEAKING                      OVER
    comment           ping                 ping                          dropped
    chunk             message_start, then  block starts, deltas, stops;  dropped
                      as SPEAKING          usage and ending remembered
    error             error → OVER         error → OVER                  dropped
    [DONE]            error → OVER         message_delta, message_stop   dropped
                                           → OVER if a choice finished,
                                           else error → OVER
    end               error                as [DONE]                     nothing

So a reply that was cut ends in an error and never in `message_stop`. Nothing is raised: an input
that is no chat stream is an error event, too.
"""

from collections.abc import Mapping
from typing import Any

from gateway.errors import UpstreamBroken, UpstreamError, UpstreamTruncated
from gateway.wire.anthropic import failures
from gateway.wire.anthropic.ending import at_first, ended, identified, named, processed, used
from gateway.wire.anthropic.parsing import dumps
from gateway.wire.reader import Unreadable, look
from gateway.wire.sse import Splitter, data_of

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_DONE = b"[DONE]"
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_UNFINISHED = "The upstream's stream ended before the reply was finished."
_NO_CHUNK = "The upstream sent an event that is no chunk."
_LATE = "The upstream went back to a tool call it had left."
_THOUGHTS = ("reasoning_content", "reasoning")
# What a block of each kind starts as, and where a delta of it puts its text.
_STARTS: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}
_DELTAS = {
    "text": b'"delta":{"type":"text_delta","text":',
    "thinking": b'"delta":{"type":"thinking_delta","thinking":',
    "tool": b'"delta":{"type":"input_json_delta","partial_json":',
}


class MessageStream:
    """One streamed message.

    `prompt_tokens` is what the first event says of the usage; the last one corrects it.

    Attributes:
        over: nothing more will come: the message is whole, or an error was told.
        failed: an error was told.
    """

    __slots__ = (
        "_calls", "_choice", "_decision", "_id", "_kind", "_longer", "_next", "_prompt_tokens",
        "_refusal", "_request_id", "_splitter", "_started", "_stops", "_thoughts", "_usage",
        "failed", "over",
    )  # fmt: skip

    def __init__(
        self,
        *,
        stops: tuple[str, ...] = (),
        longer: Mapping[str, str] | None = None,
        thoughts: bool = False,
        prompt_tokens: int = 0,
        request_id: str | None = None,
    ) -> None:
        self.over = False
        self.failed = False
        self._stops = stops
        self._longer = longer or {}
        self._thoughts = thoughts
        self._prompt_tokens = prompt_tokens
        self._request_id = request_id
        self._splitter = Splitter()
        self._started = False
        self._id = ""
        # The open block's kind (none: ""), and the number of the next one.
        self._kind = ""
        self._next = 0
        # Tool calls begun, by their place in the chat reply; the last one is the open one.
        self._calls: list[int] = []
        self._refusal = ""
        self._choice: Mapping[str, Any] = {}
        self._usage: Mapping[str, Any] | None = None
        self._decision: object = None

    def feed(self, data: bytes) -> bytes:
        """The events these bytes make, possibly none."""
        if self.over:
            return b""
        out: list[bytes] = []
        try:
            for frame in self._splitter.feed(data):
                self._read(frame, out)
                if self.over:
                    break
        except UpstreamError as error:
            out.append(self.cut(error))
        return b"".join(out)

    def end(self) -> bytes:
        """The last events, now that the chat stream has ended."""
        if self.over:
            return b""
        if self._choice:
            return self._close()
        return self.cut(UpstreamTruncated(_UNFINISHED))

    def cut(self, error: UpstreamError) -> bytes:
        """The event that says why nothing more will come."""
        said = {"message": error.message, "type": error.type, "code": error.code}
        return self._fail(said)

    def _fail(self, error: object) -> bytes:
        if self.over:
            return b""
        self.over = self.failed = True
        return failures.event(error, self._request_id)

    def _read(self, frame: bytes, out: list[bytes]) -> None:
        data = data_of(frame)
        if data is None:
            out.append(PING)
            return
        if data.startswith(_DONE):
            out.append(self.end())
            return
        try:
            document = look(data)
        except Unreadable:
            document = None
        if not isinstance(document, dict):
            raise UpstreamBroken(_NO_CHUNK)
        if document.get("error"):
            out.append(self._fail(document["error"]))
            return
        if not self._started:
            out.append(self._start(document))
        self._usage = used(document) or self._usage
        # The decision, which the caller asked to see.
        self._decision = document.get("gateway", self._decision)
        choices = document.get("choices")
        if isinstance(choices, list) and choices:
            self._hear(choices[0], out)

    def _start(self, document: Mapping[str, Any]) -> bytes:
        self._started = True
        self._id = identified(document)
        message: dict[str, Any] = {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": named(document),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**at_first(self._prompt_tokens), **processed(document)},
        }
        return _event("message_start", {"message": message}) + PING

    def _hear(self, choice: object, out: list[bytes]) -> None:
        if not isinstance(choice, dict):
            raise UpstreamBroken(_NO_CHUNK)
        delta = choice.get("delta")
        if isinstance(delta, dict):
            if self._thoughts:
                # Some servers say the same under both names.
                self._say("thinking", delta.get(_THOUGHTS[0]) or delta.get(_THOUGHTS[1]), out)
            self._say("text", delta.get("content"), out)
            if refusal := self._say("text", delta.get("refusal"), out):
                self._refusal += refusal
            calls = delta.get("tool_calls")
            for call in calls if isinstance(calls, list) else ():
                self._call(call, out)
        if choice.get("finish_reason"):
            self._choice = choice

    def _say(self, kind: str, text: object, out: list[bytes]) -> str:
        if not isinstance(text, str) or not text:
            return ""
        if self._kind != kind:
            self._open(kind, _STARTS[kind], out)
        out.append(self._delta(text))
        return text

    def _call(self, call: object, out: list[bytes]) -> None:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(call, dict) or not isinstance(function, dict):
            raise UpstreamBroken(_NO_CHUNK)
        name = function.get("name")
        place = call.get("index")
        if not isinstance(place, int):
            # Servers that leave it out send each call in one piece.
            place = len(self._calls)
        if place not in self._calls:
            if not isinstance(name, str):
                raise UpstreamBroken(_NO_CHUNK)
            known = call.get("id")
            own = known if isinstance(known, str) and known else f"toolu_{self._id[4:]}_{place}"
            block = {"id": own, "name": self._longer.get(name, name), "input": {}}
            self._open("tool", {"type": "tool_use", **block}, out)
            self._calls.append(place)
        elif self._kind != "tool" or self._calls[-1] != place:
            raise UpstreamBroken(_LATE)
        arguments = function.get("arguments")
        if isinstance(arguments, str) and arguments:
            out.append(self._delta(arguments))

    def _open(self, kind: str, block: Mapping[str, Any], out: list[bytes]) -> None:
        out.append(self._stop_block())
        self._kind = kind
        out.append(_event("content_block_start", {"index": self._next, "content_block": block}))
        self._next += 1

    def _delta(self, text: str) -> bytes:
        return (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,%b%b}}\n\n'
            % (self._next - 1, _DELTAS[self._kind], dumps(text))
        )

    def _stop_block(self) -> bytes:
        if not self._kind:
            return b""
        self._kind = ""
        return _event("content_block_stop", {"index": self._next - 1})

    def _close(self) -> bytes:
        self.over = True
        stopped = self._stop_block()
        delta = ended(self._choice, self._stops, called=bool(self._calls), refusal=self._refusal)
        usage = self._usage or at_first(self._prompt_tokens)
        members: dict[str, Any] = {"delta": delta, "usage": usage}
        if self._decision is not None:
            members["gateway"] = self._decision
        return stopped + _event("message_delta", members) + _STOP


def _event(name: str, members: Mapping[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), dumps({"type": name, **members}))
