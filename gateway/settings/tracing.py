"""Where traces of calls go, and what is in them."""

from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.settings.keys import HeaderValue
from gateway.settings.section import Section
from gateway.settings.tiers import HeaderName


def collector(text: str) -> str:
    """Read a collector's address."""
    parts = urlsplit(text)
    good = text.isascii() and text.isprintable() and " " not in text and "@" not in parts.netloc
    if not good or parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        message = "must be an address such as http://localhost:4318"
        raise ValueError(message)
    return text.rstrip("/")


def pairs(value: object) -> object:
    """Read `name=value,name=value`, as OpenTelemetry's variables have it."""
    if not isinstance(value, str):
        return value
    found = [part.partition("=") for part in value.split(",") if part.strip()]
    return {name.strip(): unquote(said.strip()) for name, _, said in found}


class TracingSettings(Section):
    """Traces of calls, sent to an OpenTelemetry collector by OTLP over HTTP (JSON)."""

    endpoint: Annotated[str, AfterValidator(collector)] | None = Field(
        default=None,
        description="The collector, such as `http://localhost:4318`; without it nothing is traced. "
        "`OTEL_EXPORTER_OTLP_ENDPOINT` sets it too, unless `OTEL_SDK_DISABLED` is `true`.",
    )
    headers: Annotated[dict[HeaderName, HeaderValue], BeforeValidator(pairs)] = Field(
        default_factory=dict,
        description="Headers for the collector, such as `api-token=…`; "
        "`OTEL_EXPORTER_OTLP_HEADERS` sets them too.",
    )
    sample: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of the calls that are traced; `OTEL_TRACES_SAMPLER` sets it too.",
    )
    follow: bool = Field(
        default=True,
        description="Whether a caller that sends `traceparent` decides whether its call is traced; "
        "`OTEL_TRACES_SAMPLER` (`parentbased_…` or not) sets it too.",
    )
    content: bool = Field(
        default=False, description="Whether prompts are put into the spans (the first 32 KiB)."
    )
    service: str = Field(
        default="tiergate",
        min_length=1,
        max_length=128,
        description="The service's name; `OTEL_SERVICE_NAME` sets it too.",
    )
    attributes: Annotated[dict[str, str], BeforeValidator(pairs)] = Field(
        default_factory=dict,
        description="Further attributes of the service, such as `deployment.environment=prod`; "
        "`OTEL_RESOURCE_ATTRIBUTES` sets them too.",
    )
