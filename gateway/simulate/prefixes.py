"""Simulated prompt caching: an exact prefix of an earlier prompt costs less.

As published: from 1,024 tokens on, in steps of 128, per model, kept while used within about ten
minutes. Prefixes are compared in blocks of bytes, each block's hash covering all before it, and
the matching share of bytes is given in tokens.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

import orjson

FEWEST_TOKENS = 1_024
STEP_TOKENS = 128
KEPT_SECONDS = 600.0
BLOCK_BYTES = 512
# Bounds what is remembered (about 5 MB) and what one prompt can add to it.
MOST_BLOCKS = 32_768
MOST_BLOCKS_A_PROMPT = 8_192

# What precedes the conversation, in the order the model sees it.
PREAMBLE = ("tools", "response_format")


class PrefixCache:
    """Remembers which prefixes were seen, and when."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def cached(self, model: str, document: Mapping[str, Any], tokens: int, now: float) -> int:
        """How many of a prompt's `tokens` are cached; the prompt is remembered from now on."""
        if tokens < FEWEST_TOKENS:
            return 0
        text = prompt_bytes(document)
        matched = 0
        for index, block in enumerate(_blocks(model, text)):
            seen = self._seen.get(block)
            if matched == index and seen is not None and now - seen <= KEPT_SECONDS:
                matched += 1
            self._seen[block] = now
            self._seen.move_to_end(block)
        while len(self._seen) > MOST_BLOCKS:
            self._seen.popitem(last=False)
        share = tokens * min(matched * BLOCK_BYTES, len(text)) // len(text)
        cached = share // STEP_TOKENS * STEP_TOKENS
        return cached if cached >= FEWEST_TOKENS else 0


def prompt_bytes(document: Mapping[str, Any]) -> bytes:
    """A prompt as a model would see it, in order: equal beginnings give equal beginnings."""
    parts = [document.get(key) for key in PREAMBLE]
    parts.extend(document["messages"])
    return b"\n".join(orjson.dumps(part) for part in parts)


def _blocks(model: str, text: bytes) -> Iterator[bytes]:
    """A hash for each whole block, over all the text up to its end."""
    running = blake2b(model.encode(), digest_size=12)
    whole = min(len(text) // BLOCK_BYTES, MOST_BLOCKS_A_PROMPT)
    for start in range(0, whole * BLOCK_BYTES, BLOCK_BYTES):
        running.update(text[start : start + BLOCK_BYTES])
        yield running.digest()
