"""Hand-written prompts with a judged gain, for what public outcomes lack.

No benchmark contains a greeting, a one-line translation, or a hard question in Hindi; without
them the model would have no idea of the everyday end. Their labels are opinion and marked so. A
third of them, the same concepts in every language, is kept out of training for a sanity exam.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

HELD_OUT_EVERY: Final = 3
WEIGHT: Final = 25.0
"""What one anchor weighs beside one benchmark prompt; 10 orders benchmarks as well, but anchors and
levels worse."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A prompt, what it is and what it was judged to be worth."""

    kind: str
    language: str
    text: str
    gain: float
    full: float
    held_out: bool


def anchors() -> list[Anchor]:
    """All of them, in the file's order."""
    document = json.loads((files("gateway.learn") / "anchors.json").read_text("utf-8"))
    return [
        Anchor(
            kind=group["kind"],
            language=language,
            text=text,
            gain=group["gain"],
            full=group["full"],
            held_out=number % HELD_OUT_EVERY == HELD_OUT_EVERY - 1,
        )
        for group in document["groups"]
        for language, texts in group["texts"].items()
        for number, text in enumerate(texts)
    ]
