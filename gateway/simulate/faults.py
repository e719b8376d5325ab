"""Things that go wrong on demand.

Two ways to ask for one:

* a marker in the first user message: `[[fault:KIND key=value …]]`
* `POST /simulate/faults` (`rules`) with `{"kind": "KIND key=value …", "next": N}` or
  `{"kind": …, "rate": 0.2}`, and `"model"` to strike one model only; `GET` lists the rules that
  stand, `DELETE` lifts them all.

| kind          | what happens                                                                |
|---------------|-----------------------------------------------------------------------------|
| `status=503`  | an error reply with that status; `retry-after=SECONDS` adds its headers     |
| `slow=5`      | five more seconds before the first byte (real ones, whatever the speed)     |
| `stall`       | the reply stops and the connection stays open                               |
| `cut`         | the connection closes in mid-reply                                          |
| `silent`      | the stream ends cleanly without a finish reason or `[DONE]`; a reply that   |
|               | is not streamed ends in mid-JSON                                            |
| `truncate_json` | the last thing sent is half a JSON document; then a clean end             |
| `html`        | status 200 and a web page                                                   |
| `garbage`     | status 200 and bytes that are no text                                       |
| `empty`       | status 200 and nothing                                                      |
| `error_event` | an error in the stream (not streamed: status 200 with an error body)        |
| `drop`        | the connection closes before any reply                                      |

`after=N` sets how many stream chunks come first (3); `model=NAME` in a marker spares the others.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import orjson

from gateway.call import Headers
from gateway.simulate.refusals import envelope
from gateway.simulate.script import Ending, Script, Step, json_script, sized

OPENING = "[[fault:"
CLOSING = "]]"
LONGEST_MARKER = 200
CHUNKS_BEFORE = 3
ERROR = envelope("[simulated] The server had an error.", "server_error", None, None)
HTML = b"<!doctype html><html><body><h1>502 Bad Gateway</h1><p>[simulated]</p></body></html>"
GARBAGE = bytes(range(128, 256)) * 2

# Statuses whose errors carry more than a type.
CODES: Mapping[int, tuple[str, str | None]] = {
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong: its kind, the kind's own value, and what else was said."""

    kind: str
    value: str
    options: Mapping[str, str]

    @property
    def after(self) -> int:
        """How many chunks come first."""
        return int(_seconds(self.options.get("after"), CHUNKS_BEFORE))

    @property
    def model(self) -> str | None:
        """The only model it strikes, if not all."""
        return self.options.get("model")


def parse(text: str) -> Fault | None:
    """Read `KIND[=VALUE] key=value …`; None when there is no such kind."""
    words = text.split()
    if not words:
        return None
    kind, _, value = words[0].partition("=")
    options = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    fault = Fault(kind.lower(), value, options)
    if fault.kind == "status":
        return fault if value.isdecimal() and 400 <= int(value) <= 599 else None
    return fault if fault.kind in KINDS else None


def marked(text: str, model: str) -> Fault | None:
    """The fault a prompt asks of a model."""
    start = text.find(OPENING)
    if start < 0:
        return None
    end = text.find(CLOSING, start, start + LONGEST_MARKER)
    fault = parse(text[start + len(OPENING) : end]) if end >= 0 else None
    return fault if fault is not None and fault.model in (None, model) else None


def apply(fault: Fault, script: Script) -> Script:
    """What was to be played, with the fault in it."""
    return KINDS[fault.kind](fault, script)


def _status(fault: Fault, script: Script) -> Script:
    status = int(fault.value)
    otherwise = "server_error" if status >= 500 else "invalid_request_error"
    kind, code = CODES.get(status, (otherwise, None))
    document = envelope(f"[simulated] A fault with status {status}.", kind, None, code)
    headers = plain(script.headers)
    if (asked := fault.options.get("retry-after")) is not None:
        seconds = _seconds(asked, 1.0)
        headers += ((b"retry-after", b"%d" % -(-seconds // 1)),)
        headers += ((b"retry-after-ms", b"%d" % (seconds * 1000)),)
    return json_script(status, headers, document)


def _slow(fault: Fault, script: Script) -> Script:
    return replace(script, hold=_seconds(fault.value, 5.0))


def _stall(fault: Fault, script: Script) -> Script:
    return replace(script, steps=_first(fault, script), ending=Ending.STALLED)


def _cut(fault: Fault, script: Script) -> Script:
    return replace(script, steps=_first(fault, script), ending=Ending.CUT)


def _silent(fault: Fault, script: Script) -> Script:
    return replace(script, steps=_first(fault, script), headers=_without_length(script.headers))


def _truncate_json(fault: Fault, script: Script) -> Script:
    headers = _without_length(script.headers)
    return replace(script, steps=_torn(fault, script), headers=headers)


def _html(_: Fault, script: Script) -> Script:
    return _instead(script, b"text/html; charset=utf-8", HTML)


def _garbage(_: Fault, script: Script) -> Script:
    return _instead(script, _type(script), GARBAGE)


def _empty(_: Fault, script: Script) -> Script:
    return _instead(script, _type(script), b"")


def _error_event(fault: Fault, script: Script) -> Script:
    if not script.stream:
        return _instead(script, _type(script), orjson.dumps(ERROR))
    return replace(script, steps=_then_error(fault, script))


def _drop(_: Fault, script: Script) -> Script:
    return replace(script, steps=(), ending=Ending.DROPPED)


def _first(fault: Fault, script: Script) -> Iterator[Step]:
    """The first chunks of a stream, or the first half of a body."""
    if script.stream:
        yield from islice(script.steps, fault.after)
        return
    for step in script.steps:
        yield Step(step.delay, step.data[: len(step.data) // 2])


def _torn(fault: Fault, script: Script) -> Iterator[Step]:
    """The same, and then half a chunk."""
    steps = iter(script.steps)
    if script.stream:
        yield from islice(steps, fault.after)
    for step in islice(steps, 1):
        yield Step(step.delay, step.data[: len(step.data) // 2])


def _then_error(fault: Fault, script: Script) -> Iterator[Step]:
    number, typed = 0, False
    for step in islice(script.steps, fault.after):
        number, typed = number + 1, step.data.startswith(b"event: ")
        yield step
    if typed:
        told = {name: ERROR["error"][name] for name in ("code", "message", "param")}
        event = orjson.dumps({"type": "error", **told, "sequence_number": number})
        yield Step(0.0, b"event: error\ndata: " + event + b"\n\n")
    else:
        yield Step(0.0, b"data: " + orjson.dumps(ERROR) + b"\n\n")


def _instead(script: Script, content_type: bytes, body: bytes) -> Script:
    headers = sized(((b"content-type", content_type), *plain(script.headers)), body)
    return replace(script, headers=headers, steps=(Step(0.0, body),))


def _type(script: Script) -> bytes:
    return next(value for name, value in script.headers if name == b"content-type")


def plain(headers: Headers) -> Headers:
    """Headers without those that describe a body."""
    return tuple(header for header in headers if not header[0].startswith(b"content-"))


def _without_length(headers: Headers) -> Headers:
    return tuple(header for header in headers if header[0] != b"content-length")


def _seconds(text: str | None, otherwise: float) -> float:
    try:
        return min(max(float(text or otherwise), 0.0), 3600.0)
    except ValueError:
        return otherwise


KINDS: Mapping[str, Callable[[Fault, Script], Script]] = {
    "status": _status,
    "slow": _slow,
    "stall": _stall,
    "cut": _cut,
    "silent": _silent,
    "truncate_json": _truncate_json,
    "html": _html,
    "garbage": _garbage,
    "empty": _empty,
    "error_event": _error_event,
    "drop": _drop,
}


def unmarked(text: str) -> str:
    """A prompt without its markers, so that no answer speaks of them."""
    while (start := text.find(OPENING)) >= 0:
        end = text.find(CLOSING, start, start + LONGEST_MARKER)
        if end < 0:
            break
        text = text[:start] + text[end + len(CLOSING) :]
    return text
