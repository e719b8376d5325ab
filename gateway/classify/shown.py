"""A task as its reader takes it in: without what nobody sees, in plain letters, said once.

Invisible characters, accents in heaps, letters of other alphabets or of mathematics that only look
like Latin ones, capitals throughout, letters set apart and a text said over and over make rare
pieces of words, and rare pieces look hard. No reader is asked for more by any of them, so none may
buy a tier. It refuses to guess beyond that: words stay as they are, whatever they claim or order.

Most tasks need none of it and are given back as they came. A text that is all ASCII is told at
once; in others one search finds what would have to change.
"""

import re
import unicodedata
from typing import Final

# Characters from the first to the last of each pair.
_UNSEEN: Final = (
    "\u00ad\u00ad\u034f\u034f\u061c\u061c\u115f\u1160\u17b4\u17b5\u180b\u180f\u200b\u200f"
    "\u202a\u202e\u2060\u206f\u3164\u3164\ufe00\ufe0f\ufeff\ufeff\uffa0\uffa0"
    "\U000e0000\U000e0fff"
)
"""Soft hyphens, joiners, fillers, marks of direction, selectors of variants, tags."""

_ACCENTS: Final = "\u0300\u036f\u1ab0\u1aff\u1dc0\u1dff\u20d0\u20f0"
_DRESSED: Final = "\u24b6\u24e9\uff10\uff19\uff21\uff3a\uff41\uff5a\U0001d400\U0001d7ff"
"""Letters and digits in circles, of full width, and those of mathematics (bold, script …)."""

TO_CHANGE: Final = _UNSEEN + _ACCENTS + _DRESSED

_LATIN: Final = "A-Za-z"
LIKE_LATIN: Final = "\u0370\u052f"
"""Greek and Cyrillic; a letter of them beside a Latin one is out of place."""

_LOOKS: Final = str.maketrans(
    "асеорхуіјѕһԁԛԝкмтвнАВСЕНІЈКМОРЅТХУοΟνΑΒΕΖΗΙΚΜΝΡΤΥΧ",
    "aceopxyijshdqwkmtbhABCEHIJKMOPSTXYoOvABEZHIKMNPTYX",
)
"""Cyrillic and Greek letters, and the Latin ones they look like."""


def _class(pairs: str) -> str:
    return "".join([f"{pairs[i]}-{pairs[i + 1]}" for i in range(0, len(pairs), 2)])


_ANY = re.compile(f"[{_class(TO_CHANGE)}]")
_NOT_SEEN = re.compile(f"[{_class(_UNSEEN)}]+")
_ACCENTED = re.compile(f"[{_class(_ACCENTS)}]+")
_IN_DRESS = re.compile(f"[{_class(_DRESSED)}]+")
_LIKE = _class(LIKE_LATIN)
_MIXED = re.compile(f"[{_LATIN}][{_LIKE}]|[{_LIKE}][{_LATIN}]")
_WORD = re.compile(r"\w+")
_FURTHER = re.compile(r"\s{2,}|[\t\r\n]")
_APART = re.compile(r"(?<!\w)(\w) (?=\w(?!\w))")

HEAP: Final = 8
"""From one loose accent in so many characters on, accents are no spelling but decoration."""

APART: Final = 0.4
"""The share of blanks from which a text is letters set apart; prose has a fifth."""

LEAST: Final = 24
"""Characters that must come again, from the first on, before a text counts as said twice."""


def shown(task: str) -> str:
    """The task as it is read; the very same text if nothing has to change."""
    if not task.isascii():
        task = _plain(task)
    if task.isupper():
        task = task.lower()
    if task.count(" ") > APART * len(task):
        # Where letters stand apart, words stand further apart.
        task = " ".join([_APART.sub(r"\1", word) for word in _FURTHER.split(task)])
    return _once(task)


def _plain(text: str) -> str:
    """A text without what nobody sees, in the letters it looks like."""
    if _ANY.search(text):
        text = unicodedata.normalize("NFC", _NOT_SEEN.sub("", text))
        text = _IN_DRESS.sub(lambda run: unicodedata.normalize("NFKC", run[0]), text)
        if sum(map(len, _ACCENTED.findall(text))) * HEAP > len(text):
            text = _ACCENTED.sub("", unicodedata.normalize("NFD", text))
    if _MIXED.search(text) and (plain := _WORD.sub(_of_one_alphabet, text)) != text:
        return plain
    return text


def _of_one_alphabet(word: re.Match[str]) -> str:
    return word[0].translate(_LOOKS) if _MIXED.search(word[0]) else word[0]


def _once(text: str) -> str:
    """What is said over and over, once."""
    again = text.find(text[:LEAST], LEAST)
    if again < 0 or len(text) < 2 * LEAST:
        return text
    # The last round may be cut short, and where an excerpt was joined the beat is lost.
    head = text[: len(text) * 2 // 3]
    return text[:again].rstrip() if text.startswith(head[again:]) else text
