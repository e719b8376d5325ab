"""What the tests of assess share."""

from typing import Any

from hypothesis import strategies as st

PROSE = "Explain how the tides work, and why there are two of them each day. "
_SMALL_WORK = st.sampled_from(
    ["Classify the text.", "Translate it.", "You are kind.", "Prove it.", "x" * 600, "翻译"]
)
STEPS = "Do this:\n1. open\n2. read\n3. write\n4. close"
UNMOVED = (0.6, 0.7, 0.8)


class Even:
    """Finds everything equally difficult, and remembers what it was asked about."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []

    def estimate(self, ids: Any, task: str) -> tuple[float, float, float]:
        self.asked.append((len(ids), task))
        return UNMOVED


def chat(*turns: str) -> list[dict[str, Any]]:
    return [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(turns)]


def near(quality: tuple[float, float, float], expected: tuple[float, float, float]) -> bool:
    return all(abs(a - b) < 1e-9 for a, b in zip(quality, expected, strict=True))
