"""How a line of the log is spelled: JSON for machines, one coloured line for people.

Every text from outside goes through the scrubber and is cut, in that order: half a secret is not
recognised. No line carries a prompt, an answer, a key or the name of a user.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Protocol

import orjson

from gateway.ended import Ended
from gateway.errors import ENDS_WITHOUT_ERROR
from gateway.money import spell
from gateway.observe.labels import NO_TIER, OK
from gateway.observe.text import Scrubber, in_json, on_a_line

CALLS_REMEMBERED: Final = 256
"""Spellings kept; names from outside are endless, so they are forgotten all at once."""

NAME_LENGTH: Final = 128
"""Characters of a name from outside that are shown; real names of models stay far below."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:-]+").fullmatch


class Format(Enum):
    """How the log is written; `AUTO` is `CONSOLE` on a terminal, else `JSON`."""

    JSON = "json"
    CONSOLE = "console"
    AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Remark:
    """A line that is not about a call; `when` is seconds since the epoch, `level` lower case."""

    when: float
    level: str
    source: str
    message: str
    trace: str = ""


class Spelling(Protocol):
    """Writes events as whole lines, their line end included."""

    def call(self, when: float, ended: Ended) -> bytes:
        """The line of a call that ended at `when`, in seconds since the epoch."""
        ...

    def remark(self, remark: Remark) -> bytes:
        """The line, or lines, of anything else."""
        ...


def spelling(form: Format, scrub: Scrubber, *, terminal: bool) -> Spelling:
    """The spelling a format asks for; `terminal` says that people will read and wants colours."""
    if form is Format.JSON or (form is Format.AUTO and not terminal):
        return JsonLines(scrub)
    return ConsoleLines(scrub, colour=terminal)


def level_of(ended: Ended) -> str:
    """`error` when we or the upstreams failed the caller, `warning` for other failures."""
    if ended.status >= 500 or ended.outcome.startswith("gateway_"):
        return "error"
    return "info" if ended.outcome in ENDS_WITHOUT_ERROR else "warning"


class JsonLines:
    """One JSON object a line; sums of money are exact decimal numbers, times milliseconds."""

    __slots__ = ("_iso", "_known", "_scrub")

    def __init__(self, scrub: Scrubber) -> None:
        self._scrub = scrub
        self._known: dict[tuple[object, ...], tuple[str, str]] = {}
        self._iso = Timestamps()

    def call(self, when: float, ended: Ended) -> bytes:
        usage = ended.usage
        face, words = self._words(ended)
        # Spelled out: a dictionary and a JSON writer would take twice as long.
        return (
            f'{{"ts":"{self._iso(when)}",{face}"request_id":{self._quoted(ended.id)},{words}'
            f'"prompt_tokens":{usage.prompt},'
            f'"prompt_tokens_estimate":{ended.prompt_tokens_estimate},'
            f'"cached_tokens":{usage.cached},'
            f'"completion_tokens":{usage.completion},'
            f'"reasoning_tokens":{usage.reasoning},'
            f'"usage_estimated":{"true" if usage.estimated else "false"},'
            f'"cost_usd":{spell(ended.cost)},'
            f'"saved_usd":{spell(ended.saved)},'
            f'"attempts":{ended.attempts},'
            f'"score":{round(ended.score, 4)!r},'
            f'"duration_ms":{_ms(ended.seconds)!r},'
            f'"ttft_ms":{_ms(ended.ttft)!r},'
            f'"overhead_ms":{_ms(ended.overhead)!r},'
            f'"upstream_request_id":{self._quoted(ended.upstream_request_id)}}}\n'
        ).encode()

    def _words(self, ended: Ended) -> tuple[str, str]:
        """The parts of a call's line that are words; the few there are come again and again."""
        tier = ended.tier
        said = (ended.requested, ended.model, ended.response_model, tier, ended.reason)
        key = (*said, ended.outcome, ended.cache, ended.status, ended.stream)
        if (known := self._known.get(key)) is not None:
            return known
        words = {
            "requested_model": self._name(ended.requested),
            "routed_model": self._name(ended.model),
            "response_model": self._name(ended.response_model),
            "tier": None if tier is None else tier.label,
            "reason": ended.reason,
            "outcome": ended.outcome,
            "status": ended.status,
            "stream": ended.stream,
            "cache": ended.cache,
        }
        face = {"level": level_of(ended), "event": "call"}
        made = _members(face), _members(words)
        if len(self._known) >= CALLS_REMEMBERED:
            self._known.clear()
        if len(ended.requested) <= NAME_LENGTH >= len(ended.response_model):
            self._known[key] = made
        return made

    def remark(self, remark: Remark) -> bytes:
        line: dict[str, Any] = {
            "ts": self._iso(remark.when),
            "level": remark.level,
            "event": "log",
            "logger": in_json(remark.source),
            "message": in_json(self._scrub(remark.message)),
        }
        if remark.trace:
            line["exception"] = in_json(self._scrub(remark.trace))
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)

    def _name(self, text: str) -> str | None:
        return in_json(self._scrub(text)[:NAME_LENGTH]) or None

    def _quoted(self, text: str) -> str:
        """A name as JSON; ids of usual letters need no writer."""
        name = self._name(text)
        if name is None:
            return "null"
        return f'"{name}"' if _PLAIN(name) else orjson.dumps(name).decode()


def _members(fields: dict[str, Any]) -> str:
    """The members of an object, each followed by a comma."""
    return f"{orjson.dumps(fields)[1:-1].decode()},"


_DIM, _RED, _GREEN, _YELLOW = "2", "31", "32", "33"
_LEVEL_COLOURS: Final = {"info": _GREEN, "debug": _DIM, "warning": _YELLOW}


class ConsoleLines:
    """One line for people; a trace follows indented, so that no line of it passes for another."""

    __slots__ = ("_colour", "_iso", "_scrub")

    def __init__(self, scrub: Scrubber, *, colour: bool) -> None:
        self._scrub = scrub
        self._colour = colour
        self._iso = Timestamps()

    def call(self, when: float, ended: Ended) -> bytes:
        usage = ended.usage
        shade = _LEVEL_COLOURS.get(level_of(ended), _RED)
        tier = NO_TIER if ended.tier is None else ended.tier.label
        parts = [
            self._paint(_DIM, self._iso(when)[11:-1]),
            self._paint(shade, f"{ended.status}"),
            f"{self._name(ended.requested)} → {tier} {self._name(ended.model)}".rstrip(),
            f"({ended.reason}, {ended.cache})",
            f"{usage.prompt}+{usage.completion} tokens",
            f"${spell(ended.cost)}",
            self._paint(_GREEN, f"saved ${spell(ended.saved)}") if ended.saved > 0 else "",
            f"{_ms(ended.seconds):.0f} ms"
            + (f", first {_ms(ended.ttft):.0f}" if ended.ttft else ""),
            self._paint(_DIM, f"own {_ms(ended.overhead):.2f}"),
            f"{ended.attempts} attempts" if ended.attempts > 1 else "",
            self._paint(shade, ended.outcome) if ended.outcome != OK else "",
            self._paint(_DIM, self._name(ended.id)),
        ]
        return _line("  ".join(filter(None, parts)))

    def remark(self, remark: Remark) -> bytes:
        level = self._paint(_LEVEL_COLOURS.get(remark.level, _RED), remark.level)
        face = self._paint(_DIM, self._iso(remark.when)[11:-1])
        source = self._paint(_DIM, on_a_line(remark.source))
        message = on_a_line(self._scrub(remark.message.strip()))
        lines = [_line(f"{face}  {level}  {message}  {source}")]
        # Scrubbed whole, before it is taken apart.
        trace = self._scrub(remark.trace)
        lines += [_line(f"    | {on_a_line(text)}") for text in trace.splitlines()]
        return b"".join(lines)

    def _name(self, text: str) -> str:
        return on_a_line(self._scrub(text)[:NAME_LENGTH])

    def _paint(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colour else text


def _line(text: str) -> bytes:
    return f"{text}\n".encode()


class Timestamps:
    """Spells instants as ISO 8601 in UTC with milliseconds; lines of one second share the work."""

    __slots__ = ("_second", "_spelled")

    def __init__(self) -> None:
        self._second = -1
        self._spelled = ""

    def __call__(self, when: float) -> str:
        second, thousandth = divmod(int(when * 1000), 1000)
        if second != self._second:
            self._second = second
            self._spelled = datetime.fromtimestamp(second, UTC).isoformat()[:-6]
        return f"{self._spelled}.{thousandth:03d}Z"


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
