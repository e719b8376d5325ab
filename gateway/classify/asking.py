"""What a task asks, apart from a text that is only pasted in front of it or behind.

Small work on a text is about as hard for every text, so of such a task the paragraph that asks is
judged alone: otherwise whoever pastes a hard text beside a small piece of work would be sent a tier
up. It refuses to decide where the text asks for something itself: then it is part of the task,
unless the small work has a text of its own ("Translate: …").
"""

from typing import Final

from gateway.classify.cues import DEMANDING, SMALL, Kind
from gateway.classify.given import given
from gateway.classify.shown import shown
from gateway.classify.signals import kind_of

BRIEF: Final = 200
"""Characters an asking paragraph has at most; what is longer is a text."""

_SMALL_WORK: Final = SMALL | {Kind.SMALL_TALK}


def asked(task: str) -> str:
    """What is to be judged of a task; the very same text if that is all of it."""
    task = shown(task)
    return _apart(task) if "\n\n" in task else task


def _apart(task: str) -> str:
    """The first or last paragraph, if it asks for small work and the rest is only a text."""
    first, *others = [paragraph.strip() for paragraph in task.split("\n\n")]
    for asks, texts in ((others[-1], [first, *others[:-1]]), (first, others)):
        if len(asks) > BRIEF or (kind := kind_of(asks)) not in _SMALL_WORK:
            continue
        # Work that brings its own text along is not about another one, whatever that asks.
        whole = kind is not Kind.SMALL_TALK and given(asks)
        if whole or not any(map(_asks, texts)):
            return asks
    return task


def _asks(text: str) -> bool:
    return "?" in text or kind_of(text) in DEMANDING
