"""What is sent: short prompts of several kinds, a stream, and a prompt of four megabytes.

The mark in each text becomes a number of its own in every call, so no two calls are alike
unless the generator is told to repeat itself.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

SEED_MARK = "@@SEED@@__"
PINNED = "bench-mini"  # stands behind `mini` (tests.bench.targets)
HUGE_BYTES = 4_000_000
SYSTEM = (
    "You are a careful assistant for the staff of a small museum. Answer in plain language, "
    "briefly, and say so when you are not sure. Never invent names, dates or prices. If a "
    "question is about money, opening hours or a loan, ask for the reference number first and "
    "give the answer as a short list."
)
QUESTIONS = (
    "What is the capital of France, and roughly how many people live there today?",
    "Translate into German, keeping the tone: the east wing stays closed until Thursday.",
    "Write a polite note to a school class that came late and missed its guided tour.",
    "Our roof leaks above room 4. List the steps to take in the next hour, in order.",
    "Sum up in one sentence: visitors liked the tapestries, disliked the queue and the noise.",
    "Prove that the sum of the first n odd numbers is n squared, and check n = 5 by hand.",
    "Refactor this to read the file once: def f(p): return open(p).read(), len(open(p).read())",
    "Three guards share 7 night shifts; none works two in a row. Derive a plan step by step.",
)
# Short words, about four bytes with their space, mostly one token each.
WORDS = """
the of to in is it on as at by or be an we he up so no if do me my go us am art oil old new red sea
sun map age box key war men two ten day year gold clay iron wood lamp coin book bowl ring seal silk
king town hill road ship stone glass paint brush frame river north south
"""


@dataclass(frozen=True, slots=True)
class Bodies:
    """Files with request bodies."""

    routed: tuple[Path, ...]
    pinned: tuple[Path, ...]
    streamed: tuple[Path, ...]
    huge: tuple[Path, ...]


def write(into: Path) -> Bodies:
    """Write every body as the official client would spell it."""
    return Bodies(
        routed=_each(into, "routed", "auto"),
        pinned=_each(into, "pinned", PINNED),
        streamed=_each(into, "streamed", "auto", stream=True),
        huge=(_body(into / "huge.json", "auto", _huge_text()),),
    )


def _each(into: Path, name: str, model: str, *, stream: bool = False) -> tuple[Path, ...]:
    return tuple(
        _body(into / f"{name}-{number}.json", model, question, stream=stream)
        for number, question in enumerate(QUESTIONS)
    )


def _body(path: Path, model: str, question: str, *, stream: bool = False) -> Path:
    document: dict[str, object] = {"model": model, "temperature": 0, "max_tokens": 300}
    if stream:
        document |= {"stream": True, "stream_options": {"include_usage": True}}
    document["messages"] = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": f"Note {SEED_MARK} of today. {question}"},
    ]
    path.write_text(json.dumps(document, separators=(",", ":")))
    return path


def _huge_text() -> str:
    words = random.Random(1)  # noqa: S311 - the same text every time, not a secret
    picked = words.choices(WORDS.split(), k=HUGE_BYTES // 3)
    return " ".join(picked)[:HUGE_BYTES]
