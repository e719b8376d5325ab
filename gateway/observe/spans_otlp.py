"""Calls that were traced, as OTLP's JSON: one span for the call, one a stage, one an attempt.

Names are those of OpenTelemetry's conventions for HTTP servers and for generative AI. Nothing a
caller wrote is in them but the requested model's name (cut) and, only if the operator asked for
content, the prompt (cut).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import orjson

from gateway.ended import Ended
from gateway.money import NANO_PER_USD
from gateway.spans import Trace, Try

NAME_CHARS: Final = 128
CONTENT_CHARS: Final = 32 * 1024
INTERNAL, SERVER, CLIENT = 1, 2, 3
ERROR: Final = 2
STAGES: Final = ("read", "remember", "assess", "choose", "hold", "send")
PATHS: Final[Mapping[str, str]] = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "compact": "/v1/responses/compact",
    "messages": "/v1/messages",
}
UNSAID: Final = frozenset((None, "", 0))
NANO: Final = 1_000_000_000
FIRST_STAGE: Final = 0x1000
"""Where the stages' numbers begin, beyond those of any call's attempts."""


class Finished(NamedTuple):
    """A traced call that ended at `now` (monotonic) and `wall` (epoch) seconds."""

    ended: Ended
    trace: Trace
    now: float
    wall: float

    def at(self, moment: float) -> str:
        """A monotonic moment as OTLP spells it: nanoseconds since the epoch, in text."""
        return str(int((self.wall - self.now + moment) * NANO))


def document(calls: Iterable[Finished], resource: Mapping[str, str], version: str) -> bytes:
    """The body of one export."""
    spans = [span for call in calls for span in _spans(call)]
    scope = {"scope": {"name": "tiergate", "version": version}, "spans": spans}
    about = {"attributes": _attributes(resource)}
    return orjson.dumps({"resourceSpans": [{"resource": about, "scopeSpans": [scope]}]})


def _spans(call: Finished) -> Iterator[dict[str, Any]]:
    ended, trace = call.ended, call.trace
    path = PATHS.get(trace.route, "")
    yield _span(
        call,
        (f"POST {path}" if path else "POST", SERVER),
        (trace.span, trace.parent),
        (call.now - ended.seconds, call.now),
        {
            "http.request.method": "POST",
            "http.route": path,
            "http.response.status_code": ended.status,
            **_gen_ai(ended, _requested(ended)),
            "tiergate.call.id": ended.id,
            "tiergate.tier": ended.tier.label if ended.tier is not None else "",
            "tiergate.reason": ended.reason,
            "tiergate.cache": ended.cache,
            "tiergate.attempts": ended.attempts,
            "tiergate.cost_usd": ended.cost / NANO_PER_USD,
            "tiergate.saved_usd": ended.saved / NANO_PER_USD,
            "tiergate.overhead_seconds": ended.overhead,
            "gen_ai.input.messages": _content(trace.messages),
        },
        "" if ended.outcome == "ok" else ended.outcome,
    )
    for number, (stage, began, until) in enumerate(trace.stages):
        ids = trace.child(FIRST_STAGE + number), trace.span
        yield _span(call, (STAGES[stage], INTERNAL), ids, (began, until), {}, "")
    for one in trace.tries:
        yield _attempt(call, one)


def _attempt(call: Finished, one: Try) -> dict[str, Any]:
    ended, last = call.ended, one is call.trace.tries[-1]
    answered = last and one.outcome in ("ok", "")
    outcome = ended.outcome if answered else one.outcome
    more = _gen_ai(ended, one.model) if answered else {"gen_ai.request.model": one.model}
    return _span(
        call,
        (f"chat {one.model}", CLIENT),
        (one.span, call.trace.span),
        (one.began, call.now if one.ended is None else one.ended),
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            **more,
            "server.address": one.address,
            "tiergate.deployment": one.deployment,
        },
        "" if outcome == "ok" else outcome,
    )


def _requested(ended: Ended) -> str:
    """The model as the caller wrote it; a name that means nothing here may be a pasted key."""
    return ended.requested[:NAME_CHARS] if ended.tier is not None else ""


def _gen_ai(ended: Ended, requested: str) -> dict[str, Any]:
    usage = ended.usage
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": requested,
        "gen_ai.response.model": ended.response_model[:NAME_CHARS],
        "gen_ai.usage.input_tokens": usage.prompt,
        "gen_ai.usage.output_tokens": usage.completion,
        "gen_ai.response.time_to_first_chunk": ended.ttft if ended.stream else 0,
    }


def _span(
    call: Finished,
    named: tuple[str, int],
    ids: tuple[str, str],
    times: tuple[float, float],
    attributes: Mapping[str, Any],
    error: str,
) -> dict[str, Any]:
    # The conventions for HTTP: a server that refuses what a caller asked has not failed.
    refused = named[1] == SERVER and 400 <= call.ended.status < 500
    span: dict[str, Any] = {
        "traceId": call.trace.id,
        "spanId": ids[0],
        "name": named[0],
        "kind": named[1],
        "startTimeUnixNano": call.at(times[0]),
        "endTimeUnixNano": call.at(max(times)),
        "attributes": _attributes({**attributes, "error.type": error}),
        "status": {"code": ERROR, "message": error} if error and not refused else {},
    }
    if ids[1]:
        span["parentSpanId"] = ids[1]
    if call.trace.state:
        span["traceState"] = call.trace.state
    return span


def _content(messages: object) -> str:
    """A prompt in the shape that the conventions give messages; texts are cut where it is long."""
    if messages is None:
        return ""
    room, told = CONTENT_CHARS, []
    for role, texts in map(_said, messages if isinstance(messages, list) else [messages]):
        parts = []
        for text in texts:
            parts.append({"type": "text", "content": text[:room]})
            room -= min(len(text), room)
        told.append({"role": role, "parts": parts})
        if not room:
            break
    try:
        return orjson.dumps(told).decode()
    except (orjson.JSONEncodeError, ValueError):
        # Half a surrogate pair.
        return ""


def _said(message: object) -> tuple[str, list[str]]:
    """Who says a message, and its texts."""
    if not isinstance(message, dict):
        return "user", [message] if isinstance(message, str) else []
    content, role = message.get("content"), message.get("role")
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return str(role or "user")[:NAME_CHARS], [text for text in texts if isinstance(text, str)]


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": n, "value": _value(v)} for n, v in values.items() if v not in UNSAID]


def _value(value: object) -> dict[str, Any]:
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    # A name cut amid a surrogate pair is no text that JSON can hold.
    return {"stringValue": str(value).encode(errors="replace").decode()}
