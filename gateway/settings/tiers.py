"""The catalog's settings: what stands behind nano, mini and full, where, and at which price.

Short forms are spread here (`catalog: gpt-5.4`, `nano: gpt-4.1-nano`), so that everything behind
sees one shape. Whether names fit together is checked in `gateway.settings.catalog`.
"""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gateway.settings.addresses import ApiVersion, BaseURL
from gateway.settings.keys import HeaderValue, Key
from gateway.settings.prices import PassedPriceSettings, PriceSettings
from gateway.settings.section import Section
from gateway.settings.units import parted
from gateway.wire.headers import OURS

Label = Literal["nano", "mini", "full"]
CapabilityName = Literal[
    "tools", "parallel_tools", "json_schema", "vision", "audio", "logprobs", "reasoning"
]

OPENAI_URL = "https://api.openai.com/v1"
DEFAULT_PRESET = "gpt-4.1"
# What Prometheus, logs and headers carry without quoting.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}")
UPSTREAM_NAME = re.compile(r"[!-~]{1,256}")
HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")


def name(text: str) -> str:
    """Read a name that is safe as a metric label and in a header."""
    if not NAME.fullmatch(text):
        message = "must be letters, digits and . _ : / @ - (at most 128)"
        raise ValueError(message)
    return text


def upstream_name(text: str) -> str:
    """Read a model's name as a server knows it: servers name models by paths and tags, too."""
    if not UPSTREAM_NAME.fullmatch(text):
        message = "must be 1 to 256 printable characters without spaces"
        raise ValueError(message)
    return text


def header_name(text: str) -> str:
    """Read the name of a header that the operator may set."""
    low = text.lower()
    if not HEADER_NAME.fullmatch(low):
        message = "has a header name that is none"
        raise ValueError(message)
    if low.encode() in OURS or low == "content-type":
        message = f"must not set {low}: it is written for every call (see `key` and `auth`)"
        raise ValueError(message)
    return low


Name = Annotated[str, AfterValidator(name)]
UpstreamName = Annotated[str, AfterValidator(upstream_name)]
MemberName = Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]
HeaderName = Annotated[str, AfterValidator(header_name)]


class ParameterSettings(Section):
    """What a model takes of a call's parameters; a call that names the model is left as it is."""

    limit: Literal["any", "max_tokens", "max_completion_tokens"] | None = Field(
        default=None, description="The name it knows for the most tokens of a chat answer."
    )
    drops: Annotated[tuple[MemberName, ...], BeforeValidator(parted)] | None = Field(
        default=None,
        description="Parameters it refuses, such as `temperature`; left out of a call unless they "
        "say what holds anyway.",
    )
    drops_reasoning: Annotated[tuple[MemberName, ...], BeforeValidator(parted)] | None = Field(
        default=None, description="Parameters it refuses while it reasons."
    )
    reasons: bool | None = Field(
        default=None, description="Whether it reasons when a call does not say."
    )
    tools_without_reasoning: bool | None = Field(
        default=None,
        description="Takes tools only with `reasoning_effort: none` on `/v1/chat/completions`; a "
        "call with tools is sent so.",
    )
    role: Literal["any", "system", "developer"] | None = Field(
        default=None, description="The role it knows for instructions."
    )
    stream_options: bool | None = Field(
        default=None,
        description="Whether it can be asked for a stream's usage (by default it can).",
    )


class ModelSettings(Section):
    """A published model. For a known name, only what differs need be said."""

    like: Name | None = Field(
        default=None, description="Take what is not said here from this known model."
    )
    price: PriceSettings | None = Field(default=None, description="What it costs.")
    context_window: int | None = Field(
        default=None, ge=1, description="Tokens of prompt and answer together."
    )
    max_prompt: int | None = Field(
        default=None,
        ge=1,
        description="Longest prompt to send, where that is less than the window; `null` lifts it.",
    )
    max_output: int | None = Field(default=None, ge=1, description="Most tokens of one answer.")
    capabilities: Annotated[tuple[CapabilityName, ...], BeforeValidator(parted)] | None = Field(
        default=None, description="What it can do; a call that needs more goes elsewhere."
    )
    knowledge_cutoff: date | None = Field(default=None, description="Day its knowledge ends.")
    shutdown: date | None = Field(default=None, description="Day the provider switches it off.")
    successor: Name | None = Field(
        default=None,
        description="The model that takes its place when it ends; `null`: none.",
    )
    parameters: ParameterSettings | None = Field(
        default=None, description="Parameters it does not take, if there are any."
    )
    images: Literal["tiles", "patches"] | None = Field(
        default=None, description="How its images are counted in tokens."
    )
    image_multiplier: float | None = Field(
        default=None, gt=0, le=100, description="What a patch counts for, in tokens."
    )


class DeploymentSettings(Section):
    """A model at an address with a key. A bare model name is short for `{model: NAME}`."""

    model: Name = Field(description="The model: a name known below, or under `catalog.models`.")
    upstream_model: UpstreamName | None = Field(
        default=None,
        description="What its server calls the model, where that differs: an Azure deployment's "
        "name, `openai/gpt-4.1`, `llama3.1:8b`.",
    )
    name: Name | None = Field(
        default=None,
        description="How metrics and logs call it; without it, the tier's name (and a number).",
    )
    base_url: BaseURL | None = Field(
        default=None,
        description="Where it is, up to `/v1` (a host alone gets one; a lone `/` behind it keeps "
        "it bare), or an Azure resource; without it, the catalog's.",
    )
    api_version: ApiVersion | None = Field(
        default=None,
        description="Version of Azure's older API (`2024-10-21`), whose calls go to "
        "`/openai/deployments/NAME`; without it, Azure is called at `/openai/v1`.",
    )
    key: Key | None = Field(
        default=None,
        description="The upstream's key; without it, the catalog's, if that is for the same host.",
    )
    auth: Literal["bearer", "api-key"] | None = Field(
        default=None,
        description="How the key is shown: `Authorization: Bearer` (also for a token of Entra ID), "
        "or an `api-key` header, which Azure gets by default.",
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description="Further headers of every call, such as `x-title`."
    )
    parameters: ParameterSettings | None = Field(
        default=None, description="What its server takes otherwise than the model elsewhere."
    )
    weight: int = Field(default=1, ge=1, le=1000, description="Its share of the tier's calls.")
    max_parallel: int = Field(default=0, ge=0, description="Calls at a time; 0 sets no limit.")


def deployments(value: object) -> object:
    """Spread the short forms of a tier: a name, a mapping, or a list of either."""
    listed = value if isinstance(value, list | tuple) else [value]
    if not listed:
        message = "must list at least one deployment"
        raise ValueError(message)
    return [{"model": item} if isinstance(item, str) else item for item in listed]


Deployments = Annotated[tuple[DeploymentSettings, ...], BeforeValidator(deployments)]


class TiersSettings(Section):
    """The deployments behind each tier: one model a tier, any number of deployments."""

    nano: Deployments | None = Field(default=None, description="The smallest tier.")
    mini: Deployments | None = Field(default=None, description="The tier between.")
    full: Deployments | None = Field(default=None, description="The largest tier.")


class CatalogSettings(Section):
    """Which models stand behind the tiers. A bare name is short for `{preset: NAME}`."""

    preset: str = Field(
        default=DEFAULT_PRESET,
        description="A family of models known by name; what `tiers` names wins.",
    )
    base_url: BaseURL = Field(
        default=OPENAI_URL,
        description="Where deployments are that name no address; `OPENAI_BASE_URL` sets it too.",
    )
    api_version: ApiVersion | None = Field(
        default=None, description="Version of Azure's older API, where `base_url` is one."
    )
    key: Key | None = Field(
        default=None,
        description="Key of deployments that name none; `OPENAI_API_KEY` sets it too.",
    )
    models: dict[Name, ModelSettings] = Field(
        default_factory=dict,
        description="Models by name: new ones, or what differs in known ones (a negotiated price).",
    )
    prices: dict[Name, PassedPriceSettings] = Field(
        default_factory=dict,
        description="Prices of models that stand behind no tier, for what is passed on "
        "(embeddings, images, speech …).",
    )
    tiers: TiersSettings = Field(
        default=TiersSettings(), description="Deployments by tier; tiers left out are the preset's."
    )
    follow_successors: bool = Field(
        default=True,
        description="Whether a deployment goes on with its model's successor from the day of the "
        "shutdown, or when its server no longer knows the model. Known successors are for OpenAI's "
        "own address; elsewhere those count that `models` declares.",
    )
    reroute: Annotated[tuple[Name, ...], BeforeValidator(parted)] | None = Field(
        default=None,
        description="Requested model names that are routed as `auto`; without it, the names "
        "OpenAI has retired or is retiring.",
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"preset": value} if isinstance(value, str) else value
