"""What is passed on as it is: everything of the API that is not routed."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from gateway.settings.section import Section
from gateway.settings.tiers import Name
from gateway.settings.units import Duration, Size, parted, unswitched


class PassthroughSettings(Section):
    """The endpoints below `/v1` that are passed on untouched."""

    enabled: bool = Field(
        default=True, description="Pass on what is not routed; without it, it is 404."
    )
    deployment: Name | None = Field(
        default=None,
        description="The deployment whose account is used; without it, the full tier's first.",
    )
    deny: Annotated[tuple[Name, ...], BeforeValidator(parted)] = Field(
        default=(),
        description="First parts of paths that are not passed on, such as `files` or `realtime`; "
        "`other` is whatever this version does not know.",
    )
    unpriced: Annotated[Literal["refuse", "allow"], BeforeValidator(unswitched)] = Field(
        default="refuse",
        description="What becomes of requests whose cost nobody can tell beforehand (images, "
        "audio, batches, realtime …) under a key with an allowance or a cap.",
    )
    account: Annotated[Literal["refuse", "allow"], BeforeValidator(unswitched)] = Field(
        default="refuse",
        description="What becomes of requests to areas that are the whole account's, such as "
        "`organization` and `projects`.",
    )
    unknown: Annotated[Literal["refuse", "allow"], BeforeValidator(unswitched)] = Field(
        default="refuse",
        description="What becomes of a key's requests for stored objects that nobody is known to "
        "have made through this gateway, and for lists of everybody's. What another tenant made "
        "is 404 either way.",
    )
    max_upload: Size = Field(
        default=2**30,
        ge=1024,
        description="Largest body that is passed on; it is never held in memory.",
    )
    max_tunnels: int = Field(default=256, ge=0, description="WebSocket connections at a time.")
    tunnel_time: Duration = Field(
        default=3600.0, gt=0, description="How long a WebSocket connection may last."
    )
