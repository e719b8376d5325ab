"""Where the gateway remembers what it must: Redis for many processes, a directory for one.

What an address of Redis may say in detail is for the store to judge; here it is a secret, as it may
hold a password.
"""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from gateway.catalog import Secret
from gateway.settings.section import Section
from gateway.settings.units import Duration

REDIS_SCHEMES = frozenset(
    {"redis", "rediss", "unix"}
    | {f"{scheme}+{kind}" for scheme in ("redis", "rediss") for kind in ("sentinel", "cluster")}
)
# What `store.data` says to keep nothing.
MEMORY = "memory"


def redis_url(value: object) -> Secret:
    """Read where Redis is; it may hold a password, so it is kept as a secret."""
    message = "must be an address such as redis://user:password@host:6379/0 or unix:///path"
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ValueError(message)
    try:
        parts = urlsplit(value)
    except ValueError:
        raise ValueError(message) from None
    if parts.scheme not in REDIS_SCHEMES or not (parts.netloc or parts.path) or " " in value:
        raise ValueError(message)
    return Secret(value)


RedisURL = Annotated[
    Secret,
    PlainValidator(redis_url),
    PlainSerializer(lambda _: "***", return_type=str),
    WithJsonSchema({"type": "string", "minLength": 1, "writeOnly": True}),
]


class StoreSettings(Section):
    """Where keys, money, quotas and records of spend live: Redis, or a directory here."""

    redis_url: RedisURL | None = Field(
        default=None,
        description="Where Redis is; this alone (or `GATEWAY_REDIS_URL`) switches it on. "
        "`redis://`, `rediss://` (TLS), `unix://`, and with `+sentinel` or `+cluster`.",
    )
    redis_ca_file: Path | None = Field(
        default=None, description="PEM file with the certificate authorities Redis is checked by."
    )
    redis_timeout: Duration = Field(
        default=0.05, gt=0, description="Longest a call waits for Redis, each time it asks."
    )
    data: str = Field(
        default=".tiergate",
        min_length=1,
        description="Directory for what one process must not forget; `memory` keeps nothing. Not "
        "used with Redis.",
    )
