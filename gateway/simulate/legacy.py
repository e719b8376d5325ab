"""Legacy completions: texts that go on from prompts, whole or as a stream."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from gateway.simulate import refusals
from gateway.simulate.answers import identifier, roll
from gateway.simulate.pieces import Meter, split
from gateway.simulate.prose import reply
from gateway.simulate.replies import DONE, FINGERPRINT
from gateway.simulate.script import Step

USUAL_TOKENS = 16
MOST_TOKENS = 4_096
MOST_CHOICES = 128
GAP_SECONDS = 0.01


class Text(NamedTuple):
    """One choice."""

    text: str
    tokens: int
    finish: str


class Completion:
    """What one request gets."""

    def __init__(self, asked: Mapping[str, Any], meter: Meter, seed: int, created: int) -> None:
        prompts = _prompts(asked)
        name, limit, count = asked.get("model"), _number(asked, "max_tokens"), _number(asked, "n")
        if not isinstance(name, str) or not name:
            raise refusals.Refusal(400, "you must provide a model parameter")
        limit = USUAL_TOKENS if limit is None else limit
        if limit > MOST_TOKENS:
            refusals.refuse_range("max_tokens", limit, MOST_TOKENS, integer=True)
        if len(prompts) * (count or 1) > MOST_CHOICES:
            refusals.refuse_value("n", f"At most {MOST_CHOICES} choices in all.")
        self.stream = asked.get("stream") is True
        options = asked.get("stream_options")
        self._tells = isinstance(options, dict) and options.get("include_usage") is True
        fingerprint = orjson.dumps([name, prompts])
        self._head = {
            "id": identifier("cmpl-", 29, roll(seed, fingerprint, "id")),
            "object": "text_completion",
            "created": created,
            "model": name,
            "system_fingerprint": FINGERPRINT,
        }
        self._texts: list[Text] = []
        for prompt in prompts:
            for index in range(count or 1):
                said = reply(prompt, "", roll(seed, fingerprint, f"choice {index}"))
                cut = meter.cut(said, limit)
                finish = "stop" if cut == said else "length"
                shown = prompt + cut if asked.get("echo") is True else cut
                self._texts.append(Text(shown, meter.text(cut), finish))
        self._prompt = sum(meter.text(each) for each in prompts)

    def document(self) -> dict[str, Any]:
        """A reply that is not streamed."""
        choices = [_choice(at, each.text, each.finish) for at, each in enumerate(self._texts)]
        return {**self._head, "choices": choices, "usage": self._usage()}

    def steps(self) -> Iterator[Step]:
        """A reply that is."""
        for index, each in enumerate(self._texts):
            for piece in split(each.text, max(1, each.tokens)):
                yield self._event([_choice(index, piece, None)])
            yield self._event([_choice(index, "", each.finish)])
        if self._tells:
            yield self._event([], self._usage())
        yield Step(0.0, DONE)

    def _event(self, choices: list[Any], usage: Mapping[str, Any] | None = None) -> Step:
        chunk = {**self._head, "choices": choices}
        if self._tells:
            chunk["usage"] = usage
        return Step(GAP_SECONDS, b"data: " + orjson.dumps(chunk) + b"\n\n")

    def _usage(self) -> dict[str, int]:
        written = sum(each.tokens for each in self._texts)
        return {
            "prompt_tokens": self._prompt,
            "completion_tokens": written,
            "total_tokens": self._prompt + written,
        }


def _choice(index: int, text: str, finish: str | None) -> dict[str, Any]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def _prompts(asked: Mapping[str, Any]) -> list[str]:
    prompt = asked.get("prompt", "")
    prompts = prompt if isinstance(prompt, list) else [prompt]
    if not prompts or not all(isinstance(each, str) for each in prompts):
        refusals.refuse_type("prompt", "a string or an array of strings", prompt)
    return prompts


def _number(asked: Mapping[str, Any], param: str) -> int | None:
    number = asked.get(param)
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int):
        refusals.refuse_type(param, "an integer", number)
    if number < 0 or (param == "n" and number < 1):
        refusals.refuse_range(param, number, 1 if param == "n" else 0, integer=True)
    return number
