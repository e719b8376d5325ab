"""An answer as it goes over the wire: one JSON document, or a stream of chunks.

Streams are those of the real thing: the role first, a token a chunk, the finish reason with an
empty delta, usage (null before) only if asked for, padding unless declined, `[DONE]`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from gateway.simulate.answers import ALPHABET, Answer, Choice, call_of, message_of
from gateway.simulate.asking import Ask
from gateway.simulate.pieces import PIECE
from gateway.simulate.script import Step

FINGERPRINT = "fp_simulated"
DONE = b"data: [DONE]\n\n"
# Deltas are padded to a multiple of this, so that sizes do not tell tokens.
PADDED_TO = 16
ALTERNATIVES = (" the", " a", ",", " of", ".", " and", " to", " in", " is", " that", " it", "\n")

Delta = tuple[Mapping[str, Any], Mapping[str, Any] | None, str | None]
"""A chunk's delta, log-probabilities and finish reason."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What a reply is made of. `created` is seconds since the epoch."""

    ask: Ask
    answer: Answer
    prompt: int
    cached: int
    created: int
    dice: Random

    def head(self, kind: str) -> dict[str, Any]:
        """What a reply and each chunk begin with."""
        tier = self.ask.document.get("service_tier")
        return {
            "id": self.answer.id,
            "object": kind,
            "created": self.created,
            "model": self.ask.model.name,
            "service_tier": tier if tier in ("flex", "priority") else "default",
            "system_fingerprint": FINGERPRINT,
        }

    def usage(self) -> dict[str, Any]:
        """The token counts."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.answer.tokens,
            "total_tokens": self.prompt + self.answer.tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": self.answer.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


def document(sending: Sending) -> dict[str, Any]:
    """A reply that is not streamed."""
    choices = [
        {
            "index": index,
            "message": {
                **message_of(choice.text, choice.calls),
                "refusal": None,
                "annotations": [],
            },
            "logprobs": logprobs(choice.pieces, sending),
            "finish_reason": choice.finish,
        }
        for index, choice in enumerate(sending.answer.choices)
    ]
    return {**sending.head("chat.completion"), "choices": choices, "usage": sending.usage()}


def stream(sending: Sending, waits: Iterator[float]) -> Iterator[Step]:
    """The chunks of a reply; choices take turns, and each turn takes the time of a token."""
    chunks = _Chunks(sending)
    running = [(index, _deltas(each, sending)) for index, each in enumerate(sending.answer.choices)]
    wait = 0.0
    while running:
        still = []
        for index, deltas in running:
            delta = next(deltas, None)
            if delta is None:
                continue
            yield Step(wait, chunks.of(index, delta))
            still.append((index, deltas))
            wait = 0.0
        running = still
        wait = next(waits)
    if sending.ask.usage:
        yield Step(0.0, chunks.encode([], sending.usage(), 0))
    yield Step(0.0, DONE)


class _Chunks:
    """Writes one stream's chunks."""

    __slots__ = ("_ask", "_head", "_padding")

    def __init__(self, sending: Sending) -> None:
        self._ask = sending.ask
        self._head = sending.head("chat.completion.chunk")
        self._padding = "".join(sending.dice.choices(ALPHABET, k=PADDED_TO))

    def of(self, index: int, delta: Delta) -> bytes:
        """A choice's next chunk."""
        said, logprobs, finish = delta
        choice = {"index": index, "delta": said, "logprobs": logprobs, "finish_reason": finish}
        return self.encode([choice], None, len(said.get("content") or ""))

    def encode(self, choices: list[Any], usage: Mapping[str, Any] | None, length: int) -> bytes:
        """A chunk as an event."""
        chunk = {**self._head, "choices": choices}
        if self._ask.usage:
            chunk["usage"] = usage
        if self._ask.obfuscate:
            chunk["obfuscation"] = self._padding[length % PADDED_TO :]
        return b"data: " + orjson.dumps(chunk) + b"\n\n"


def _deltas(choice: Choice, sending: Sending) -> Iterator[Delta]:
    if choice.calls:
        yield from _call_deltas(choice)
    else:
        yield {"role": "assistant", "content": "", "refusal": None}, None, None
        for piece in choice.pieces:
            yield {"content": piece}, logprobs((piece,), sending), None
    yield {}, None, choice.finish


def _call_deltas(choice: Choice) -> Iterator[Delta]:
    """A single call starts with the role; several come after it, one by one."""
    role = {"role": "assistant", "content": None}
    alone = len(choice.calls) == 1
    if not alone:
        yield role, None, None
    for index, call in enumerate(choice.calls):
        start = {"tool_calls": [{"index": index, **call_of(call, "")}]}
        yield ({**role, **start, "refusal": None} if alone else start), None, None
        kind, field = ("custom", "input") if call.custom else ("function", "arguments")
        for piece in PIECE.findall(call.arguments):
            yield {"tool_calls": [{"index": index, kind: {field: piece}}]}, None, None


def logprobs(pieces: tuple[str, ...], sending: Sending) -> dict[str, Any] | None:
    """The log-probabilities of tokens, if they were asked for."""
    wanted = sending.ask.logprobs
    if wanted is None:
        return None
    return {"content": [_logprob(piece, wanted, sending.dice) for piece in pieces], "refusal": None}


def _logprob(piece: str, wanted: int, dice: Random) -> dict[str, Any]:
    """A likely token, with so many of the likeliest, itself first."""
    certainty = -dice.expovariate(4.0)
    others = [other for other in ALTERNATIVES if other != piece]
    # Successive alternatives, each rarer than the last.
    ranked = zip([piece, *others], range(wanted), strict=False)
    top = [_token(token, certainty - 1.5 * rank) for token, rank in ranked]
    return {**_token(piece, certainty), "top_logprobs": top}


def _token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": round(logprob, 6), "bytes": list(token.encode())}
