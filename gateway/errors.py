"""The one tree of errors.

    GatewayError
    ├── CallerError            what the client sent cannot be served
    │   ├── MalformedBody 400, MalformedRequest 400, InvalidValue 400,
    │   │   ContextLengthExceeded 400, Infeasible 400
    │   ├── PermissionDenied 403
    │   ├── NotFound 404, ModelNotFound 404, ObjectNotFound 404, MethodNotAllowed 405
    │   ├── RequestTimeout 408, BodyTooLarge 413, UnsupportedMedia 415, HeadTooLarge 431
    │   ├── Unauthenticated 401, RateLimited 429, AllowanceSpent 429
    ├── Overloaded 503         we shed load before queues grow
    ├── StoreUnavailable 503   money, keys or quotas cannot be looked up; never the caller's fault
    ├── UpstreamError          one attempt went wrong (the reasons a next attempt may be made)
    │   ├── UpstreamUnreachable 502, UpstreamBroken 502, UpstreamTruncated 502
    │   └── UpstreamTimeout 504
    ├── UpstreamsExhausted 503 no attempt is left
    └── InternalError 500      a defect of ours; says nothing else

Each leaf fixes its HTTP status, OpenAI `type` and `code`, and its low-cardinality metric name
(`kind`: caller_*, policy_*, upstream_*, gateway_*). Foreign errors are translated where the
library lives. Only these reach a client.
"""

from typing import ClassVar


class GatewayError(Exception):
    """Something a client may be told.

    `retry_after` is seconds; `retry` becomes `x-should-retry` (None: left to the client); `fields`
    are further header fields as bytes, each with its line end.
    """

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: ClassVar[str | None] = "internal_error"
    kind: ClassVar[str] = "gateway_internal"
    retry: ClassVar[bool | None] = None

    def __init__(
        self, message: str, *, param: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after
        self.fields = b""


class CallerError(GatewayError):
    """The client's request cannot be served as it is."""

    status = 400
    type = "invalid_request_error"
    code: ClassVar[str | None] = None
    kind = "caller_invalid"
    retry: ClassVar[bool | None] = False


class MalformedBody(CallerError):
    """The body is no JSON object we can read."""

    code = "invalid_json"
    kind = "caller_malformed"


class MalformedRequest(CallerError):
    """The bytes are no HTTP request we can read."""

    code = "invalid_http"
    kind = "caller_malformed"


class InvalidValue(CallerError):
    """A field, header or knob has a value it cannot have."""

    code = "invalid_value"


class ContextLengthExceeded(CallerError):
    """The prompt fits no model that may answer."""

    code = "context_length_exceeded"
    kind = "caller_too_long"


class Infeasible(CallerError):
    """No tier satisfies the caller's own limits; the message gives the figures."""

    code = "no_feasible_tier"
    kind = "policy_infeasible"


class PermissionDenied(CallerError):
    """The caller may not see this."""

    status = 403
    code = "permission_denied"
    kind = "caller_forbidden"


class Unauthenticated(CallerError):
    """The caller's key is missing, unknown, expired or revoked."""

    status = 401
    code = "invalid_api_key"
    kind = "caller_unauthenticated"


class RateLimited(CallerError):
    """A quota of the caller's key, team or organisation is used up for now."""

    status = 429
    type = "requests"
    code = "rate_limit_exceeded"
    kind = "policy_rate_limited"
    retry = None


class AllowanceSpent(CallerError):
    """An allowance of the caller's key, team or organisation does not hold this call."""

    status = 429
    type = "insufficient_quota"
    code = "insufficient_quota"
    kind = "policy_allowance_spent"


class NotFound(CallerError):
    """There is nothing at this address."""

    status = 404
    code = "unknown_url"
    kind = "caller_not_found"


class ModelNotFound(CallerError):
    """No such model, or none for this caller."""

    status = 404
    code = "model_not_found"
    kind = "caller_model_not_found"


class ObjectNotFound(CallerError):
    """No such stored object, or none of this caller's; OpenAI gives this no code."""

    status = 404
    kind = "caller_object_not_found"


class MethodNotAllowed(CallerError):
    """The address exists, the method does not."""

    status = 405
    code = "method_not_allowed"
    kind = "caller_method"


class RequestTimeout(CallerError):
    """The request did not arrive whole in time."""

    status = 408
    code = "request_timeout"
    kind = "caller_timeout"
    retry = None


class BodyTooLarge(CallerError):
    """The body is over the limit."""

    status = 413
    code = "request_too_large"
    kind = "caller_too_large"


class UnsupportedMedia(CallerError):
    """The body's type or encoding is none we read."""

    status = 415
    code = "unsupported_media_type"
    kind = "caller_media_type"


class HeadTooLarge(CallerError):
    """Too many header fields, or too long ones."""

    status = 431
    code = "headers_too_large"
    kind = "caller_headers"


class Overloaded(GatewayError):
    """More calls in flight than this process takes."""

    status = 503
    type = "server_error"
    code = "gateway_overloaded"
    kind = "gateway_overloaded"
    retry = True


class StoreUnavailable(GatewayError):
    """The store of keys, money and quotas cannot be reached in time."""

    status = 503
    type = "server_error"
    code = "store_unavailable"
    kind = "gateway_store"
    retry = True


class UpstreamError(GatewayError):
    """One attempt went wrong on the far side."""

    status = 502
    type = "upstream_error"
    code = "upstream_error"
    kind = "upstream_error"
    retry = False


class UpstreamUnreachable(UpstreamError):
    """No connection could be made, or it was lost before a reply."""

    code = "upstream_unreachable"
    kind = "upstream_unreachable"


class UpstreamBroken(UpstreamError):
    """The upstream answered something that is no reply: bad framing, no JSON, HTML, too large."""

    code = "upstream_broken"
    kind = "upstream_broken"


class UpstreamTruncated(UpstreamError):
    """The reply ended before it was finished."""

    code = "upstream_truncated"
    kind = "upstream_truncated"


class UpstreamTimeout(UpstreamError):
    """A deadline passed: connecting, first byte, silence or the whole."""

    status = 504
    code = "upstream_timeout"
    kind = "upstream_timeout"


class UpstreamsExhausted(GatewayError):
    """Every deployment that could answer failed or rests behind its breaker."""

    status = 503
    type = "upstream_error"
    code = "upstreams_exhausted"
    kind = "upstream_exhausted"
    retry = False


class InternalError(GatewayError):
    """A defect of ours; the log has the rest."""


UPSTREAM_REPLIES = ("upstream_auth", "upstream_rate_limited", "upstream_4xx", "upstream_5xx")
"""Outcomes of calls and attempts that are the upstream's own error replies, passed on."""

ENDS_WITHOUT_ERROR = ("ok", "cancelled", "caller_left")
"""The other outcomes: all went well, an attempt nobody waited for, a client that hung up."""
