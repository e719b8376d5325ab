"""From an upstream's reply to an answer worth passing on, or to the reason it is none.

A reply counts as good only after its status, its content type and its first bytes were looked at:
whatever fails here can still be tried elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from gateway.call import Call, Headers, Usage
from gateway.errors import GatewayError, UpstreamBroken, UpstreamError
from gateway.flow.hiding import hidden
from gateway.flow.sources import CHARS_PER_TOKEN, Streamed
from gateway.ports import Reply
from gateway.route.plan import KEY_IS_DEAD, Step, upstream_outcome
from gateway.wire.api import Api
from gateway.wire.encoding import decoded
from gateway.wire.envelope import envelope
from gateway.wire.headers import to_client
from gateway.wire.reader import Unreadable, look

# An upstream's error text is read no further.
MAX_ERROR_BYTES = 1024 * 1024
JSON = b"application/json"
EVENTS = b"text/event-stream"
UNAUTHORIZED = "The upstream does not accept the gateway's credentials."


@dataclass(slots=True)
class Opened:
    """An upstream's answer up to its first piece: what every reader of it shares.

    `began` is the attempt's start in monotonic seconds, `ttft` its seconds to the first piece;
    `usage` and `tokens_seen` (a guess, for upstreams that never tell) are a whole reply's.
    `outcome` is `ok`, or the metrics' name of the upstream's error reply, whatever is shown
    instead of it.
    """

    step: Step
    status: int
    headers: Headers
    first: bytes
    streamed: Streamed | None = None
    usage: Usage | None = None
    model: str = ""
    began: float = 0.0
    ttft: float = 0.0
    tokens_seen: int = 0
    outcome: str = "ok"
    ids: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """The ids that later calls may refer to the reply by."""
        return self.ids if self.streamed is None else self.streamed.machine.names()

    def stated(self) -> Usage | None:
        """The upstream's own count, if it is in."""
        return self.usage if self.streamed is None else self.streamed.machine.usage

    def guessed(self) -> int:
        """About how many tokens of an answer were seen."""
        return self.tokens_seen if self.streamed is None else self.streamed.tokens_seen()


class Refusal(Exception):
    """An upstream's error reply: its own status, what may be shown of it, and what it says."""

    def __init__(
        self, status: int, opened: Opened, code: str | None, retry_after: float | None
    ) -> None:
        super().__init__(code)
        self.status = status
        self.opened = opened
        opened.outcome = upstream_outcome(status)
        self.code = code
        self.retry_after = retry_after


async def whole(reply: Reply, step: Step, api: Api, limit: int) -> Opened:
    """Read a reply that is not streamed, at most `limit` bytes of it.

    Raises:
        UpstreamError: it is no reply of this API.
        Refusal: it is an error reply.
    """
    if reply.status != 200:
        raise await refusal(reply, step)
    body = await reply.read(limit)
    fields = dict(reply.headers)
    kind = fields.get(b"content-type", b"")
    if JSON not in kind.lower():
        raise UpstreamBroken(_unexpected(kind))
    encoding = fields.get(b"content-encoding")
    facts = api.inspect(decoded(body, encoding.lower(), limit) if encoding else body)
    headers = to_client(reply.headers)
    opened = Opened(step, 200, headers, body, usage=facts.usage, model=facts.model)
    opened.ids = facts.names()
    opened.tokens_seen = facts.text_chars // CHARS_PER_TOKEN
    return opened


async def stream(reply: Reply, step: Step, api: Api, call: Call) -> Opened:
    """Read a stream up to its first valid event.

    Raises:
        UpstreamError: it is no stream of this API, or began with an error.
        Refusal: it is an error reply.
    """
    if reply.status != 200:
        raise await refusal(reply, step)
    kind = header(reply.headers, b"content-type")
    if EVENTS not in kind or header(reply.headers, b"content-encoding") not in (b"", b"identity"):
        raise UpstreamBroken(_unexpected(kind))
    machine = api.machine(not call.wants_usage)
    streamed = Streamed(reply, machine)
    first = await streamed.open()
    if not machine.started:
        message = "The upstream's stream began with an error."
        raise UpstreamBroken(message)
    headers = to_client(reply.headers)
    return Opened(step, 200, headers, first, streamed, model=machine.model)


async def refusal(reply: Reply, step: Step) -> Refusal:
    """Read an error reply, without the parts of it that are not the client's.

    Raises:
        UpstreamError: it is none, or cannot be read.
    """
    if reply.status < 400:
        message = f"The upstream answered {reply.status}, which is neither a reply nor an error."
        raise UpstreamBroken(message)
    raw = await reply.read(MAX_ERROR_BYTES)
    body = decoded(raw, header(reply.headers, b"content-encoding"), MAX_ERROR_BYTES)
    headers = tuple(f for f in to_client(reply.headers) if f[0] != b"content-encoding")
    status, wait = reply.status, retry_after(reply.headers)
    error = _error_of(body)
    code = error.get("code") if error is not None else None
    code = code if isinstance(code, str) else None
    if status in KEY_IS_DEAD:
        # Its text may quote the key, and the caller can do nothing about it.
        return Refusal(status, _ours(step, 502, UpstreamError(UNAUTHORIZED), headers), code, wait)
    if error is None:
        ours = UpstreamBroken(f"The upstream answered {status} with nothing we can pass on.")
        shown = status if status >= 500 or status == 429 else 502
        return Refusal(status, _ours(step, shown, ours, headers), code, wait)
    body = hidden(body, step.deployment)
    return Refusal(status, Opened(step, status, headers, body), code, wait)


def header(fields: Headers, name: bytes) -> bytes:
    """A reply field's value in lower case, `b""` when it is not there."""
    for field, value in fields:
        if field == name:
            return value.lower()
    return b""


def retry_after(fields: Headers) -> float | None:
    """How long the upstream asks to wait, in seconds: `retry-after-ms`, then `retry-after`.

    A date is read against the reply's own `date`, so that no clock has to agree.
    """
    millis = _number(header(fields, b"retry-after-ms"))
    if millis is not None:
        return millis / 1000
    text = header(fields, b"retry-after")
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        until = parsedate_to_datetime(text.decode("latin-1"))
        sent = parsedate_to_datetime(header(fields, b"date").decode("latin-1"))
        return max(0.0, (until - sent).total_seconds())
    except (ValueError, TypeError):
        return None


def _number(text: bytes) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None


def _error_of(body: bytes) -> Mapping[str, Any] | None:
    try:
        document = look(body)
    except Unreadable:
        return None
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else None


def _ours(step: Step, status: int, error: GatewayError, headers: Headers) -> Opened:
    kept = tuple(f for f in headers if not f[0].startswith(b"content-"))
    return Opened(step, status, (*kept, (b"content-type", JSON)), envelope(error))


def _unexpected(kind: bytes) -> str:
    shown = kind.decode("latin-1")[:80] or "no content type"
    return f"The upstream answered 200 with {shown!r}, which is no reply of this API."
