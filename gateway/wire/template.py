"""Recognises chunks that are like an earlier one, without parsing them.

Theory: thousands of chunks of a stream differ in one string, the text. A chunk that was parsed
and understood is cut into `head`, text and `tail`. Any later frame that is head, some well-formed
JSON string, tail, is valid JSON of the same structure, and says what the first one said in all
but its text: it can change nothing the state machine has not seen. OpenAI's `obfuscation`, random
letters somewhere in the tail, may differ too. Whether the string is text at all is not guessed:
the parser is asked about the same frame with a longer word in that place.
"""

import re
from dataclasses import dataclass

import orjson

from gateway.wire.reader import look
from gateway.wire.text import TEXTS, chars_of

_DATA = b"data: "
# Where text may begin. A key's closing quote, a colon, an opening quote: no JSON string can
# contain these bytes, as its quotes are escaped.
_MARKERS = tuple(b'"%b":"' % name.encode() for name in (*TEXTS, "arguments"))
_PLAIN = re.compile(rb'[ !#-\[\]-~]*+"').match
_STRING = re.compile(rb'(?:[^"\\]++|\\.)*+"', re.DOTALL).match
_PADDING = re.compile(rb'(?<=,"obfuscation":")[0-9A-Za-z]*+(?=")')
_LETTERS = re.compile(rb"[0-9A-Za-z]*+").match
# Behind any frame: no tail is found there.
_NOWHERE = (1 << 62, 0)


@dataclass(frozen=True, slots=True)
class Template:
    """The bytes around a chunk's text.

    `close` is what stands behind the padding, `b""` when there is none. `sent` and `sent_close`
    are what `tail` and `close` pass on as. `others` counts the characters of the chunk's other
    texts, which are always the same.
    """

    head: bytes
    tail: bytes
    close: bytes
    sent: bytes
    sent_close: bytes
    others: int

    def run(self, data: bytes) -> tuple[bytes, int, int]:
        """The frames like this one that `data` begins with.

        Gives what passes on of them, the characters of their text and the bytes they take.
        """
        head, tail, close, sent = self.head, self.tail, self.close, self.sent
        cut = sent is not tail or close is not self.sent_close
        pieces: list[bytes] = []
        position = chars = 0
        while data.startswith(head, position):
            start = position + len(head)
            plain = _PLAIN(data, start)
            if plain is not None:
                end = plain.end()
                length = end - start - 1
            else:
                end, length = _odd_text(data, start)
            if not data.startswith(tail, end):
                break
            behind = stop = end + len(tail)
            if close:
                letters = _LETTERS(data, behind)
                stop = letters.end() if letters else behind
                if not data.startswith(close, stop):
                    break
            if cut:
                pieces += (data[position:end], sent, data[behind:stop], self.sent_close)
            position = stop + len(close)
            chars += length + self.others
        return b"".join(pieces) if cut else data[:position], chars, position


def learn(frame: bytes, sent: bytes, chars: int) -> Template | None:
    """The template of a frame that was understood, if it can have one.

    The frame is `data: `, data, LF, LF; it passes on as `sent` and has `chars` characters of text.
    """
    for marker in _MARKERS:
        start = frame.find(marker) + len(marker)
        # An empty text is no example: the one that grows is another.
        if start >= len(marker) and not frame.startswith(b'"', start):
            return _learn_at(frame, sent, start, chars)
    return None


def _learn_at(frame: bytes, sent: bytes, start: int, chars: int) -> Template | None:
    end, length = _odd_text(frame, start)
    if end > len(frame) or not sent.startswith(frame[:end]):
        return None
    head, tail, sent_tail = frame[:start], frame[end:], sent[end:]
    others = chars - length
    longer = b"".join((head[len(_DATA) :], b"x" * (length + 1), b'"', tail))
    if chars_of(look(longer)["choices"], "delta") != chars + 1:
        return None
    padding = _PADDING.search(tail)
    if padding is None:
        return Template(head, tail, b"", tail if tail == sent_tail else sent_tail, b"", others)
    low, high = padding.span()
    close = tail[high:]
    if sent_tail.startswith(tail[:high]):
        # Nothing was cut, or something behind the padding.
        tail = tail[:low]
        cut = sent_tail[high:]
        return Template(head, tail, close, tail, close if cut == close else cut, others)
    if not sent_tail.endswith(tail[low:]):
        return None
    return Template(head, tail[:low], close, sent_tail[: low - len(tail)], close, others)


def _odd_text(data: bytes, start: int) -> tuple[int, int]:
    """Where the string that begins here ends, and its characters; it ends nowhere if it is none."""
    string = _STRING(data, start)
    if string is None:
        return _NOWHERE
    try:
        return string.end(), len(orjson.loads(data[start - 1 : string.end()]))
    except orjson.JSONDecodeError:
        return _NOWHERE
