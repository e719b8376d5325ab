"""What OpenTelemetry's own variables say of tracing, for whoever sets them for all programs alike.

They are used where neither the file nor a `GATEWAY_TRACING_*` says anything; an empty one counts as
unset, as the specification has it. What they say of other exporters, protocols and signals is not
ours to judge: spans leave as JSON over HTTP, which every collector takes at the same address.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.settings.complaints import Flaw, Place

ENDPOINT: Final[Place] = ("tracing", "endpoint")
SAMPLE: Final[Place] = ("tracing", "sample")
FOLLOW: Final[Place] = ("tracing", "follow")
SAMPLER: Final = "OTEL_TRACES_SAMPLER"
ARGUMENT: Final = "OTEL_TRACES_SAMPLER_ARG"
NONE: Final = "none"
# The particular variable, where there is one, before the general one.
PLAIN: Final[tuple[tuple[str, Place], ...]] = (
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ENDPOINT),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", ENDPOINT),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", ("tracing", "headers")),
    ("OTEL_EXPORTER_OTLP_HEADERS", ("tracing", "headers")),
    ("OTEL_SERVICE_NAME", ("tracing", "service")),
    ("OTEL_RESOURCE_ATTRIBUTES", ("tracing", "attributes")),
)
SHARES: Final[Mapping[str, str | None]] = {
    "always_on": "1",
    "always_off": "0",
    "traceidratio": None,
}
"""The samplers that can be had, with the share they stand for (None: their argument, or all)."""
PARENTS: Final = "parentbased_"


class Said(NamedTuple):
    """A value, the place it is for, and the variable that said it."""

    place: Place
    value: str
    variable: str


def said(environ: Mapping[str, str]) -> tuple[list[Said], list[Flaw]]:
    """What the variables say, a place at most once, and what is wrong with them."""
    given = {name: value.strip() for name, value in environ.items() if name.startswith("OTEL_")}
    found: dict[Place, Said] = {}
    for name, place in PLAIN:
        if given.get(name):
            found.setdefault(place, Said(place, given[name], name))
    if _off(given):
        # A collector that the file names is asked for by somebody who knows of this program.
        found.pop(ENDPOINT, None)
    sampled, flaws = _sampling(given)
    return [*found.values(), *sampled], flaws


def _off(given: Mapping[str, str]) -> bool:
    disabled = given.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return disabled or given.get("OTEL_TRACES_EXPORTER", "").lower() == NONE


def _sampling(given: Mapping[str, str]) -> tuple[list[Said], list[Flaw]]:
    sampler = given.get(SAMPLER, "").lower()
    if not sampler:
        return [], []
    kind = sampler.removeprefix(PARENTS)
    if kind not in SHARES:
        names = ", ".join([*SHARES, *(PARENTS + name for name in SHARES)])
        return [Said(SAMPLE, "1", SAMPLER)], [Flaw(SAMPLE, f"must be one of {names}")]
    follow = "true" if sampler.startswith(PARENTS) else "false"
    share, variable = SHARES[kind], SAMPLER
    if share is None:
        share, variable = given.get(ARGUMENT) or "1", ARGUMENT
    return [Said(SAMPLE, share, variable), Said(FOLLOW, follow, SAMPLER)], []
