"""The routing's settings: how a tier is chosen when the caller does not say."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from gateway.settings.priors import KINDS, Kept, ModelFile, PriorName
from gateway.settings.section import Section
from gateway.settings.tiers import Label
from gateway.settings.units import parted

Points = Annotated[float, Field(ge=-1, le=1)]


class RoutingSettings(Section):
    """How a tier is chosen when the caller does not say ([routing](routing.md))."""

    quality: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="The dial from 0 (always the cheapest) to 1 (always the best); a caller's "
        "`x-gateway-quality` wins.",
    )
    no_tools: Annotated[tuple[Label, ...], BeforeValidator(parted)] = Field(
        default=("nano",),
        description="Tiers not trusted with tool calls unless the caller names them.",
    )
    confidence: float = Field(
        default=0.95,
        gt=0,
        lt=1,
        description="How sure a tier must be to keep a caller's deadline to be chosen for it.",
    )
    hope: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Where no tier is that sure, the likeliest is tried if it is this sure; else "
        "the call is refused.",
    )
    doubling: float = Field(
        default=0.045,
        ge=0,
        le=1,
        description="Predicted quality that a doubling of a call's cost must buy, at the dial's "
        "middle; beyond the step to the second cheapest tier, each √2 times as much as the one "
        "before. Higher is thriftier.",
    )
    second: float = Field(
        default=0.0025,
        ge=0,
        le=1,
        description="Predicted quality that a second more must buy.",
    )
    acceptable: float = Field(
        default=0.35,
        ge=0,
        le=1,
        description="Least predicted quality of a tier that `auto:floor` may choose.",
    )
    sticky: bool = Field(
        default=True,
        description="Keep a conversation on its tier, where its prompt is cached, as far as that "
        "pays. `false` chooses anew for every turn.",
    )
    pacing: bool = Field(
        default=True,
        description="Choose thriftier while an allowance would not last its window. `false` spends "
        "until it is spent.",
    )
    shifts: dict[Label, Points] = Field(
        default_factory=dict,
        description="Points of quality (−1 to 1) by which the models behind the tiers are better "
        "or worse than those the predictions were learnt from (GPT-4.1 nano, mini, full): "
        "`{mini: 0.03}`.",
    )
    model: ModelFile | None = Field(
        default=None,
        description="File of a difficulty model that `tiergate learn train` wrote; without it, the "
        "packaged one.",
    )
    gap: float = Field(
        default=1.0,
        ge=0,
        le=3,
        description="Factor on the predicted gain of larger tiers: below 1 where the tiers hold "
        "models that lie closer together than the GPT-4.1 family.",
    )
    priors: dict[PriorName, Kept] = Field(
        default_factory=dict,
        description="What nano and mini keep of full's quality at a kind of work, as two shares: "
        f"`tools: [0.5, 0.9]`. Kinds: {', '.join(f'`{kind}`' for kind in KINDS)}.",
    )
