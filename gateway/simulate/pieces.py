"""Texts in token-sized pieces, and counts that agree with them.

Only a counter of whole prompts is given; what an answer counts is what it adds to one.
"""

import heapq
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

Counter = Callable[[Mapping[str, Any]], int]
"""Prompt tokens of a chat request."""

Waiting = tuple[int, tuple[int, ...], str]
"""A piece that may be cut: minus its length, its place, itself."""

PIECE = re.compile(r" ?\w+| ?[^\w\s]+|\s+")


class Meter:
    """Counts answers with the counter of prompts."""

    __slots__ = ("_count", "_empty")

    def __init__(self, count: Counter) -> None:
        self._count = count
        self._empty = count(_said({"content": ""}))

    def text(self, text: str) -> int:
        """Tokens of a text."""
        return self.message({"content": text}) if text else 0

    def message(self, message: Mapping[str, Any]) -> int:
        """Tokens an assistant's message adds to a prompt."""
        return max(self._count(_said(message)) - self._empty, 1)

    def cut(self, text: str, limit: int) -> str:
        """The longest beginning of a text that is no more than `limit` tokens."""
        # A token is a byte at least, so a text this short needs no count.
        if len(text.encode()) <= limit or self.text(text) <= limit:
            return text
        low, high = 0, len(text)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.text(text[:middle]) <= limit else (low, middle)
        return text[:low]


def _said(message: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"messages": [{"role": "assistant", **message}]}


def split(text: str, count: int) -> list[str]:
    """A text in exactly `count` pieces that join to it again, if it has that many characters."""
    pieces = PIECE.findall(text)
    if len(pieces) > count > 0:
        total = len(pieces)
        cuts = [index * total // count for index in range(count + 1)]
        return ["".join(pieces[start:end]) for start, end in pairwise(cuts)]
    return _halved(pieces, count)


def _halved(pieces: Sequence[str], count: int) -> list[str]:
    """Cut the longest pieces in two until there are `count`."""
    queue: list[Waiting] = [(-len(piece), (place,), piece) for place, piece in enumerate(pieces)]
    heapq.heapify(queue)
    while queue and len(queue) < count and queue[0][0] < -1:
        _, place, piece = queue[0]
        middle = len(piece) // 2
        heapq.heapreplace(queue, (-middle, (*place, 0), piece[:middle]))
        heapq.heappush(queue, (middle - len(piece), (*place, 1), piece[middle:]))
    return [piece for _, _, piece in sorted(queue, key=lambda each: each[1])]
