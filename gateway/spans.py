"""A call's trace while it lives: who it belongs to (W3C trace context), its stages, its attempts.

Made only for calls that are traced; all others carry None, and cost nothing. Ids are hexadecimal as
the headers and OTLP spell them; times are monotonic seconds.
"""

import re
from dataclasses import dataclass, field

Headers = tuple[tuple[bytes, bytes], ...]
"""Lower-case names with their values, in order."""

TRACEPARENT, TRACESTATE = b"traceparent", b"tracestate"
PARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
SAMPLED = 1
ID_BYTES, SPAN_BYTES = 16, 8
RANDOM_BYTES = ID_BYTES + SPAN_BYTES
# A trace's id is random in its last 56 bits at least: there a share is read from it.
DIGITS = 14
_SCALE = float(16**DIGITS)


@dataclass(slots=True)
class Try:
    """One attempt: its span, where it went, how it ended (`ended` None: with the call)."""

    deployment: str
    model: str
    address: str
    span: str = ""
    began: float = 0.0
    ended: float | None = None
    outcome: str = ""


@dataclass(slots=True)
class Trace:
    """One call's trace; `parent` is the caller's span ("": it had none), `state` its tracestate.

    `stages` are (index, begin, end); `route` is the API's name; `messages` is the prompt, only
    where the operator asked for content.
    """

    id: str
    span: str
    parent: str = ""
    state: str = ""
    route: str = ""
    messages: object = None
    stages: list[tuple[int, float, float]] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)

    @property
    def spans(self) -> int:
        """How many spans tell it."""
        return 1 + len(self.stages) + len(self.tries)

    def passed(self, stage: int, began: float, ended: float) -> None:
        """A stage of the call is over."""
        self.stages.append((stage, began, ended))

    def child(self, number: int) -> str:
        """The id of a span of this call."""
        return f"{(int(self.span, 16) + number) % (1 << 64) or 1:016x}"

    def tried(self, outcome: str, began: float, ended: float | None) -> None:
        """The last attempt is over; `ended` None: its stream goes on to the end of the call."""
        last = self.tries[-1]
        last.outcome, last.began, last.ended = outcome, began, ended

    def outgoing(self, headers: Headers, attempt: Try) -> Headers:
        """The headers of an attempt, which becomes the parent of what the far side does."""
        self.tries.append(attempt)
        attempt.span = self.child(len(self.tries))
        own = f"00-{self.id}-{attempt.span}-01".encode()
        # A state belongs to the context it came with: where that was none, it goes too.
        gone = (TRACEPARENT,) if self.parent else (TRACEPARENT, TRACESTATE)
        kept = tuple([one for one in headers if one[0] not in gone])
        return (*kept, (TRACEPARENT, own))


def begun(
    headers: Headers, randomness: bytes, share: float, *, follow: bool = True
) -> Trace | None:
    """The trace of a call that came with these headers; None: it is not traced.

    With `follow` a caller that traces decides for its call. Of the others a `share` (0 to 1) is
    traced, by their trace's id: whoever shares a trace and a share decides the same.
    """
    said = _context(headers)
    if said is not None and follow and not int(said[3], 16) & SAMPLED:
        return None
    # Nothing but zeros is no id.
    own = f"{int.from_bytes(randomness[:ID_BYTES]) or 1:032x}"
    trace, span = own if said is None else said[1].decode(), randomness[ID_BYTES:].hex()
    if (said is None or not follow) and int(trace[-DIGITS:], 16) >= share * _SCALE:
        return None
    if said is None:
        return Trace(trace, span)
    states = [value for name, value in headers if name == TRACESTATE]
    return Trace(trace, span, said[2].decode(), b",".join(states).decode("latin-1"))


def _context(headers: Headers) -> re.Match[bytes] | None:
    """The caller's context; two of them, or one of zeros, are none."""
    contexts = [value for name, value in headers if name == TRACEPARENT]
    said = PARENT.fullmatch(contexts[0]) if len(contexts) == 1 else None
    return said if said is not None and int(said[1], 16) and int(said[2], 16) else None
