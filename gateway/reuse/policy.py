"""Which calls may be answered from memory, kept in it, or share a call in flight.

By default a call takes part unless it says it wants something a memory cannot give:

    says                                   default     all        off
    nothing, or temperature 0              yes         yes        no
    temperature > 0, n > 1                 no          yes        no     wants variety
    web_search_options                     no          yes        no     wants today's web
    store, background, previous_response_id,
    conversation, audio output             no          no         no     leaves or needs state

- An absent temperature is not a wish for variety: callers who want it say so. `top_p` only narrows
  the choice of words, so alone it asks for *less* variety and keeps its call in.
- Audio answers carry an id that the upstream forgets; they count as state.
- `x-gateway-cache: on` overrules the policy and the middle rows, never the last: a reply that
  stands for something at the upstream is not ours to hand out twice.
- `no-cache` is "do not read, but keep what comes", `no-store` the reverse. Either forbids sharing
  a call in flight: who wants a fresh answer must not be given one begun before the question,
  and who wants nothing kept must not have the answer handed to others.

Refused: looking at text. Whether two prompts mean the same is not decided here or anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gateway.call import CacheWish, Wishes


class Policy(Enum):
    """How far reuse goes, as the operator sets it."""

    ALL = "all"
    DEFAULT = "default"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What reuse may do with a call.

    `read`: a kept reply may serve it. `write`: its reply may be kept. `share`: it may follow, or
    lead, an identical call in flight. `reason` is why not, in a word for
    `x-gateway-cache: bypass; temperature`, and empty when all three are allowed.
    """

    read: bool
    write: bool
    share: bool
    reason: str = ""


FULL = Verdict(read=True, write=True, share=True)

STATE = Verdict(read=False, write=False, share=False, reason="state")
"""What the upstream keeps: its reply stands for something there."""

_OFF, _AUDIO, _ASKED, _NO_CACHE, _NO_STORE = (
    Verdict(read=False, write=False, share=False, reason="off"),
    Verdict(read=False, write=False, share=False, reason="audio"),
    Verdict(read=False, write=False, share=False, reason="asked"),
    Verdict(read=False, write=True, share=False, reason="no-cache"),
    Verdict(read=True, write=False, share=False, reason="no-store"),
)
_TEMPERATURE, _CHOICES, _WEB = (
    Verdict(read=False, write=False, share=False, reason="temperature"),
    Verdict(read=False, write=False, share=False, reason="n"),
    Verdict(read=False, write=False, share=False, reason="web_search"),
)

_TELLING = frozenset(
    {
        "audio",
        "background",
        "conversation",
        "modalities",
        "n",
        "previous_response_id",
        "store",
        "web_search_options",
    }
)
"""Members that can keep a call out, temperature aside; most bodies have none of them."""

_USUAL = CacheWish()


def decide(document: Mapping[str, Any], wishes: Wishes, policy: Policy) -> Verdict:
    """What reuse may do with this call; see the table above."""
    wish = wishes.cache
    if policy is Policy.OFF and not wish.force:
        return _OFF
    strict = policy is not Policy.ALL and not wish.force
    if not _TELLING.isdisjoint(document):
        kept_out = _stateful(document) or (_various(document) if strict else None)
        if kept_out is not None:
            return kept_out
    if strict and _above(document.get("temperature"), 0):
        return _TEMPERATURE
    if wish is _USUAL or (wish.read and wish.write):
        return FULL
    if wish.read:
        return _NO_STORE
    return _NO_CACHE if wish.write else _ASKED


def _stateful(document: Mapping[str, Any]) -> Verdict | None:
    """Why this reply stands for something at the upstream, if it does."""
    get = document.get
    if get("store") is True or get("background") is True:
        return STATE
    if get("previous_response_id") is not None or get("conversation") is not None:
        return STATE
    modalities = get("modalities")
    if get("audio") is not None or (isinstance(modalities, list) and "audio" in modalities):
        return _AUDIO
    return None


def _various(document: Mapping[str, Any]) -> Verdict | None:
    """Why this call wants another answer each time, if it does (temperature aside)."""
    if _above(document.get("n"), 1):
        return _CHOICES
    return None if document.get("web_search_options") is None else _WEB


def _above(value: object, bound: int) -> bool:
    # Anything that is no number is the upstream's to refuse, and a refusal is never kept.
    return isinstance(value, int | float) and value > bound
