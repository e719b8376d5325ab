"""An answer as `/responses` gives it: one JSON document, or a stream of typed events.

Streams are those of the real thing: numbered events, each item and part opened and closed, a token
a delta, and the whole response at the start and the end; no `[DONE]`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from gateway.simulate import replies
from gateway.simulate.answers import ALPHABET, Choice, ToolCall, message_of
from gateway.simulate.pieces import PIECE
from gateway.simulate.replies import PADDED_TO, Sending
from gateway.simulate.responses_asking import Asked
from gateway.simulate.responses_memory import Memory, Stored
from gateway.simulate.script import Step

Item = dict[str, Any]
# What is echoed, and what it is when the request leaves it out.
ECHOED: Mapping[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
    "metadata": {},
}


class Responding:
    """The words of this API for one request; what it says is stored unless that is declined."""

    __slots__ = ("_asked", "_memory")

    def __init__(self, asked: Asked, memory: Memory) -> None:
        self._asked = asked
        self._memory = memory

    def document(self, sending: Sending) -> dict[str, Any]:
        """A reply that is not streamed."""
        response = _response(self._asked.request, sending)
        if self._asked.request.get("store") is not False:
            choice = sending.answer.choices[0]
            own = message_of(choice.text, choice.calls)
            self._memory.keep(Stored(response, [*self._asked.said, own]))
        return response

    def stream(self, sending: Sending, waits: Iterator[float]) -> Iterator[Step]:
        """The events of a reply, each delta after the time of a token."""
        return _Events(sending).of(self.document(sending), waits)


def _response(request: Mapping[str, Any], sending: Sending) -> dict[str, Any]:
    cut = sending.answer.choices[0].finish == "length"
    head = sending.head("response")
    echoed = {
        name: otherwise if request.get(name) is None else request[name]
        for name, otherwise in ECHOED.items()
    }
    text, reasoning = request.get("text"), request.get("reasoning")
    return {
        "id": _name("resp", sending),
        "object": "response",
        "created_at": sending.created,
        "status": "incomplete" if cut else "completed",
        "background": False,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "model": head["model"],
        "output": list(_items(sending, "incomplete" if cut else "completed")),
        **echoed,
        "reasoning": {"effort": None, "summary": None, **(_object(reasoning))},
        "service_tier": head["service_tier"],
        "system_fingerprint": head["system_fingerprint"],
        "text": {"format": {"type": "text"}, "verbosity": "medium", **(_object(text))},
        "usage": usage_of(sending),
    }


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(prefix: str, sending: Sending, index: int | None = None) -> str:
    """An id that belongs to the answer's."""
    own = sending.answer.id.removeprefix("chatcmpl-")
    return f"{prefix}_{own}" if index is None else f"{prefix}_{own}{index}"


def usage_of(sending: Sending) -> dict[str, Any]:
    """What an answer took, in the words of this API."""
    counted = sending.usage()
    return {
        "input_tokens": counted["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": sending.cached},
        "output_tokens": counted["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": sending.answer.reasoning},
        "total_tokens": counted["total_tokens"],
    }


def _items(sending: Sending, status: str) -> Iterator[Item]:
    choice = sending.answer.choices[0]
    if sending.answer.reasoning:
        yield {"id": _name("rs", sending), "type": "reasoning", "summary": []}
    for index, call in enumerate(choice.calls):
        yield _call_item(call, _name("fc", sending, index), status)
    # One that thought until its limit says nothing at all.
    if not choice.calls and (choice.tokens or not sending.answer.reasoning):
        yield {
            "id": _name("msg", sending),
            "type": "message",
            "status": status,
            "content": [_part(choice, sending)],
            "role": "assistant",
        }


def _call_item(call: ToolCall, name: str, status: str) -> Item:
    kind, field = _words(custom=call.custom)
    return {
        "id": name,
        "type": kind,
        "status": status,
        field: call.arguments,
        "call_id": call.id,
        "name": call.name,
    }


def _words(*, custom: bool) -> tuple[str, str]:
    return ("custom_tool_call", "input") if custom else ("function_call", "arguments")


def _part(choice: Choice, sending: Sending) -> Item:
    told = replies.logprobs(choice.pieces, sending)
    logprobs = told["content"] if told else []
    return {
        "type": "output_text",
        "annotations": [],
        "logprobs": logprobs,
        "text": choice.text,
    }


class _Events:
    """Numbers and writes one stream's events."""

    __slots__ = ("_number", "_padding", "_pieces")

    def __init__(self, sending: Sending) -> None:
        self._number = -1
        self._pieces = sending.answer.choices[0].pieces
        padding = "".join(sending.dice.choices(ALPHABET, k=PADDED_TO))
        self._padding = padding if sending.ask.obfuscate else ""

    def of(self, response: dict[str, Any], waits: Iterator[float]) -> Iterator[Step]:
        """A response's events, in OpenAI's order."""
        started = {
            **response,
            "status": "in_progress",
            "incomplete_details": None,
            "output": [],
            "usage": None,
        }
        for kind in ("created", "in_progress"):
            yield self._step(kind, {"response": started})
        wait = 0.0
        for index, item in enumerate(response["output"]):
            for step in self._item(item, index):
                yield Step(wait, step.data) if step.delay else step
                # A delay only says that the step is a token, and the first came with the head.
                wait = next(waits) if step.delay else wait
        yield self._step(response["status"], {"response": response})

    def _item(self, item: Item, index: int) -> Iterator[Step]:
        place = {"output_index": index}
        empty = {"arguments": "", "input": "", "content": []}
        opened = {name: empty.get(name, value) for name, value in item.items()}
        if "status" in opened:
            opened["status"] = "in_progress"
        yield self._step("output_item.added", {**place, "item": opened})
        where = {"item_id": item["id"], **place}
        if item["type"] == "message":
            yield from self._text(item["content"][0], {**where, "content_index": 0})
        elif item["type"] != "reasoning":
            yield from self._call(item, where)
        yield self._step("output_item.done", {**place, "item": item})

    def _text(self, part: Item, where: Item) -> Iterator[Step]:
        yield self._step(
            "content_part.added", {**where, "part": {**part, "logprobs": [], "text": ""}}
        )
        logprobs = part["logprobs"]
        for index, piece in enumerate(self._pieces):
            own = {"delta": piece, "logprobs": logprobs[index : index + 1]}
            yield self._token("output_text.delta", {**where, **own}, piece)
        said = {"text": part["text"], "logprobs": logprobs}
        yield self._step("output_text.done", {**where, **said})
        yield self._step("content_part.done", {**where, "part": part})

    def _call(self, item: Item, where: Item) -> Iterator[Step]:
        kind, field = _words(custom=item["type"] == "custom_tool_call")
        event = f"{kind}_{field}"
        for piece in PIECE.findall(item[field]):
            yield self._token(f"{event}.delta", {**where, "delta": piece}, piece)
        yield self._step(f"{event}.done", {**where, field: item[field], "name": item["name"]})

    def _token(self, kind: str, said: Item, piece: str) -> Step:
        if self._padding:
            said["obfuscation"] = self._padding[len(piece) % PADDED_TO :]
        return Step(1.0, self._step(kind, said).data)

    def _step(self, kind: str, said: Item) -> Step:
        self._number += 1
        name = f"response.{kind}"
        data = orjson.dumps({"type": name, "sequence_number": self._number, **said})
        return Step(0.0, b"event: " + name.encode() + b"\ndata: " + data + b"\n\n")
