"""Which header fields cross the gateway, each way by an allow-list.

Towards the upstream: what describes the client, never its key, cookies or our knobs. Towards the
client: what OpenAI's SDKs and their users read; never hop-by-hop fields, cookies, internal ones or
the identity of the account that pays.
"""

from collections.abc import Iterable

from gateway.call import Headers

TO_UPSTREAM = frozenset(
    {
        b"accept",
        b"idempotency-key",
        b"openai-beta",
        b"traceparent",
        b"tracestate",
        b"user-agent",
        b"x-client-request-id",
    }
)
SAYS_NOTHING = frozenset(
    {
        b"accept",
        b"idempotency-key",
        b"traceparent",
        b"tracestate",
        b"user-agent",
        b"x-client-request-id",
    }
)
"""Those of them that name or trace a call and leave its answer alone."""

_SAYING = tuple(TO_UPSTREAM - SAYS_NOTHING)
# Written by us alone: who we are, where it goes, how it is framed, and that nobody compresses.
OURS = frozenset(
    {
        b"api-key",
        b"authorization",
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"accept-encoding",
        b"connection",
        b"keep-alive",
        b"expect",
        b"te",
        b"trailer",
        b"upgrade",
        b"proxy-authorization",
        b"proxy-connection",
    }
)
TO_CLIENT = frozenset(
    {
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-type",
        b"openai-processing-ms",
        b"openai-version",
        b"retry-after",
        b"retry-after-ms",
        b"x-request-id",
        b"x-should-retry",
        b"x-tiergate-simulated",
    }
)


# These describe one exchange with the upstream, not the reply; rate limits come beside them.
OF_ONE_EXCHANGE = frozenset({b"x-request-id", b"openai-processing-ms", b"x-should-retry"})


def of_one_exchange(name: bytes) -> bool:
    """Whether a reply field says nothing any more when the reply is given out again."""
    return name in OF_ONE_EXCHANGE or name.startswith(b"x-ratelimit-")


def to_upstream(fields: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Keep the request fields an upstream may see; names are lower-case already."""
    return tuple(
        field for field in fields if field[0] in TO_UPSTREAM or field[0].startswith(b"x-stainless-")
    )


def that_matter(fields: Headers) -> list[list[str]]:
    """The request fields an upstream may see and answer otherwise for."""
    found = [field for field in fields if field[0] in _SAYING]
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in found]


def to_client(fields: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Keep the reply fields a client may see; names are lower-case already."""
    # A list is made in half a generator's time.
    return tuple([f for f in fields if f[0] in TO_CLIENT or f[0].startswith(b"x-ratelimit-")])
