"""Every setting with its type, bounds, default and meaning; the documentation is made from these.

Durations are seconds, sizes bytes, prices nano-dollars a token once read. Unknown names are
refused. What stands behind the tiers is in `gateway.settings.tiers`, who may call on which terms in
`gateway.settings.terms`.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from gateway.settings.passthrough import PassthroughSettings
from gateway.settings.routing import RoutingSettings
from gateway.settings.section import Section
from gateway.settings.stores import StoreSettings
from gateway.settings.terms import (
    AccessSettings,
    AdminSettings,
    KeySettings,
    OrganisationSettings,
    TeamSettings,
)
from gateway.settings.tiers import CatalogSettings, Name
from gateway.settings.tracing import TracingSettings
from gateway.settings.units import Duration, Size, parted, unswitched


class ServerSettings(Section):
    """Where the gateway listens and what it takes in."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address to listen on; `0.0.0.0` for every interface (needed in a container).",
    )
    port: int = Field(
        default=8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Processes that serve the port side by side, about one a core; more than one "
        "needs Redis, where they share what they know. Limits of memory, connections and calls in "
        "flight are each worker's.",
    )
    max_body: Size = Field(
        default=32 * 2**20,
        ge=1024,
        description="Largest request body; a prompt of a million tokens is about 5 MB.",
    )
    max_header_bytes: Size = Field(
        default=64 * 2**10, ge=1024, description="Largest request head, all header fields together."
    )
    max_headers: int = Field(
        default=200, ge=8, description="Most header fields a request may have."
    )
    receive_timeout: Duration = Field(
        default=20.0, gt=0, description="How long a request may take to arrive whole."
    )
    keep_alive: Duration = Field(
        default=75.0, gt=0, description="How long an idle client connection is kept."
    )
    max_calls_in_flight: int = Field(
        default=1024,
        ge=1,
        description="Calls served at a time; more are answered 503 at once instead of queueing.",
    )
    drain: Duration = Field(
        default=120.0,
        description="How long calls in flight may go on after SIGTERM; the container's grace "
        "period must be longer.",
    )
    cors_origins: Annotated[tuple[str, ...], BeforeValidator(parted)] = Field(
        default=(),
        description="Web origins whose pages may call the gateway, or `*` for all. None by "
        "default: any page a developer opens could otherwise spend the gateway's key.",
    )

    open_operations: bool = Field(
        default=False,
        description="Serve `/metrics`, `/docs` and `/openapi.json` to other machines too, not only "
        "to this one. They name models and show traffic, never prompts or keys.",
    )

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            scheme, _, rest = origin.partition("://")
            if origin != "*" and (scheme not in {"http", "https"} or not rest or "/" in rest):
                message = "must be origins such as https://app.example.com (no path), or `*`"
                raise ValueError(message)
        return origins


class UpstreamSettings(Section):
    """How the models' servers are called."""

    connect_timeout: Duration = Field(
        default=3.0, gt=0, description="How long connecting may take, TLS included."
    )
    first_byte_timeout: Duration = Field(
        default=120.0, gt=0, description="How long the first byte of an answer may take."
    )
    idle_timeout: Duration = Field(
        default=60.0, gt=0, description="Longest silence within an answer."
    )
    total_timeout: Duration = Field(
        default=600.0, gt=0, description="How long an answer may take to its last byte."
    )
    max_connections: int = Field(
        default=1024, ge=1, description="Open connections per upstream address; more calls wait."
    )
    keep_alive: Duration = Field(
        default=55.0,
        gt=0,
        description="How long an idle upstream connection is kept; shorter than the upstream's own "
        "limit, so that none is found dead.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="PEM file with the certificate authorities to trust instead of the system's.",
    )
    http2: bool = Field(
        default=False,
        description="Speak HTTP/2 upstream (slower per call; needs `pip install tiergate[http2]`).",
    )
    proxy: Annotated[Literal["off", "env"], BeforeValidator(unswitched)] = Field(
        default="off",
        description="`env` goes through the proxy that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` "
        "name (slower per call).",
    )
    max_attempts: int = Field(
        default=3, ge=1, le=10, description="Deployments tried for one call, the first included."
    )
    retry_budget: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Retries allowed per call on average, so that an outage is not amplified.",
    )


class BreakerSettings(Section):
    """When a deployment is left alone for a while."""

    failures: int = Field(
        default=5, ge=1, description="Failures in a row after which a deployment is left alone."
    )
    cooldown: Duration = Field(
        default=5.0, gt=0, description="How long it is left alone before one call may probe it."
    )


class CacheSettings(Section):
    """Which replies are kept and for how long."""

    policy: Annotated[Literal["default", "all", "off"], BeforeValidator(unswitched)] = Field(
        default="default",
        description="`default` keeps replies that a repeat would reasonably share (no explicit "
        "temperature above 0, one choice), `all` also those sampled with a temperature, `off` only "
        "those whose caller asks for it.",
    )
    ttl: Duration = Field(default=600.0, gt=0, description="How long a reply is kept.")
    max_bytes: Size = Field(
        default=8 * 2**20, description="Memory for kept replies; the longest unused go first."
    )
    max_entry: Size = Field(default=4 * 2**20, description="Largest reply that is kept.")


class LogSettings(Section):
    """What is logged and how; the log goes to standard output."""

    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="`auto` is `console` on a terminal and `json` elsewhere."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe message that is logged."
    )


class SimulateSettings(Section):
    """A simulated upstream in the same process, for trying the gateway without a key."""

    enabled: bool = Field(
        default=False,
        description="Answer from the simulation instead of the deployments. On by itself when "
        "there is no key, no base URL and no configuration file.",
    )
    seed: int = Field(default=0, ge=0, description="Same seed and request, same answer.")
    speed: float = Field(
        default=1.0, ge=0, le=1000, description="Scales the simulated waits; 0 does not wait."
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"enabled": value} if isinstance(value, bool | str) else value


class Settings(Section):
    """Everything the operator decides."""

    server: ServerSettings = ServerSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    breaker: BreakerSettings = BreakerSettings()
    cache: CacheSettings = CacheSettings()
    routing: RoutingSettings = RoutingSettings()
    passthrough: PassthroughSettings = PassthroughSettings()
    log: LogSettings = LogSettings()
    tracing: TracingSettings = TracingSettings()
    catalog: CatalogSettings = CatalogSettings()
    access: AccessSettings = AccessSettings()
    keys: tuple[KeySettings, ...] = Field(
        default=(), description="Keys of callers; further ones live in the store."
    )
    teams: dict[Name, TeamSettings] = Field(
        default_factory=dict, description="Teams by name, with the terms all their keys share."
    )
    organisations: dict[Name, OrganisationSettings] = Field(
        default_factory=dict,
        description="Organisations by name, with the terms all their teams share.",
    )
    admin: AdminSettings = AdminSettings()
    store: StoreSettings = StoreSettings()
    simulate: SimulateSettings = SimulateSettings()
