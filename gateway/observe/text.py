"""What a text must lose before it reaches a log: secrets, and characters that act instead of show.

Two threats: a credential quoted by an upstream or an exception, and a client that writes line ends
or terminal commands into a name to forge lines or move the cursor of whoever reads them.
"""

import re
from collections.abc import Iterable
from typing import Final

from gateway.catalog import Secret

HIDDEN: Final = "***"

KEY_LIKE: Final = r"(?<![A-Za-z0-9])(?:sk|tg)-[A-Za-z0-9_-]{8,}"
"""OpenAI's keys and ours. The look-behind spares words such as `task-oriented`."""

BEARER: Final = r"(?i:(?<![A-Za-z0-9])bearer[ \t]+)[A-Za-z0-9._~+/=*-]{8,}"
"""Whatever follows the word and could be a token: hiding a word too many costs nothing."""

_ACTING: Final = "\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
"""Delete and C1 controls, the line ends of Unicode, what reverses a line, halves of characters."""

_NOT_IN_JSON: Final = re.compile(f"[{_ACTING}]")
_NOT_ON_A_LINE: Final = re.compile(f"[\x00-\x1f{_ACTING}]")


class Scrubber:
    """Takes every configured secret, and what looks like one, out of a text, in linear time."""

    __slots__ = ("_marks", "_replace")

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        exact = sorted({secret.reveal() for secret in secrets if secret}, key=len, reverse=True)
        patterns = [*map(re.escape, exact), KEY_LIKE, BEARER]
        self._replace = re.compile("|".join(patterns)).sub
        # Nothing matches without one of these, and looking for them is four times as fast.
        self._marks = ("sk-", "tg-", " ", "\t", *exact)

    def __call__(self, text: str) -> str:
        for mark in self._marks:
            if mark in text:
                return self._replace(_hide, text)
        return text


def on_a_line(text: str) -> str:
    """The text as it may stand in a line of its own: nothing in it ends the line or acts."""
    if text.isascii() and text.isprintable():
        return text
    return _NOT_ON_A_LINE.sub(_escape, text)


def in_json(text: str) -> str:
    """The text as it may be given to a JSON writer, which escapes ASCII's controls itself."""
    if text.isascii() and "\x7f" not in text:
        return text
    return _NOT_IN_JSON.sub(_escape, text)


def _hide(found: re.Match[str]) -> str:
    text = found[0]
    # The scheme helps whoever reads and gives nothing away.
    return f"{text[:6]} {HIDDEN}" if text[:6].lower() == "bearer" else HIDDEN


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
