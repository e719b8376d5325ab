"""Reply heads as bytes: the upstream's fields a client may see, then ours.

A head is one bytes formatting; header objects would cost more than the rest of the reply.
"""

from collections.abc import Collection, Iterable

from gateway.access.limits import quota_fields, retry_fields
from gateway.errors import GatewayError
from gateway.flow.answer import Answer
from gateway.flow.journey import Journey
from gateway.money import spell

EXPOSED = (
    "x-request-id,openai-processing-ms,openai-version,retry-after,retry-after-ms,x-should-retry,"
    "x-ratelimit-limit-requests,x-ratelimit-limit-tokens,x-ratelimit-remaining-requests,"
    "x-ratelimit-remaining-tokens,x-ratelimit-reset-requests,x-ratelimit-reset-tokens,"
    "openai-poll-after-ms,"
    "x-gateway-model,x-gateway-tier,x-gateway-reason,x-gateway-cache,x-gateway-cost-usd,"
    "x-gateway-saved-usd,x-gateway-overhead-ms,x-gateway-attempts,x-gateway-score,"
    "x-gateway-quality,x-gateway-decision-id"
)
# Proxies on the way must neither keep a stream nor hold it back.
STREAM_FIELDS = b"cache-control: no-cache\r\nx-accel-buffering: no\r\n"
JSON_FIELD = b"content-type: application/json\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
# What `/healthz` says, but for whether the connection stays.
HEALTHY = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n%bcontent-length: 15\r\n\r\n"
    b'{"status":"ok"}'
)
MAX_REASON = 400


def answer_head(answer: Answer, status_line: bytes, *, date: bytes, cors: bytes) -> bytes:
    """The head of an answer, without its framing fields and the empty line."""
    journey = answer.journey
    fields = [b"%b: %b\r\n" % field for field in answer.headers]
    named = journey.upstream_id or any(name == b"x-request-id" for name, _ in answer.headers)
    if journey.grant is not None and (quotas := quota_fields(journey.grant.standing)):
        # The caller's quotas are ours to tell; the upstream's are the account's.
        fields = [f for f in fields if not f.startswith(b"x-ratelimit-")]
        fields.append(quotas)
    own_id = b"" if named else b"x-request-id: %b\r\n" % journey.call.id.encode()
    if answer.status >= 400 and journey.attempts > 1:
        # We have tried elsewhere already; an SDK's own retries on top would multiply ours.
        fields = [f for f in fields if not f.startswith(b"x-should-retry")]
        own_id += b"x-should-retry: false\r\n"
    return b"".join(
        (
            status_line,
            date,
            *fields,
            own_id,
            STREAM_FIELDS if answer.stream else b"",
            cors,
            ours(journey),
        )
    )


def ours(journey: Journey) -> bytes:
    """The `x-gateway-*` fields."""
    tier = journey.tier
    seen = ""
    if journey.score or journey.quality[2]:
        nano, mini, full = journey.quality
        seen = (
            f"x-gateway-score: {journey.score:.4f}\r\n"
            f"x-gateway-quality: {nano:.4f},{mini:.4f},{full:.4f}\r\n"
        )
    note = journey.cache_note
    cache = f"{journey.cache}; {note}" if note and journey.cache == "bypass" else journey.cache
    words = journey.words()
    reason = f"{journey.reason}; {words}" if words else journey.reason
    return (
        f"x-gateway-model: {journey.model}\r\n"
        f"x-gateway-tier: {tier.label if tier is not None else 'none'}\r\n"
        f"x-gateway-reason: {reason[:MAX_REASON]}\r\n"
        f"x-gateway-cache: {cache}\r\n"
        f"x-gateway-cost-usd: {spell(journey.cost)}\r\n"
        f"x-gateway-saved-usd: {spell(journey.saved)}\r\n"
        f"x-gateway-overhead-ms: {journey.overhead * 1000:.3f}\r\n"
        f"x-gateway-attempts: {journey.attempts}\r\n"
        f"{seen}"
        f"x-gateway-decision-id: {journey.call.id}\r\n"
    ).encode("ascii", "replace")


def cors_fields(headers: Iterable[tuple[bytes, bytes]], allowed: Collection[str]) -> bytes:
    """The fields that let a page of an allowed origin read the reply."""
    if not allowed:
        return b""
    origin = next((value for name, value in headers if name == b"origin"), b"")
    if not origin or ("*" not in allowed and origin.decode("latin-1") not in allowed):
        return b""
    shown = b"*" if "*" in allowed else origin
    return (
        b"access-control-allow-origin: %b\r\nvary: origin\r\n"
        b"access-control-expose-headers: %b\r\n" % (shown, EXPOSED.encode())
    )


def error_head(
    error: GatewayError, request_id: str, status_line: bytes, cors: bytes = b""
) -> bytes:
    """The head of an error of ours."""
    fields = [status_line, JSON_FIELD, b"x-request-id: %b\r\n" % request_id.encode(), cors]
    if error.retry_after is not None:
        fields.append(retry_fields(error.retry_after))
    fields.append(error.fields)
    if error.retry is not None:
        fields.append(b"x-should-retry: true\r\n" if error.retry else b"x-should-retry: false\r\n")
    return b"".join(fields)
