"""What other models than those of conversations make: vectors, texts, verdicts, pictures, sound.

Any model's name will do, as these stand in no catalog. Texts alike get vectors alike; a verdict
knows a few words; pictures are of one colour and speech is silent. Not simulated: their streams.
"""

import base64
import math
import re
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from gateway.simulate import media, refusals
from gateway.simulate.answers import identifier, roll
from gateway.simulate.asking import text_of
from gateway.simulate.forms import Form
from gateway.simulate.pieces import Meter
from gateway.simulate.prose import reply

Document = Mapping[str, Any]
MOST_INPUTS = 2_048
MOST_WORDS = 256
PLACES_A_WORD = 24
DIMENSIONS = {"text-embedding-3-large": 3_072}
USUAL_DIMENSIONS = 1_536
WORD = re.compile(r"\w+")
VIOLENT = re.compile(r"\b(?:kill|murder|stab|shoot|massacre)\w*", re.IGNORECASE)
CATEGORIES = (
    *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit"),
    *("illicit/violent", "self-harm", "self-harm/instructions", "self-harm/intent", "sexual"),
    *("sexual/minors", "violence", "violence/graphic"),
)
MOST_PICTURES = 10
# A picture of middling quality, whatever its size.
PICTURE_TOKENS = 1_056
SECONDS_A_WORD = 0.3
LONGEST_SPEECH = 4_096
# Sound is guessed to have so many bytes a second, and makes ten tokens of it.
SOUND_BYTES = 16_000
SOUND_TOKENS = 10


class Made(NamedTuple):
    """A reply's body and what it is."""

    body: bytes
    kind: bytes = b"application/json"


class Maker:
    """Makes them; `created` is seconds since the epoch."""

    def __init__(self, meter: Meter, seed: int) -> None:
        self._meter = meter
        self._seed = seed

    def embeddings(self, asked: Document, created: int) -> Made:
        """`POST /embeddings`."""
        del created
        name = _model(asked)
        size = _whole(asked, "dimensions", DIMENSIONS.get(name, USUAL_DIMENSIONS), 3_072)
        packed = asked.get("encoding_format") == "base64"
        inputs: list[Any] = [*_inputs(asked.get("input"))]
        data = []
        for index, each in enumerate(inputs):
            vector = self._vector(each, size)
            shown = _packed(vector) if packed else vector
            data.append({"object": "embedding", "index": index, "embedding": shown})
        tokens = sum(self._tokens(each) for each in inputs)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return _json({"object": "list", "data": data, "model": name, "usage": usage})

    def _tokens(self, each: str | list[int]) -> int:
        return self._meter.text(each) if isinstance(each, str) else len(each)

    def _vector(self, each: str | list[int], size: int) -> list[float]:
        """A sum of what each word points to, of length 1."""
        words = WORD.findall(each.lower()) if isinstance(each, str) else map(str, each)
        vector = [0.0] * size
        for word in list(words)[:MOST_WORDS] or ["nothing"]:
            dice = roll(self._seed, word.encode(), "vector")
            for _ in range(PLACES_A_WORD):
                vector[dice.randrange(size)] += dice.uniform(-1, 1)
        norm = math.sqrt(sum(value * value for value in vector))
        return [round(value / norm, 8) for value in vector]

    def moderations(self, asked: Document, created: int) -> Made:
        """`POST /moderations`."""
        del created
        said = asked.get("input")
        if said is None:
            refusals.refuse_missing("input")
        parts = isinstance(said, list) and any(isinstance(each, dict) for each in said)
        texts = [text_of(said)] if parts else _inputs(said)
        name = str(asked.get("model") or "omni-moderation-latest")[:100]
        dice = roll(self._seed, orjson.dumps(said), "moderation")
        results = [_verdict(str(each)) for each in texts]
        return _json({"id": identifier("modr-", 32, dice), "model": name, "results": results})

    def images(self, asked: Document, created: int) -> Made:
        """`POST /images/generations`; edits and variations come from forms with these fields."""
        _refuse_streams(asked)
        prompt = refusals.text_of(asked, "prompt")
        count = _whole(asked, "n", 1, MOST_PICTURES)
        size = asked.get("size") or "auto"
        size = media.SIZES[0] if size == "auto" else str(size)
        data = []
        for index in range(count):
            dice = roll(self._seed, prompt.encode(), f"picture {index}")
            shown = base64.b64encode(media.picture(size, dice)).decode()
            data.append({"b64_json": shown, "revised_prompt": f"[simulated] {prompt}"})
        tokens, drawn = self._meter.text(prompt), PICTURE_TOKENS * count
        usage = {
            "input_tokens": tokens,
            "input_tokens_details": {"text_tokens": tokens, "image_tokens": 0},
            "output_tokens": drawn,
            "total_tokens": tokens + drawn,
        }
        more = {"background": "opaque", "output_format": "png", "quality": "medium", "size": size}
        return _json({"created": created, "data": data, **more, "usage": usage})

    def speech(self, asked: Document, created: int) -> Made:
        """`POST /audio/speech`."""
        del created
        _model(asked)
        said = refusals.text_of(asked, "input")
        if len(said) > LONGEST_SPEECH:
            refusals.refuse_value("input", f"Input is longer than {LONGEST_SPEECH} characters.")
        if asked.get("voice") is None:
            refusals.refuse_missing("voice")
        if asked.get("stream_format") == "sse":
            refusals.refuse_value("stream_format", "The simulation does not stream this.")
        kind = str(asked.get("response_format") or "mp3")
        sound = media.silence(kind, max(1, len(said.split())) * SECONDS_A_WORD)
        return Made(sound, media.SOUNDS[kind])

    def transcript(self, form: Form) -> Made:
        """`POST /audio/transcriptions` and `/audio/translations`."""
        name, file = form.field("model"), form.file("file")
        if form.fields.get("stream") == "true":
            refusals.refuse_value("stream", "The simulation does not stream this.")
        seconds = -(-len(file.content) // SOUND_BYTES)
        text = reply(f"Summarize {file.name}", "", roll(self._seed, file.content, "transcript"))
        match form.fields.get("response_format", "json"):
            case "text":
                return Made(f"{text}\n".encode(), b"text/plain; charset=utf-8")
            case "json" | "verbose_json" as kind:
                pass
            case other:
                message = f"The simulation gives json, verbose_json and text, not '{other[:40]}'."
                refusals.refuse_value("response_format", message)
        said: dict[str, Any] = {"text": text}
        if kind == "verbose_json":
            said |= {"task": "transcribe", "language": "english", "duration": float(seconds)}
            said["segments"] = []
        return _json({**said, "usage": self._heard(name, seconds, text)})

    def _heard(self, name: str, seconds: int, text: str) -> dict[str, Any]:
        if name.startswith("whisper"):
            return {"type": "duration", "seconds": seconds}
        heard, written = seconds * SOUND_TOKENS, self._meter.text(text)
        return {
            "type": "tokens",
            "input_tokens": heard,
            "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
            "output_tokens": written,
            "total_tokens": heard + written,
        }


def _json(document: Document) -> Made:
    return Made(orjson.dumps(document))


def _model(asked: Document) -> str:
    name = asked.get("model")
    if not isinstance(name, str) or not name:
        raise refusals.Refusal(400, "you must provide a model parameter")
    return name


def _whole(asked: Document, param: str, usual: int, most: int) -> int:
    number = asked.get(param)
    if number is None:
        return usual
    if isinstance(number, bool) or not isinstance(number, int):
        refusals.refuse_type(param, "an integer", number)
    if not 1 <= number <= most:
        refusals.refuse_range(param, number, 1 if number < 1 else most, integer=True)
    return number


def _inputs(said: object) -> list[str] | list[list[int]]:
    """A text, some texts, a text's tokens, some texts' tokens."""
    if said is None:
        refusals.refuse_missing("input")
    if isinstance(said, str):
        return [said]
    if isinstance(said, list) and 0 < len(said) <= MOST_INPUTS:
        if all(isinstance(each, str) for each in said):
            return said
        several = said if isinstance(said[0], list) else [said]
        if all(isinstance(each, list) and _are_tokens(each) for each in several):
            return several
    message = "'$.input' is invalid."
    raise refusals.Refusal(400, message, param="input")


def _are_tokens(each: list[object]) -> bool:
    return bool(each) and all(type(token) is int for token in each)


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _verdict(text: str) -> dict[str, Any]:
    found = VIOLENT.search(text) is not None
    scores = dict.fromkeys(CATEGORIES, 0.0001) | ({"violence": 0.97} if found else {})
    return {
        "flagged": found,
        "categories": {name: score > 0.5 for name, score in scores.items()},
        "category_scores": scores,
        "category_applied_input_types": {name: ["text"] for name in CATEGORIES},
    }


def _refuse_streams(asked: Document) -> None:
    if asked.get("stream") in (True, "true"):
        refusals.refuse_value("stream", "The simulation does not stream this.")
