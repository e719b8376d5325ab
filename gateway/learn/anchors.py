"""Hand-written prompts with an expected gain, for what public outcomes lack.

No benchmark contains a greeting, a one-line translation, or a hard question in Hindi; without
them the model would have no idea of the everyday end. And no outcome in the data says how far the
tiers that are served lie apart at a *kind* of work; published scores do, so each kind has a few
texts that carry its level. A third of the texts is kept out of training for a sanity exam.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

HELD_OUT_EVERY: Final = 3


@dataclass(frozen=True, slots=True)
class Anchor:
    """A prompt, what it is, what it is worth, and its weight beside one benchmark prompt."""

    kind: str
    language: str
    text: str
    gain: float
    full: float
    weight: float
    held_out: bool


def anchors() -> list[Anchor]:
    """All of them, in the file's order."""
    document = json.loads((files("gateway.learn") / "anchors.json").read_text("utf-8"))
    return [anchor for group in document["groups"] for anchor in _group(group)]


def _group(group: dict[str, Any]) -> list[Anchor]:
    """The anchors of one kind; those that teach share its weight evenly."""
    texts = [
        (language, text, number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1)
        for language, texts in group["texts"].items()
        for number, text in enumerate(texts)
    ]
    weight = group["weight"] / sum(not held_out for _, _, held_out in texts)
    return [
        Anchor(
            kind=group["kind"],
            language=language,
            text=text,
            gain=group["gain"],
            full=group["full"],
            weight=weight,
            held_out=held_out,
        )
        for language, text, held_out in texts
    ]
